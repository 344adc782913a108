// The inner loop of resizing: weighted sums of bytes in fixed point.
#pragma once

#include <cstddef>
#include <cstdint>

namespace moa {

// Weights are multiples of 2^-22: 32 bits hold 8 bits of pixel, 22 of fraction and 2 for the overshoot of
// negative lobes.
inline constexpr int kWeightBits = 22;
// A call gives this many neighbouring sums.
inline constexpr std::size_t kWeighLanes = 32;

// out[i] = clamp(round(Σ_t weights[t] · first[t · stride_bytes + i])) to a byte, for i in 0 … kWeighLanes-1.
using WeighFunction = void (*)(const std::uint8_t* first, std::ptrdiff_t stride_bytes,
                               const std::int32_t* weights, std::int64_t taps, std::uint8_t* out);

// The fastest one for this machine. All give the same bytes: the arithmetic is on integers.
WeighFunction weigh_function() noexcept;

}  // namespace moa
