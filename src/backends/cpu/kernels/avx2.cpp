// Vectors of eight floats with fused multiply-add. Compiled with -mavx2 -mfma; called only where the
// processor has both.
#include <immintrin.h>

#include "backends/cpu/kernels/bound_int8.hpp"
#include "backends/cpu/kernels/table.hpp"

namespace moa::cpu {
namespace {

struct Vector8 {
  using Floats = float __attribute__((vector_size(32)));
  using Ints = std::int32_t __attribute__((vector_size(32)));
  using Bytes = std::int8_t __attribute__((vector_size(8)));
  static constexpr int kWidth = 8;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 2;

  static Floats splat(float x) { return _mm256_set1_ps(x); }
  static Floats maximum(Floats a, Floats b) { return _mm256_max_ps(a, b); }
  static Floats minimum(Floats a, Floats b) { return _mm256_min_ps(a, b); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
  static Floats interleave_low(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  }
  static Floats interleave_high(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  }
  static Floats swap_halves(Floats x) { return __builtin_shufflevector(x, x, 4, 5, 6, 7, 0, 1, 2, 3); }
};

// Sums of two words are added in 16 bits before they are widened, so weights are bound (bound_int8.hpp).
// That costs some precision, and is much faster than widening first.
struct Int8Dot8 : UnsignedInt8Rows<Vector8> {
  static constexpr int kTogether = 2;
  using Words = Floats<Vector8>;
  static Words add(const Words (&value)[kTogether], const Words (&columns)[kTogether], Words sums) {
    const auto products = [&](int k) {
      return _mm256_maddubs_epi16(_mm256_castps_si256(value[k]), _mm256_castps_si256(columns[k]));
    };
    const __m256i narrow = _mm256_add_epi16(products(0), products(1));
    const __m256i words = _mm256_madd_epi16(narrow, _mm256_set1_epi16(1));
    // Spelt out: GCC 12 moves sums between registers when they are floats here and integers there.
    asm("vpaddd %1, %0, %0" : "+x"(sums) : "x"(words));
    return sums;
  }
};

constexpr Products int8_products() {
  Products products = narrow_products<Vector8, Int8Dot8>();
  products.to_bound_int8 = to_bound_int8<Vector8>;
  products.bind_int8 = bind_int8<Vector8>;
  return products;
}

constexpr Kernels kTable =
    table_of<Vector8>("avx2", narrow_products<Vector8, WidenedBf16Dot<Vector8>>(), int8_products());

}  // namespace

const Kernels& avx2_kernels() {
  return kTable;
}

}  // namespace moa::cpu
