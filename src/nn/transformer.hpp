// The transformer block that comes with its norms in front (pre-LN): CLIP, SigLIP, ViT.
// Vaswani et al. 2017 (arXiv 1706.03762); norms in front: Xiong et al. 2020 (arXiv 2002.04745).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

struct TransformerSizes {
  std::int64_t layers = 0;
  std::int64_t width = 0;
  std::int64_t heads = 0;
  std::int64_t mlp_width = 0;
  Activation activation = Activation::gelu;
  double norm_eps = 1e-5;
};

// By the names that transformers gives them (hidden_size, …); what is absent is as in `defaults`. Errors:
// out_of_range, unsupported (an activation), shape_mismatch.
TransformerSizes read_sizes(const Config& config, const TransformerSizes& defaults);
// "12 layers, width 512, 8 heads".
std::string describe(const TransformerSizes& sizes);
// Error: shape_mismatch if heads do not divide the width.
void check_sizes(const TransformerSizes& sizes, std::string_view where);

// softmax(q kᵀ / √head_dim) v over `heads` heads, with projections in and out.
struct SelfAttention {
  Linear qkv = {};  // [3 width, width]: queries, keys, values, one below the other
  Linear out = {};
  std::int64_t width = 0;
  std::int64_t heads = 0;
  ProductPrecision qkv_precision = ProductPrecision::of_run;

  // What the heads found, side by side; `out` is still to be applied.
  Rows attend(Ops& ops, const Rows& x, Mask mask, const RelativeBias* bias = nullptr) const;
};

// Takes rows out of all rows of each item, e.g. the first.
using RowChoice = std::function<Rows(const Rows&)>;

// x += scale1 * attention(norm1(x));  x += scale2 * mlp(norm2(x)), where mlp(x) = mlp_out(activation(mlp_in
// x)), or, with a gate, mlp_out(activation(gate x) * mlp_in x).
struct TransformerBlock {
  LayerNorm norm1;
  SelfAttention attention;
  LayerNorm norm2;
  Linear mlp_in;
  Linear mlp_out;
  Activation activation = Activation::gelu;
  Linear mlp_gate;   // without weight: none. Shazeer 2020 (arXiv 2002.05202)
  Parameter scale1;  // [width]; absent: 1. LayerScale, Touvron et al. 2021 (arXiv 2103.17239)
  Parameter scale2;

  Rows forward(Ops& ops, const Rows& x, Mask mask) const;
  // `choose` of what forward gives, for an operation that takes one row of each item: all that lies behind
  // attention works row by row, so for the other rows it need not be done. A tower's last block.
  Rows forward(Ops& ops, const Rows& x, Mask mask, const RowChoice& choose) const;

 private:
  Rows mlp_hidden(Ops& ops, const Rows& x) const;
};

// Layers by the names that transformers gives them; a block's are those of CLIP and SigLIP.
Linear take_linear(const WeightScope& scope, std::int64_t out, std::int64_t in);      // weight and bias
LayerNorm take_layer_norm(const WeightScope& scope, std::int64_t width, double eps);  // weight and bias
TransformerBlock take_transformer_block(const WeightScope& scope, const TransformerSizes& sizes);
// Linears of one input as one: their weights and biases, which all have or none, stacked in order.
Linear stacked(const std::vector<Linear>& layers);

}  // namespace moa
