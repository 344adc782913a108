// checkpoint: model directories in the layouts that people publish, the local hub cache, and the files inside
// them. It knows no architecture, no tokenizer and no picture; tensors leave it under the names of the file.
// This header: safetensors (https://github.com/huggingface/safetensors, "Format").
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "tensor/parameter.hpp"
#include "tensor/shape.hpp"

namespace moa {

// A tensor as the header of its file describes it.
struct StoredTensor {
  std::string name;
  std::string_view stored_type;  // as the file spells it: "F32", "BF16", "F8_E4M3", ...
  std::optional<DType> dtype;    // empty: a type that moa does not read
  Shape shape;
  std::span<const std::byte> bytes;  // its elements, inside the file; of any alignment
};

// The tensors of a file whose content is `file`, in the order of their bytes; `where` names it in errors.
// The format is taken strictly. Errors: corrupt_data (a header that is no JSON object of the format, a name
// twice, an unknown type, a shape that does not fill its bytes, offsets that overlap, leave a hole or lead
// outside); limit_exceeded for a header above 16 MiB.
std::vector<StoredTensor> parse_safetensors(std::span<const std::byte> file, const std::string& where);

// A file mapped into memory. Copies share the mapping; parameters keep it alive. Safe from any thread.
class SafetensorsFile {
 public:
  // Errors: those of MappedFile::open and of parse_safetensors.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::vector<StoredTensor>& tensors() const noexcept { return tensors_; }
  const std::filesystem::path& path() const noexcept { return file_.path(); }
  // One of `tensors()` under `name`. Reads convert to f32; f32 at an aligned address is readable in place.
  // Error: unsupported if moa does not read its type.
  Parameter parameter(const StoredTensor& tensor, std::string name) const;
  // A matrix in 4-bit blocks out of its two tensors (q4.hpp), which may be anywhere in the checkpoint.
  // Errors: corrupt_data if types or shapes are not those of the form.
  static Parameter q4_parameter(std::string name, const SafetensorsFile& blocks_file,
                                const StoredTensor& blocks, const SafetensorsFile& scales_file,
                                const StoredTensor& scales);

 private:
  SafetensorsFile(MappedFile file, std::vector<StoredTensor> tensors)
      : file_(std::move(file)), tensors_(std::move(tensors)) {}

  MappedFile file_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace moa
