// Models as safetensors, in the layout that they are published in.
#pragma once

#include <atomic>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>

namespace moa {

// Writes the model `name` (as Model::load takes it) into a new `directory` as transformers, open_clip or
// sentence-transformers publish it: its tensors under their own names in safetensors, with its configuration,
// tokenizer and processor files. PyTorch's files, integers with scales and 4-bit blocks become plain tensors;
// a file of OpenAI's becomes a directory of open_clip. Model::load takes it again.
//
// `dtype` is that of every tensor of floats: "f32", "f16" or "bf16", rounded to the nearest; "auto" leaves
// those three as they are and widens what else there is to f32. Tensors of integers stay what they are.
//
// Returns the files written, relative to the directory, sorted. The directory appears whole or not at all.
// Errors: those of Model::load; invalid_argument (another dtype, `directory` is there already); out_of_range
// for a number that f16 has no room for; io_error; cancelled, once `*cancelled` is true.
MOA_API std::vector<std::string> export_safetensors(std::string_view name,
                                                    const std::filesystem::path& directory,
                                                    std::string_view dtype = "auto",
                                                    const std::atomic<bool>* cancelled = nullptr);

}  // namespace moa
