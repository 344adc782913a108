#include "search/dot.hpp"

#include <cstring>

namespace moa::search {
namespace {

constexpr std::size_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

// Two accumulators' worth of independent sums keep the adders busy while memory is waited for; more would not
// help, since rows come from memory once.
[[gnu::always_inline]] inline float dot_lanes(const float* a, const float* b, std::size_t count) {
  Lanes sum = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Lanes x;
    Lanes y;
    std::memcpy(&x, a + i, sizeof(x));
    std::memcpy(&y, b + i, sizeof(y));
    sum += x * y;
  }
  float lanes[kLanes];
  std::memcpy(lanes, &sum, sizeof(lanes));
  for (; i < count; ++i) lanes[i % kLanes] += a[i] * b[i];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

using Dot = float (*)(const float*, const float*, std::size_t);

float dot_baseline(const float* a, const float* b, std::size_t count) {
  return dot_lanes(a, b, count);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) float dot_avx2(const float* a, const float* b, std::size_t count) {
  return dot_lanes(a, b, count);
}

Dot choose() {
  return __builtin_cpu_supports("avx2") ? dot_avx2 : dot_baseline;
}
#else
Dot choose() {
  return dot_baseline;
}
#endif

}  // namespace

float dot(std::span<const float> a, std::span<const float> b) {
  static const Dot chosen = choose();
  return chosen(a.data(), b.data(), a.size());
}

}  // namespace moa::search
