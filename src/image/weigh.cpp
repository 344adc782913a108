#include "image/weigh.hpp"

#include <algorithm>

namespace moa {
namespace {

// A plain loop over a fixed number of lanes, which the compiler turns into the vectors of whatever function
// it is inlined into.
[[gnu::always_inline]] inline void weigh(const std::uint8_t* first, std::ptrdiff_t stride_bytes,
                                         const std::int32_t* weights, std::int64_t taps, std::uint8_t* out) {
  std::int32_t sums[kWeighLanes];
  for (std::int32_t& sum : sums) sum = 1 << (kWeightBits - 1);
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::uint8_t* row = first + t * stride_bytes;
    const std::int32_t weight = weights[t];
    for (std::size_t i = 0; i < kWeighLanes; ++i) sums[i] += weight * static_cast<std::int32_t>(row[i]);
  }
  for (std::size_t i = 0; i < kWeighLanes; ++i) {
    out[i] = static_cast<std::uint8_t>(std::clamp(sums[i] >> kWeightBits, 0, 255));
  }
}

void weigh_baseline(const std::uint8_t* first, std::ptrdiff_t stride_bytes, const std::int32_t* weights,
                    std::int64_t taps, std::uint8_t* out) {
  weigh(first, stride_bytes, weights, taps, out);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void weigh_avx2(const std::uint8_t* first, std::ptrdiff_t stride_bytes,
                                        const std::int32_t* weights, std::int64_t taps, std::uint8_t* out) {
  weigh(first, stride_bytes, weights, taps, out);
}
#endif

}  // namespace

WeighFunction weigh_function() noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return weigh_avx2;
#endif
  return weigh_baseline;
}

}  // namespace moa
