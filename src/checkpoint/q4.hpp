// Matrices in 4-bit blocks, as moa-mini stores its text tower: for a matrix NAME [rows, columns],
//   NAME.q4     U8  [rows, columns / 2]   two elements a byte, the even column in the low nibble
//   NAME.scale  F16 [rows, columns / 32]  one scale for 32 neighbours in a row
// element = (nibble - 8) * scale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moa {

inline constexpr std::int64_t kQ4BlockElements = 32;
inline constexpr std::int64_t kQ4BlockBytes = kQ4BlockElements / 2;

// Writes elements [first, first + count) of the row-major matrix to `out`. Rows are whole blocks, so the
// matrix is one run of them. `blocks` and `scales` may have any alignment and must hold these elements.
void widen_q4(std::span<const std::byte> blocks, std::span<const std::byte> scales, std::int64_t first,
              std::int64_t count, float* out) noexcept;

}  // namespace moa
