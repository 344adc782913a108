// What the words of a product hold and how they are multiplied. A `Dot` has kElements (numbers in a word),
// kParts (words of a row for one of a column) and kScaled (int8), as Products says, and
//
// - ColumnScales, column_scales, scaled: how an int8 product's sums become numbers (Int8Scaled);
// - kZeroPoint: what an int8 row stores for 0;
// - part(words, p): what part p of a row's words is multiplied with, out of a column's words;
// - kTogether: words along the depth that are multiplied at once;
// - add(value, columns, sums): sums + value * columns, lane by lane, kTogether of each;
// - narrow(x, width, words): a row of f32 as words; returns the row's scale.
//
// Here are those that need nothing but V; levels with instructions for it bring their own.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/narrow.hpp"

namespace moa::cpu {

template <class V>
struct F32Dot {
  static constexpr int kElements = 1;
  static constexpr int kParts = 1;
  static constexpr int kTogether = 1;
  static constexpr bool kScaled = false;
  struct ColumnScales {};
  static Floats<V> part(Floats<V> words, int /*only*/) { return words; }
  static Floats<V> add(const Floats<V> (&value)[1], const Floats<V> (&columns)[1], Floats<V> sums) {
    return V::fma(value[0], columns[0], sums);
  }
};

// bf16 without instructions for it: a bf16 is the upper half of an f32. Rows hold rounded f32, two words for
// each pair.
template <class V>
struct WidenedBf16Dot : F32Dot<V> {
  static constexpr int kElements = 2;
  static constexpr int kParts = 2;
  static constexpr int kZeroPoint = 0;
  static Floats<V> part(Floats<V> words, int which) {
    const Ints<V> bits = __builtin_bit_cast(Ints<V>, words);
    const Ints<V> upper = {};
    return __builtin_bit_cast(Floats<V>, which == 0 ? bits << 16 : bits & (upper - 65536));
  }
  static float narrow(const float* x, std::int64_t width, float* words) {
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      store<V>(words + at, __builtin_bit_cast(Floats<V>, rounded_to_bf16<V>(load<V>(x + at, count))));
    });
    return 1;
  }
};

// The end of every int8 product.
template <class V>
struct Int8Scaled {
  static constexpr int kElements = 4;
  static constexpr int kTogether = 1;
  static constexpr bool kScaled = true;
  struct ColumnScales {
    Floats<V> scale;
    Ints<V> correction;
  };
  static ColumnScales column_scales(const Int8Scales& scales, std::int64_t column, std::int64_t count) {
    ColumnScales its{load<V>(scales.column + column, count), {}};
    if (scales.correction != nullptr) {
      __builtin_memcpy(&its.correction, scales.correction + column, sizeof its.correction);
    }
    return its;
  }
  static Floats<V> scaled(Floats<V> sums, const ColumnScales& columns, float row_scale) {
    const Ints<V> exact = __builtin_bit_cast(Ints<V>, sums) - columns.correction;
    return __builtin_convertvector(exact, Floats<V>) * (splat<V>(row_scale) * columns.scale);
  }
};

// int8 by instructions that take their left side unsigned: rows hold q + 128, which adds 128 times the
// column's sum; that is subtracted at the end (Int8Scales::correction).
template <class V>
struct UnsignedInt8Rows : Int8Scaled<V> {
  static constexpr int kParts = 1;
  static constexpr int kZeroPoint = 128;
  static Floats<V> part(Floats<V> words, int /*only*/) { return words; }
  static float narrow(const float* x, std::int64_t width, float* words) {
    const Int8Range range = int8_range<V>(x, width);
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      store_bytes<V>(words + at / 4, to_integers<V>(load<V>(x + at, count), range) + kZeroPoint);
    });
    return range.scale;
  }
};

// int8 without instructions for it: products of pairs of 16-bit integers. Of a word's four numbers, part 0 is
// the first and third, part 1 the second and fourth, widened. Nothing can overflow: 2 * 127² is far below
// 2³¹.
template <class V>
struct WidenedInt8Dot : Int8Scaled<V> {
  static constexpr int kParts = 2;
  static constexpr int kZeroPoint = 0;
  static Floats<V> part(Floats<V> words, int which) {
    const auto bits = __builtin_bit_cast(typename V::Shorts, words);
    return __builtin_bit_cast(Floats<V>, which == 0 ? (bits << 8) >> 8 : bits >> 8);
  }
  static Floats<V> add(const Floats<V> (&value)[1], const Floats<V> (&columns)[1], Floats<V> sums) {
    return V::add_pairs(value[0], columns[0], sums);
  }
  static float narrow(const float* x, std::int64_t width, float* words) {
    const Int8Range range = int8_range<V>(x, width);
    constexpr std::int64_t kBlock = 4 * V::kWidth;
    for (std::int64_t begin = 0; begin < width; begin += kBlock) {
      alignas(64) std::int8_t block[kBlock] = {};
      for_vectors<V>(smaller<V>(kBlock, width - begin), [&](std::int64_t at, std::int64_t count) {
        store_bytes<V>(block + at, to_integers<V>(load<V>(x + begin + at, count), range));
      });
      Floats<V> packed;
      __builtin_memcpy(&packed, block, sizeof packed);
      const Floats<V> even = part(packed, 0);
      const Floats<V> odd = part(packed, 1);
      store<V>(words + begin / 2, V::interleave_low(even, odd));
      store<V>(words + begin / 2 + V::kWidth, V::interleave_high(even, odd));
    }
    return range.scale;
  }
};

}  // namespace moa::cpu
