// Vectors of sixteen floats, for the levels that have them. Unnamed on purpose: each level's own (lanes.hpp).
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace moa::cpu {
namespace {  // NOLINT(google-build-namespaces)

struct Vector16 {
  using Floats = float __attribute__((vector_size(64)));
  using Ints = std::int32_t __attribute__((vector_size(64)));
  using Shorts = std::int16_t __attribute__((vector_size(64)));
  using Bytes = std::int8_t __attribute__((vector_size(16)));
  static constexpr int kWidth = 16;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 4;

  static Floats splat(float x) { return _mm512_set1_ps(x); }
  // Not _mm512_max_ps, of whose definition GCC 12 says that it reads what is not initialised.
  static Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
  static Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats add_pairs(Floats a, Floats b, Floats sums) {
    const __m512i products = _mm512_madd_epi16(_mm512_castps_si512(a), _mm512_castps_si512(b));
    // Spelt out: GCC 12 moves sums between registers when they are floats here and integers there.
    asm("vpaddd %1, %0, %0" : "+v"(sums) : "v"(products));
    return sums;
  }
  static Floats interleave_low(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  static Floats interleave_high(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
};

}  // namespace
}  // namespace moa::cpu
