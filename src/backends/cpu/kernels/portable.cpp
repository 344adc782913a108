// Vectors of four floats, which every 64-bit processor has; multiply and add rounded separately.
#include "backends/cpu/kernels/table.hpp"

namespace moa::cpu {
namespace {

struct Vector4 {
  using Floats = float __attribute__((vector_size(16)));
  using Ints = std::int32_t __attribute__((vector_size(16)));
  using Shorts = std::int16_t __attribute__((vector_size(16)));
  using Bytes = std::int8_t __attribute__((vector_size(4)));
  static constexpr int kWidth = 4;
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 2;

  static Floats splat(float x) { return Floats{x, x, x, x}; }
  static Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
  static Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
  static Floats fma(Floats a, Floats b, Floats c) { return a * b + c; }
  static Floats add_pairs(Floats a, Floats b, Floats sums) {
    const auto left = __builtin_bit_cast(Ints, a);
    const auto right = __builtin_bit_cast(Ints, b);
    const Ints low = ((left << 16) >> 16) * ((right << 16) >> 16);
    const Ints high = (left >> 16) * (right >> 16);
    return __builtin_bit_cast(Floats, low + high + __builtin_bit_cast(Ints, sums));
  }
  static Floats interleave_low(Floats a, Floats b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  static Floats interleave_high(Floats a, Floats b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
};

constexpr Kernels kTable = widening_table_of<Vector4>("portable");

}  // namespace

const Kernels& portable_kernels() {
  return kTable;
}

}  // namespace moa::cpu
