// A file of weights, whatever its format: what a format's reader finds in it, and parameters made of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "tensor/parameter.hpp"
#include "tensor/shape.hpp"

namespace moa {

// A tensor as its file describes it.
struct StoredTensor {
  std::string name;
  std::string_view stored_type;  // as the format spells it: "F32", "BF16", "HalfStorage", ...
  std::optional<DType> dtype;    // empty: a type that moa does not read
  Shape shape;
  std::span<const std::byte> bytes;  // from its first element to its last, inside the file; of any alignment
  // How many elements lie between neighbours along each axis; empty: row-major, without gaps. None is
  // negative, and `bytes` holds whatever they lead to.
  std::vector<std::int64_t> strides = {};
};

// A file mapped into memory. Copies share the mapping; parameters keep it alive. Safe from any thread. What
// opens one knows its format: SafetensorsFile, PytorchFile.
class TensorFile {
 public:
  const std::vector<StoredTensor>& tensors() const noexcept { return tensors_; }
  const std::filesystem::path& path() const noexcept { return file_.path(); }
  // One of `tensors()` under `name`. Reads convert to f32; f32 at an aligned address, without gaps, is
  // readable in place. Error: unsupported if moa does not read its type.
  Parameter parameter(const StoredTensor& tensor, std::string name) const;
  // A matrix in 4-bit blocks out of its two tensors (q4.hpp), which may be anywhere in the checkpoint.
  // Errors: corrupt_data if types or shapes are not those of the form.
  static Parameter q4_parameter(std::string name, const TensorFile& blocks_file, const StoredTensor& blocks,
                                const TensorFile& scales_file, const StoredTensor& scales);

  // A tensor in int8 out of its two: NAME I8 [rows, ...] and NAME.scale F32 [rows], which its rows are
  // multiplied with (docs/decisions). Errors: corrupt_data if types or shapes are not those.
  static Parameter int8_parameter(std::string name, const TensorFile& values_file, const StoredTensor& values,
                                  const TensorFile& scales_file, const StoredTensor& scales);

 protected:
  TensorFile(MappedFile file, std::vector<StoredTensor> tensors)
      : file_(std::move(file)), tensors_(std::move(tensors)) {}

 private:
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
};

}  // namespace moa
