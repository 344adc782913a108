// Vectors of eight floats with fused multiply-add. Compiled with -mavx2 -mfma; called only where the
// processor has both.
#include <immintrin.h>

#include "backends/cpu/kernels/table.hpp"

namespace moa::cpu {
namespace {

struct Vector8 {
  using Floats = float __attribute__((vector_size(32)));
  using Ints = std::int32_t __attribute__((vector_size(32)));
  using Shorts = std::int16_t __attribute__((vector_size(32)));
  using Bytes = std::int8_t __attribute__((vector_size(8)));
  static constexpr int kWidth = 8;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 2;

  static Floats splat(float x) { return _mm256_set1_ps(x); }
  static Floats maximum(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static Floats minimum(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static Floats add_pairs(Floats a, Floats b, Floats sums) {
    const __m256i products = _mm256_madd_epi16(_mm256_castps_si256(a), _mm256_castps_si256(b));
    // Spelt out: GCC 12 moves sums between registers when they are floats here and integers there.
    asm("vpaddd %1, %0, %0" : "+x"(sums) : "x"(products));
    return sums;
  }
  static Floats interleave_low(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  }
  static Floats interleave_high(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  }
};

constexpr Kernels kTable = widening_table_of<Vector8>("avx2");

}  // namespace

const Kernels& avx2_kernels() {
  return kTable;
}

}  // namespace moa::cpu
