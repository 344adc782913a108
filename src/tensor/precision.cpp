#include "tensor/precision.hpp"

namespace moa {

std::string_view name(Precision precision) noexcept {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
  }
  return "unknown";
}

}  // namespace moa
