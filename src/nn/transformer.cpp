#include "nn/transformer.hpp"

#include <utility>
#include <vector>

namespace moa {

Rows SelfAttention::attend(Ops& ops, const Rows& x, Mask mask) const {
  const Rows projected = ops.linear(x, qkv);
  const Rows q = ops.columns(projected, 0, width);
  const Rows k = ops.columns(projected, width, width);
  const Rows v = ops.columns(projected, 2 * width, width);
  return ops.attention(q, k, v, {.heads = heads, .mask = mask});
}

Rows TransformerBlock::forward(Ops& ops, const Rows& x, Mask mask) const {
  return forward(ops, x, mask, [](const Rows& all) { return all; });
}

Rows TransformerBlock::forward(Ops& ops, const Rows& x, Mask mask, const RowChoice& choose) const {
  const Rows attended = choose(attention.attend(ops, ops.layer_norm(x, norm1), mask));
  const Rows before = choose(x);
  const Rows y = ops.linear(attended, attention.out, {.residual = &before});
  const Rows hidden = ops.linear(ops.layer_norm(y, norm2), mlp_in, {.activation = activation});
  return ops.linear(hidden, mlp_out, {.residual = &y});
}

Linear take_linear(const WeightScope& scope, std::int64_t out, std::int64_t in) {
  return {scope.take("weight", {out, in}), scope.take("bias", {out})};
}

LayerNorm take_layer_norm(const WeightScope& scope, std::int64_t width, double eps) {
  return {scope.take("weight", {width}), scope.take("bias", {width}), eps};
}

Linear stacked(const std::vector<Linear>& layers) {
  std::vector<Parameter> weights;
  std::vector<Parameter> biases;
  for (const Linear& layer : layers) {
    weights.push_back(layer.weight);
    biases.push_back(layer.bias);
  }
  return {Parameter::stacked(std::move(weights)), Parameter::stacked(std::move(biases))};
}

}  // namespace moa
