// AMX: products of bf16 and int8 by matrix tiles. Compiled as avx512_bf16.cpp is; the tile instructions are
// spelt out in tiles.hpp. Called only where the processor has them and the kernel lets this process use them.
#include "backends/cpu/kernels/tile_product.hpp"

namespace moa::cpu {
namespace {

constexpr Kernels kTable = tile_table_of<HardwareTiles>("amx");

}  // namespace

const Kernels& amx_kernels() {
  return kTable;
}

}  // namespace moa::cpu
