// f32 numbers in fewer bits.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"

namespace moa::cpu {

// ---- bf16

// Rounded to bf16, to nearest even; the lower 16 bits are 0. Infinity stays, NaN stays NaN.
template <class V>
inline Ints<V> rounded_to_bf16(Floats<V> x) {
  const Ints<V> bits = __builtin_bit_cast(Ints<V>, x);
  const Ints<V> none = {};
  const Ints<V> rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return ((x == x) ? rounded : (bits | 0x400000)) & (none - 65536);
}

template <class V>
void to_bf16(const float* x, std::int64_t width, std::uint16_t* out) {
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    const Ints<V> bits = rounded_to_bf16<V>(load<V>(x + at, count));
    for (std::int64_t i = 0; i < count; ++i)
      out[at + i] = static_cast<std::uint16_t>(static_cast<std::uint32_t>(bits[i]) >> 16);
  });
}

// ---- int8

// How the numbers of a row become integers: q = round(x * factor), x ≈ q * scale.
struct Int8Range {
  float scale;
  float factor;
};

// Symmetric about 0: the largest magnitude becomes 127. The scale of a row that holds NaN or infinity is NaN;
// a row without anything above 2^-100 (whose factor might not be finite) counts as all 0.
template <class V>
inline Int8Range int8_range(const float* x, std::int64_t width) {
  const Ints<V> magnitude = Ints<V>{} + 0x7FFFFFFF;
  Ints<V> most = {};  // magnitudes order as their bits do, infinity and NaN above all numbers
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    const Ints<V> bits = __builtin_bit_cast(Ints<V>, load<V>(x + at, count)) & magnitude;
    most = bits > most ? bits : most;
  });
  const std::int32_t largest = largest_lane<V>(most);
  constexpr std::int32_t kInfinity = 0x7F800000;
  if (largest >= kInfinity) return {__builtin_nanf(""), 0};
  const float absolute = __builtin_bit_cast(float, largest);
  if (absolute < 0x1p-100F) return {0, 0};
  return {absolute / 127.0F, 127.0F / absolute};
}

// To nearest even. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits. NaN and infinity,
// whose factor is 0, become some integer.
template <class V>
inline Ints<V> to_integers(Floats<V> x, const Int8Range& range) {
  const Floats<V> rounder = splat<V>(12582912.0F);
  const Floats<V> shifted = V::fma(x, splat<V>(range.factor), rounder);
  return __builtin_bit_cast(Ints<V>, shifted) - __builtin_bit_cast(Ints<V>, rounder);
}

// The low byte of every lane.
template <class V>
inline void store_bytes(void* to, Ints<V> x) {
  const auto bytes = __builtin_convertvector(x, typename V::Bytes);
  __builtin_memcpy(to, &bytes, sizeof bytes);
}

// Rounds numbers(at, count), a vector of `count` of them from `at` on.
template <class V, class Numbers>
inline void round_to_int8(std::int64_t width, Numbers numbers, const Int8Range& range, std::int8_t* out) {
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    alignas(16) std::int8_t bytes[V::kWidth];
    store_bytes<V>(bytes, to_integers<V>(numbers(at, count), range));
    __builtin_memcpy(out + at, bytes, static_cast<std::size_t>(count));
  });
}

template <class V>
inline auto numbers_at(const float* x) {
  return [x](std::int64_t at, std::int64_t count) { return load<V>(x + at, count); };
}

template <class V>
float to_int8(const float* x, std::int64_t width, std::int8_t* out) {
  const Int8Range range = int8_range<V>(x, width);
  round_to_int8<V>(width, numbers_at<V>(x), range, out);
  return range.scale;
}

template <class V>
bool is_finite(const float* x, std::int64_t count) {
  // 0 * x is 0 for every number and NaN for the rest.
  Floats<V> sum = splat<V>(0.0F);
  for_vectors<V>(
      count, [&](std::int64_t at, std::int64_t some) { sum = sum + splat<V>(0.0F) * load<V>(x + at, some); });
  for (int i = 0; i < V::kWidth; ++i) {
    if (sum[i] != 0) return false;
  }
  return true;
}

// ---- rows of activations

template <class V, class Dot, std::int64_t kDepthStep>
void narrow(ConstMatrix x, std::int64_t rows, std::int64_t width, Matrix out, float* scales) {
  const std::int64_t words =
      round_up<V>((width + Dot::kElements - 1) / Dot::kElements, kDepthStep) * Dot::kParts;
  for (std::int64_t row = 0; row < rows; ++row) {
    float* to = out.data + row * out.stride;
    // The last words, where the row may end before its words do.
    for (std::int64_t i = width * Dot::kParts / Dot::kElements; i < words; ++i) to[i] = 0;
    scales[row] = Dot::narrow(x.data + row * x.stride, width, to);
  }
}

}  // namespace moa::cpu
