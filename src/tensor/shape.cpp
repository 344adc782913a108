#include "tensor/shape.hpp"

#include <moa/error.hpp>

namespace moa {
namespace {

std::int64_t product_from(const Shape& shape, std::size_t first_axis) {
  std::int64_t product = 1;
  for (std::size_t axis = first_axis; axis < shape.rank(); ++axis) {
    if (shape[axis] < 0 || __builtin_mul_overflow(product, shape[axis], &product)) {
      throw Error(ErrorCode::corrupt_data,
                  "shape " + to_string(shape) + ": more elements than can be counted");
    }
  }
  return product;
}

}  // namespace

std::int64_t Shape::elements() const {
  return product_from(*this, 0);
}
std::int64_t Shape::elements_per_row() const {
  return product_from(*this, 1);
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (axis > 0) text += ", ";
    text += std::to_string(shape[axis]);
  }
  return text + "]";
}

}  // namespace moa
