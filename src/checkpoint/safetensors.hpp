// checkpoint: model directories in the layouts that people publish, the local hub cache, and the files inside
// them. It knows no architecture, no tokenizer and no picture; tensors leave it under the names of the file.
// This header: safetensors (https://github.com/huggingface/safetensors, "Format").
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/tensor_file.hpp"

namespace moa {

// The tensors of a file whose content is `file`, in the order of their bytes; `where` names it in errors.
// The format is taken strictly. Errors: corrupt_data (a header that is no JSON object of the format, a name
// twice, an unknown type, a shape that does not fill its bytes, offsets that overlap, leave a hole or lead
// outside); limit_exceeded for a header above 16 MiB.
// `metadata`, if it is there, gets what "__metadata__" says.
std::vector<StoredTensor> parse_safetensors(std::span<const std::byte> file, const std::string& where,
                                            std::map<std::string, std::string>* metadata = nullptr);

class SafetensorsFile : public TensorFile {
 public:
  // Errors: those of MappedFile::open and of parse_safetensors.
  static SafetensorsFile open(const std::filesystem::path& path);

  // What the file says beside its tensors.
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }

 private:
  using TensorFile::TensorFile;
  std::map<std::string, std::string> metadata_;
};

}  // namespace moa
