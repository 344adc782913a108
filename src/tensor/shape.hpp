// tensor: shapes, parameters, and Ops, the vocabulary in which every model is written. It knows no model and
// no file, and computes nothing: that is the backends' affair. This header: sizes of a tensor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace moa {

// The extents of a tensor, outermost first. {} is a scalar.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> extents) : extents_(extents) {}
  explicit Shape(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {}

  std::size_t rank() const noexcept { return extents_.size(); }
  std::int64_t operator[](std::size_t axis) const { return extents_.at(axis); }
  // The number of elements; 1 for a scalar. Error: corrupt_data if it does not fit 63 bits or an extent is
  // negative.
  std::int64_t elements() const;
  // The number of elements below the first axis; 1 for rank 0 and 1.
  std::int64_t elements_per_row() const;
  bool operator==(const Shape&) const = default;

 private:
  std::vector<std::int64_t> extents_;
};

// "[512, 768]".
std::string to_string(const Shape& shape);

}  // namespace moa
