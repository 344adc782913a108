#include "base/half.hpp"

#include <bit>

namespace moa {

std::uint16_t narrow_f16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000U);
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return static_cast<std::uint16_t>(sign | 0x7E00U);  // NaN
  if (magnitude >= 0x47800000U) return static_cast<std::uint16_t>(sign | 0x7C00U);
  std::uint32_t shift = 13;
  std::uint32_t mantissa = magnitude - 0x38000000U;  // the exponent's bias: 127 - 15
  if (magnitude < 0x38800000U) {                     // below 2^-14: fewer bits, without the leading one
    const std::uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return sign;
    shift = 126 - exponent;
    mantissa = (magnitude & 0x7FFFFFU) | 0x800000U;
  }
  const std::uint32_t rest = mantissa & ((1U << shift) - 1);
  const std::uint32_t middle = 1U << (shift - 1);
  std::uint32_t half = mantissa >> shift;
  if (rest > middle || (rest == middle && (half & 1U) != 0)) ++half;
  return static_cast<std::uint16_t>(sign | half);
}

}  // namespace moa
