// Pooling by attention: a learned row asks all rows of an item, and what it finds is the item.
// Lee et al. 2019, "Set Transformer" (arXiv 1810.00825); as the head of a vision transformer: Zhai et al.
// 2022 (arXiv 2106.04560). Reference: transformers SiglipMultiheadAttentionPoolingHead.
#pragma once

#include <cstdint>

#include "nn/transformer.hpp"

namespace moa {

// y = attention(probe, x, x);  y + mlp(norm(y))
struct AttentionPool {
  Parameter probe;  // [1, width]
  Linear query;
  Linear keys_values;  // [2 width, width]: keys above values
  Linear out;
  LayerNorm norm;
  Linear mlp_in;
  Linear mlp_out;
  Activation activation = Activation::gelu;
  std::int64_t width = 0;
  std::int64_t heads = 0;

  // One row an item.
  Rows forward(Ops& ops, const Rows& x) const;
};

}  // namespace moa
