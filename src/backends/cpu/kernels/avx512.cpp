// Vectors of sixteen floats. Compiled with -mavx512f, -bw, -vl, -dq and -mfma; called only where the
// processor has them.
#include "backends/cpu/kernels/table.hpp"
#include "backends/cpu/kernels/vector16.hpp"

namespace moa::cpu {
namespace {

constexpr Kernels kTable = widening_table_of<Vector16>("avx512");

}  // namespace

const Kernels& avx512_kernels() {
  return kTable;
}

}  // namespace moa::cpu
