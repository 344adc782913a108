// The table of one level's kernels.
#pragma once

#include "backends/cpu/kernels/attention.hpp"
#include "backends/cpu/kernels/depthwise.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/pack.hpp"
#include "backends/cpu/kernels/product.hpp"
#include "backends/cpu/kernels/rows.hpp"

namespace moa::cpu {

template <class V>
constexpr Kernels table_of(const char* level) {
  return {
      .level = level,
      .panel_columns = kPanelColumns<V>,
      .tile_rows = V::kTileRows,
      .pack = pack<V>,
      .product = product<V>,
      .attention_scratch = attention_scratch<V>,
      .attention = attention<V>,
      .depthwise = depthwise<V>,
      .layer_norm = layer_norm<V>,
      .activation = activation<V>,
      .add = add<V>,
      .multiply = multiply<V>,
      .softmax = softmax<V>,
      .l2_normalize = l2_normalize<V>,
      .mean = mean<V>,
  };
}

}  // namespace moa::cpu
