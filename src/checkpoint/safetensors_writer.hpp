// Writing safetensors files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/cancellation.hpp"
#include "tensor/parameter.hpp"
#include "tensor/shape.hpp"

namespace moa {

using ByteSink = std::function<void(std::span<const std::byte>)>;

struct TensorToWrite {
  std::string name;
  DType dtype = DType::f32;  // not q4, which is no type of the format
  Shape shape;
  // Gives the elements, row-major, in pieces of any size. Called once, when it is their turn.
  std::function<void(const ByteSink& write)> content;
};

// Writes the file and syncs it. Tensors lie in it by falling size of their elements, then by name, each
// aligned to its elements. Errors: io_error with the path (a disk that is full); internal if a content does
// not fill its shape; what a content throws. A file that was begun is left to the caller.
// `metadata` stand beside them.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata = {},
                       CancelFlag cancelled = nullptr);

// A tensor as its file holds it, in the pieces that it is stored in (4-bit blocks and their scales); as f32
// where that is not one run of bytes each.
std::vector<TensorToWrite> as_stored(const Parameter& tensor);

}  // namespace moa
