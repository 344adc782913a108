#include "backends/onnx/graph.hpp"

namespace moa::onnx {

std::int64_t Initializer::bytes() const {
  switch (type) {
    case ElementType::u8:
    case ElementType::i8:
    case ElementType::boolean:
      return shape.elements();
    case ElementType::f16:
      return 2 * shape.elements();
    case ElementType::f32:
    case ElementType::i32:
      return 4 * shape.elements();
    case ElementType::i64:
      return 8 * shape.elements();
  }
  return 0;
}

ElementType Graph::type_of(const std::string& value) const {
  const auto found = types.find(value);
  return found == types.end() ? ElementType::f32 : found->second;
}

}  // namespace moa::onnx
