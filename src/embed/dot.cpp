#include "embed/dot.hpp"

#include <cstring>

namespace moa {
namespace {

constexpr std::size_t kLanes = 16;

// Adds the products of what is left over, and the lanes: sixteen to eight, to four, to two, to one.
float finish(float (&lanes)[kLanes], const float* a, const float* b, std::size_t done, std::size_t count) {
  for (std::size_t i = done; i < count; ++i) lanes[i - done] += a[i] * b[i];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// The partial sums are vectors of the machine's own length, so that they stay in registers: GCC keeps one
// vector of sixteen on the stack, and is twenty times slower.
typedef float Four __attribute__((vector_size(16), aligned(4), may_alias));

float dot_baseline(const float* a, const float* b, std::size_t count) {
  const auto at = [](const float* values) { return *reinterpret_cast<const Four*>(values); };
  Four sum0 = {};
  Four sum1 = {};
  Four sum2 = {};
  Four sum3 = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    sum0 += at(a + i) * at(b + i);
    sum1 += at(a + i + 4) * at(b + i + 4);
    sum2 += at(a + i + 8) * at(b + i + 8);
    sum3 += at(a + i + 12) * at(b + i + 12);
  }
  float lanes[kLanes];
  std::memcpy(lanes, &sum0, sizeof(sum0));
  std::memcpy(lanes + 4, &sum1, sizeof(sum1));
  std::memcpy(lanes + 8, &sum2, sizeof(sum2));
  std::memcpy(lanes + 12, &sum3, sizeof(sum3));
  return finish(lanes, a, b, i, count);
}

using Dot = float (*)(const float*, const float*, std::size_t);

#if defined(__x86_64__)
typedef float Eight __attribute__((vector_size(32), aligned(4), may_alias));

__attribute__((target("avx2"))) float dot_avx2(const float* a, const float* b, std::size_t count) {
  Eight sum0 = {};
  Eight sum1 = {};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    sum0 += *reinterpret_cast<const Eight*>(a + i) * *reinterpret_cast<const Eight*>(b + i);
    sum1 += *reinterpret_cast<const Eight*>(a + i + 8) * *reinterpret_cast<const Eight*>(b + i + 8);
  }
  float lanes[kLanes];
  std::memcpy(lanes, &sum0, sizeof(sum0));
  std::memcpy(lanes + 8, &sum1, sizeof(sum1));
  return finish(lanes, a, b, i, count);
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

}  // namespace moa
