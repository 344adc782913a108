// Dot products of one query with many rows.
#pragma once

#include <cstddef>
#include <span>

namespace moa {

// The sum of a[i] * b[i] in float32, in sixteen interleaved partial sums that are then added in a fixed
// order: the same bits at every instruction-set level. Both spans have the same length.
float dot(std::span<const float> a, std::span<const float> b);

}  // namespace moa
