// Weights in int8 whose products with bytes fit 16 bits, two words' added up.
//
// vpmaddubsw adds two products of an unsigned and a signed byte in 16 bits and cuts off what does not fit.
// Here the sums of two words are added in 16 bits before they are widened: a lane holds a group of four
// products, the first two numbers of each word or the last two. Both its positive and its negative weights
// may come to 128, since 255 * 128 fits, and a sum of both is between. So it is exact in any order.
#pragma once

#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/narrow.hpp"

namespace moa::cpu {

constexpr float kMostOfGroup = 128;

// The largest sum of what is positive, or of what is negative, in any group of a row.
template <class V, class Numbers>
inline float largest_group(std::int64_t width, Numbers numbers) {
  typedef std::int64_t Pairs __attribute__((vector_size(sizeof(Floats<V>))));
  static_assert(V::kWidth == 8);  // a vector is two words
  const auto sums = [](Floats<V> x) {
    const Pairs second =
        __builtin_bit_cast(Pairs, x) >> 32;  // to where the first is; no sign is lost: x >= 0
    const Floats<V> pairs = x + __builtin_bit_cast(Floats<V>, second);
    return pairs + V::swap_halves(pairs);
  };
  const Floats<V> none = splat<V>(0.0F);
  Floats<V> most = none;
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    const Floats<V> x = numbers(at, count);
    most = V::maximum(sums(V::maximum(x, none)), most);
    most = V::maximum(sums(none - V::minimum(x, none)), most);
  });
  return largest_lane<V>(most);
}

// Rounding adds at most a half to each of a group's four numbers, so they come to 126 before.
inline Int8Range bound_range(float largest_group) {
  if (largest_group < 0x1p-100F) return {0, 0};  // as int8_range has it
  constexpr float kMost = kMostOfGroup - 4 * 0.5F;
  return {largest_group / kMost, kMost / largest_group};
}

// Products::to_bound_int8.
template <class V>
float to_bound_int8(const float* x, std::int64_t width, std::int8_t* out) {
  const Int8Range range = bound_range(largest_group<V>(width, numbers_at<V>(x)));
  round_to_int8<V>(width, numbers_at<V>(x), range, out);
  return range.scale;
}

// Products::bind_int8.
template <class V>
float bind_int8(std::int8_t* row, std::int64_t width, float scale) {
  const auto numbers = [row](std::int64_t at, std::int64_t count) {
    typename V::Bytes bytes = {};
    __builtin_memcpy(&bytes, row + at, static_cast<std::size_t>(count));
    return __builtin_convertvector(bytes, Floats<V>);
  };
  const float largest = largest_group<V>(width, numbers);
  if (largest <= kMostOfGroup) return scale;
  const Int8Range range = bound_range(largest);
  round_to_int8<V>(width, numbers, range, row);
  return scale * range.scale;
}

}  // namespace moa::cpu
