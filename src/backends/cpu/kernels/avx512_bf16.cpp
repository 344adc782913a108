// AVX-512 with BF16 and VNNI: vectors of sixteen floats, 32 bf16 or 64 int8. Compiled with what avx512.cpp is
// and -mavx512bf16, -mavx512vnni; called only where the processor has all of it.
#include "backends/cpu/kernels/table.hpp"
#include "backends/cpu/kernels/vector16_dot.hpp"

namespace moa::cpu {
namespace {

constexpr Kernels kTable = table_of<Vector16>("avx512_bf16", narrow_products<Vector16, Bf16Dot16>(),
                                              narrow_products<Vector16, Int8Dot16>());

}  // namespace

const Kernels& avx512_bf16_kernels() {
  return kTable;
}

}  // namespace moa::cpu
