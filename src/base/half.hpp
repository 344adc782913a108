// IEEE 754 binary16.
#pragma once

#include <cstdint>

namespace moa {

// The least magnitude that has no room in 16 bits: what lies below is rounded to 65504, the largest.
inline constexpr float kFirstBeyondF16 = 65520;

// The bits of `value` in 16: to the nearest, ties to even; what is too large becomes infinite.
std::uint16_t narrow_f16(float value) noexcept;

}  // namespace moa
