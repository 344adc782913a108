// Numbers of a checkpoint as f32.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/parameter.hpp"

namespace moa {

// The bytes that one element takes. Not for q4, whose elements share bytes (q4.hpp).
std::size_t element_bytes(DType dtype) noexcept;

// Writes `count` elements at `stored`, of any alignment, to `out` as f32. Exact for f16 and bf16 (subnormal
// numbers, infinities and NaN included); f64 and integers round to nearest. Not for q4.
void widen(DType dtype, const std::byte* stored, std::int64_t count, float* out) noexcept;

// One IEEE 754 binary16 as f32.
float widen_f16(std::uint16_t half) noexcept;

}  // namespace moa
