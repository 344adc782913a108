// What amx.cpp is, with tiles of plain code: for tests.
#include "backends/cpu/kernels/tile_product.hpp"

namespace moa::cpu {
namespace {

constexpr Kernels kTable = tile_table_of<ModelledTiles>("amx_model");

}  // namespace

const Kernels& amx_model_kernels() {
  return kTable;
}

}  // namespace moa::cpu
