// The weight files of one checkpoint, put together.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "tensor/weights.hpp"

namespace moa {

enum class WeightFormat {
  safetensors,
  pytorch,  // pytorch_file.hpp
};
// For people: "safetensors", "PyTorch".
std::string_view name(WeightFormat format) noexcept;

// Every tensor of `paths`, mapped, under its name in the file, except: buffers that no model needs are left
// out, names of the first BERT files are modernised (tensor_names.hpp), NAME.q4 with NAME.scale is one matrix
// NAME (q4.hpp), and so are NAME.left with NAME.right, and three cores (factored.hpp), which may be in int8.
// `weight_map` says which shard each tensor is in; it is empty if there is one file. `weights_name` is what
// messages call all of them together. Errors: those of safetensors.hpp or pytorch_file.hpp; corrupt_data if a
// tensor is in another shard than the map says, or twice in the checkpoint.
Weights read_weights(std::span<const std::filesystem::path> paths, WeightFormat format,
                     const Config& weight_map, const std::string& weights_name);

}  // namespace moa
