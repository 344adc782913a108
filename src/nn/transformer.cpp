#include "nn/transformer.hpp"

#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "nn/activation.hpp"

namespace moa {

TransformerSizes read_sizes(const Config& config, const TransformerSizes& defaults) {
  TransformerSizes sizes = defaults;
  sizes.layers = config.integer("num_hidden_layers", sizes.layers, 1, 1024);
  sizes.width = config.integer("hidden_size", sizes.width, 1, 65536);
  sizes.heads = config.integer("num_attention_heads", sizes.heads, 1, 4096);
  sizes.mlp_width = config.integer("intermediate_size", sizes.mlp_width, 1, 1 << 20);
  if (config.has("hidden_act")) {
    sizes.activation = activation_named(config.string("hidden_act", ""), config.where());
  }
  sizes.norm_eps = config.number("layer_norm_eps", sizes.norm_eps);
  check_sizes(sizes, config.where());
  return sizes;
}

std::string describe(const TransformerSizes& sizes) {
  return std::to_string(sizes.layers) + " layers, width " + std::to_string(sizes.width) + ", " +
         std::to_string(sizes.heads) + " heads";
}

void check_sizes(const TransformerSizes& sizes, std::string_view where) {
  if (sizes.width % sizes.heads != 0) {
    throw Error(ErrorCode::shape_mismatch, std::string(where) + ": " + std::to_string(sizes.heads) +
                                               " heads do not divide the width " +
                                               std::to_string(sizes.width));
  }
}

Rows SelfAttention::attend(Ops& ops, const Rows& x, Mask mask, const RelativeBias* bias) const {
  const Rows projected = ops.linear(x, qkv, {.precision = qkv_precision});
  const Rows q = ops.columns(projected, 0, width);
  const Rows k = ops.columns(projected, width, width);
  const Rows v = ops.columns(projected, 2 * width, width);
  return ops.attention(q, k, v, {.heads = heads, .mask = mask, .relative_bias = bias});
}

namespace {

// x + scale * layer(y); an absent scale is 1.
Rows add_scaled(Ops& ops, const Rows& x, const Rows& y, const Linear& layer, const Parameter& scale) {
  if (!scale) return ops.linear(y, layer, {.residual = &x});
  return ops.add(x, ops.multiply_row(ops.linear(y, layer), scale));
}

}  // namespace

Rows TransformerBlock::forward(Ops& ops, const Rows& x, Mask mask) const {
  return forward(ops, x, mask, [](const Rows& all) { return all; });
}

Rows TransformerBlock::forward(Ops& ops, const Rows& x, Mask mask, const RowChoice& choose) const {
  const Rows attended = choose(attention.attend(ops, ops.layer_norm(x, norm1), mask));
  const Rows before = choose(x);
  const Rows y = add_scaled(ops, before, attended, attention.out, scale1);
  return add_scaled(ops, y, mlp_hidden(ops, ops.layer_norm(y, norm2)), mlp_out, scale2);
}

Rows TransformerBlock::mlp_hidden(Ops& ops, const Rows& x) const {
  if (!mlp_gate.weight) return ops.linear(x, mlp_in, {.activation = activation});
  return ops.multiply(ops.linear(x, mlp_gate, {.activation = activation}), ops.linear(x, mlp_in));
}

Linear take_linear(const WeightScope& scope, std::int64_t out, std::int64_t in) {
  return {scope.take("weight", {out, in}), scope.take("bias", {out})};
}

LayerNorm take_layer_norm(const WeightScope& scope, std::int64_t width, double eps) {
  return {scope.take("weight", {width}), scope.take("bias", {width}), eps};
}

TransformerBlock take_transformer_block(const WeightScope& scope, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope attention = scope.at("self_attn");
  TransformerBlock block;
  block.norm1 = take_layer_norm(scope.at("layer_norm1"), width, sizes.norm_eps);
  block.attention.qkv = stacked({take_linear(attention.at("q_proj"), width, width),
                                 take_linear(attention.at("k_proj"), width, width),
                                 take_linear(attention.at("v_proj"), width, width)});
  block.attention.out = take_linear(attention.at("out_proj"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm2 = take_layer_norm(scope.at("layer_norm2"), width, sizes.norm_eps);
  block.mlp_in = take_linear(scope.at("mlp").at("fc1"), sizes.mlp_width, width);
  block.mlp_out = take_linear(scope.at("mlp").at("fc2"), width, sizes.mlp_width);
  block.activation = sizes.activation;
  return block;
}

Linear stacked(const std::vector<Linear>& layers) {
  std::vector<Parameter> weights;
  std::vector<Parameter> biases;
  for (const Linear& layer : layers) {
    weights.push_back(layer.weight);
    if (layer.bias) biases.push_back(layer.bias);
  }
  if (biases.empty()) return {Parameter::stacked(std::move(weights)), {}};
  return {Parameter::stacked(std::move(weights)), Parameter::stacked(std::move(biases))};
}

}  // namespace moa
