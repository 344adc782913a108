// The table of one level's kernels.
#pragma once

#include "backends/cpu/kernels/attention.hpp"
#include "backends/cpu/kernels/depthwise.hpp"
#include "backends/cpu/kernels/dot.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/narrow.hpp"
#include "backends/cpu/kernels/pack.hpp"
#include "backends/cpu/kernels/product.hpp"
#include "backends/cpu/kernels/rows.hpp"

namespace moa::cpu {

// Where a panel's part fits the first-level cache (two vectors of eight columns: 32 KiB), it is best read by
// few rows after another (measured on Zen 3: 4 to 6 % more, and what is summed up stays in the second-level
// cache).
template <class V>
constexpr std::int64_t kTaskRows =
    kPanelColumns<V>* kDepthBlock <= 8192 ? kMostTilesOfFewRows* V::kTileRows : 0;

template <class V>
constexpr Products f32_products() {
  return {
      .panel_columns = kPanelColumns<V>,
      .tile_rows = V::kTileRows,
      .task_rows = kTaskRows<V>,
      .elements_per_word = 1,
      .row_parts = 1,
      .depth_step = 1,
      .zero_point = 0,
      .pack = pack<V, kPanelColumns<V>>,
      .product = product<V, F32Dot<V>>,
      .narrow = nullptr,
  };
}

template <class V, class Dot>
constexpr Products narrow_products() {
  return {
      .panel_columns = kPanelColumns<V>,
      .tile_rows = V::kTileRows,
      .elements_per_word = Dot::kElements,
      .row_parts = Dot::kParts,
      .depth_step = Dot::kTogether,
      .zero_point = Dot::kZeroPoint,
      .pack = pack<V, kPanelColumns<V>>,
      .product = product<V, Dot>,
      .narrow = narrow<V, Dot, Dot::kTogether>,
  };
}

template <class V>
constexpr Kernels table_of(const char* level, const Products& bf16, const Products& int8) {
  return {
      .level = level,
      .f32 = f32_products<V>(),
      .bf16 = bf16,
      .int8 = int8,
      .to_bf16 = to_bf16<V>,
      .to_int8 = to_int8<V>,
      .is_finite = is_finite<V>,
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

template <class V>
constexpr Kernels widening_table_of(const char* level) {
  return table_of<V>(level, narrow_products<V, WidenedBf16Dot<V>>(), narrow_products<V, WidenedInt8Dot<V>>());
}

}  // namespace moa::cpu
