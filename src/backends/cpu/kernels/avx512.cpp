// Vectors of sixteen floats. Compiled with -mavx512f, -bw, -vl, -dq and -mfma; called only where the
// processor has them.
#include <immintrin.h>

#include "backends/cpu/kernels/table.hpp"

namespace moa::cpu {
namespace {

struct Vector16 {
  using Floats = float __attribute__((vector_size(64)));
  using Ints = std::int32_t __attribute__((vector_size(64)));
  static constexpr int kWidth = 16;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 4;

  static Floats splat(float x) { return _mm512_set1_ps(x); }
  static Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats interleave_low(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  static Floats interleave_high(Floats a, Floats b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
};

constexpr Kernels kTable = table_of<Vector16>("avx512");

}  // namespace

const Kernels& avx512_kernels() {
  return kTable;
}

}  // namespace moa::cpu
