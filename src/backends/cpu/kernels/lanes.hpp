// Vectors of any width: loads, tails, comparisons and sums over lanes. `V` names a level's vectors:
//   V::Floats, V::Ints      kWidth lanes each (GCC and Clang vector extensions)
//   V::Bytes                kWidth lanes of 8 bits
//   V::Shorts               as many bytes as Floats in lanes of 16 bits (where int8 is widened)
//   V::splat(x)             x in every lane
//   V::maximum(a, b)        a > b ? a : b, so that NaN in b stays and in a does not; V::minimum likewise
//   V::fma(a, b, c)         a * b + c: fused where the level has it, the same way everywhere in the level
//   V::add_pairs(a, b, c)   c + a0 b0 + a1 b1, each lane of a and b two 16-bit integers, of c one of 32 bits
//                           (where int8 is widened)
//   V::interleave_low(a, b), V::interleave_high(a, b)
//                           a0 b0 a1 b1 ... of their first halves, of their second halves
//   V::swap_halves(x)       the second half before the first (where weights in int8 are bound)
// Each level defines its V in an unnamed namespace, so that everything instantiated with it stays private to
// that level's object file.
#pragma once

#include <cstdint>
#include <type_traits>

namespace moa::cpu {

template <class V>
using Floats = typename V::Floats;
template <class V>
using Ints = typename V::Ints;

template <class V>
inline Floats<V> splat(float x) {
  return V::splat(x);
}

template <class V>
inline Floats<V> load(const float* from) {
  Floats<V> x;
  __builtin_memcpy(&x, from, sizeof x);
  return x;
}

template <class V>
inline void store(float* to, Floats<V> x) {
  __builtin_memcpy(to, &x, sizeof x);
}

// The first `count` lanes from memory (count <= kWidth); the others are `fill`.
template <class V>
inline Floats<V> load(const float* from, std::int64_t count, float fill = 0) {
  if (count == V::kWidth) return load<V>(from);
  alignas(64) float lanes[V::kWidth];
  for (int i = 0; i < V::kWidth; ++i) lanes[i] = i < count ? from[i] : fill;
  return load<V>(lanes);
}

template <class V>
inline void store(float* to, Floats<V> x, std::int64_t count) {
  if (count == V::kWidth) {
    store<V>(to, x);
    return;
  }
  alignas(64) float lanes[V::kWidth];
  store<V>(lanes, x);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

// Calls piece(first, count) for every vector of [0, size); only the last may have count < kWidth. The count
// of the others is a constant: a long piece that takes `auto count` is compiled for it, and asks no more.
template <class V, class Piece>
inline void for_vectors(std::int64_t size, Piece piece) {
  constexpr std::integral_constant<std::int64_t, V::kWidth> kWhole{};
  std::int64_t first = 0;
  for (; first + V::kWidth <= size; first += V::kWidth) piece(first, kWhole);
  if (first < size) piece(first, size - first);
}

// The sum of all lanes, halving: always in the same order.
template <class V>
inline float sum_lanes(Floats<V> x) {
  alignas(64) float lanes[V::kWidth];
  store<V>(lanes, x);
  for (int half = V::kWidth / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

// The largest lane; NaN is passed over.
template <class V>
inline float largest_lane(Floats<V> x) {
  float largest = x[0];
  for (int i = 1; i < V::kWidth; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

template <class V>
inline std::int32_t largest_lane(Ints<V> x) {
  std::int32_t largest = x[0];
  for (int i = 1; i < V::kWidth; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

template <class V>
constexpr std::int64_t smaller(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}

// The least multiple of `step` that holds `size`.
template <class V>
constexpr std::int64_t round_up(std::int64_t size, std::int64_t step) {
  return (size + step - 1) / step * step;
}

}  // namespace moa::cpu
