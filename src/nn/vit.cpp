#include "nn/vit.hpp"

#include <array>
#include <string_view>

#include <moa/error.hpp>

#include "nn/activation.hpp"

namespace moa {

// ---- the network

Rows Vit::embed(Ops& ops, const Tensor& pixels) const {
  const std::int64_t before = tokens.shape()[0];
  Tensor patches = ops.convolution(pixels, patch_embedding, {.stride = config.patch_px});
  patches = ops.add_position_grid(patches, {position_embedding, before, config.grid(), config.grid()});
  const Rows x = ops.rows_of(patches);
  return ops.concatenate(ops.add_positions(ops.repeat_rows(x, tokens), position_embedding), x);
}

Rows Vit::forward(Ops& ops, const Tensor& pixels) const {
  Rows x = embed(ops, pixels);
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i].forward(ops, x, Mask::none);
  x = blocks.back().forward(ops, x, Mask::none, [&](const Rows& all) { return ops.first_row(all); });
  return apply(ops, ops.layer_norm(x, final_norm), steps);
}

// ---- configurations and tensors, by the names that transformers gives them

namespace {

VitConfig read_vit(const Config& config, const VitConfig& defaults) {
  VitConfig vit = defaults;
  vit.transformer = read_sizes(config, vit.transformer);
  for (const char* size : {"image_size", "patch_size"}) {
    if (!config.is_array(size)) continue;
    throw Error(ErrorCode::unsupported,
                config.where() + ": '" + size + "': found a list, expected one number: square pictures");
  }
  vit.image_px = config.integer("image_size", vit.image_px, 1, 4096);
  vit.patch_px = config.integer("patch_size", vit.patch_px, 1, vit.image_px);
  vit.channels = config.integer("num_channels", vit.channels, 3, 3);
  return vit;
}

VitConfig read_plain(const Config& config) {
  return read_vit(config, VitConfig());
}

VitConfig read_dinov2(const Config& config) {
  VitConfig defaults;
  defaults.transformer.norm_eps = 1e-6;
  defaults.patch_px = 14;
  defaults.takes_any_size = true;
  VitConfig vit = read_vit(config, defaults);
  const double ratio = config.number("mlp_ratio", 4);
  if (!(ratio > 0 && ratio <= 64)) {
    throw Error(ErrorCode::out_of_range, config.where() + ": 'mlp_ratio': found " + std::to_string(ratio) +
                                             ", expected more than 0 and at most 64");
  }
  vit.transformer.mlp_width = static_cast<std::int64_t>(static_cast<double>(vit.transformer.width) * ratio);
  return vit;
}

Linear take_projection(const WeightScope& scope, std::int64_t width, bool has_bias) {
  Linear layer{scope.take("weight", {width, width}), {}};
  if (has_bias) layer.bias = scope.take("bias", {width});
  return layer;
}

SelfAttention take_attention(const WeightScope& scope, const Config& config, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope inner = scope.at("attention");
  const bool has_bias = config.boolean("qkv_bias", true);
  const std::vector<Linear> qkv = {take_projection(inner.at("query"), width, has_bias),
                                   take_projection(inner.at("key"), width, has_bias),
                                   take_projection(inner.at("value"), width, has_bias)};
  return {stacked(qkv), take_linear(scope.at("output").at("dense"), width, width), width, sizes.heads};
}

TransformerBlock take_block(const WeightScope& layer, const Config& config, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  TransformerBlock block;
  block.norm1 = take_layer_norm(layer.at("layernorm_before"), width, sizes.norm_eps);
  block.attention = take_attention(layer.at("attention"), config, sizes);
  block.norm2 = take_layer_norm(layer.at("layernorm_after"), width, sizes.norm_eps);
  block.mlp_in = take_linear(layer.at("intermediate").at("dense"), sizes.mlp_width, width);
  block.mlp_out = take_linear(layer.at("output").at("dense"), width, sizes.mlp_width);
  block.activation = sizes.activation;
  return block;
}

TransformerBlock take_dinov2_block(const WeightScope& layer, const Config& config,
                                   const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  TransformerBlock block;
  block.norm1 = take_layer_norm(layer.at("norm1"), width, sizes.norm_eps);
  block.attention = take_attention(layer.at("attention"), config, sizes);
  block.scale1 = layer.take("layer_scale1.lambda1", {width});
  block.norm2 = take_layer_norm(layer.at("norm2"), width, sizes.norm_eps);
  block.scale2 = layer.take("layer_scale2.lambda1", {width});
  const WeightScope mlp = layer.at("mlp");
  if (config.boolean("use_swiglu_ffn", false)) {
    const std::int64_t hidden =
        (sizes.mlp_width * 2 / 3 + 7) / 8 * 8;  // as large as the plain one, in eights
    const Linear both = take_linear(mlp.at("weights_in"), 2 * hidden, width);
    block.mlp_gate = {both.weight.rows(0, hidden), both.bias.rows(0, hidden)};
    block.mlp_in = {both.weight.rows(hidden, 2 * hidden), both.bias.rows(hidden, 2 * hidden)};
    block.mlp_out = take_linear(mlp.at("weights_out"), width, hidden);
    block.activation = Activation::silu;
  } else {
    block.mlp_in = take_linear(mlp.at("fc1"), sizes.mlp_width, width);
    block.mlp_out = take_linear(mlp.at("fc2"), width, sizes.mlp_width);
    block.activation = sizes.activation;
  }
  return block;
}

struct Kind {
  std::string_view model_type;
  std::string_view name;
  bool has_distillation_token;
  bool has_pooler;
  VitConfig (*read)(const Config& config);
  TransformerBlock (*take_block)(const WeightScope& layer, const Config& config,
                                 const TransformerSizes& sizes);
};

constexpr std::array kKinds = {
    Kind{"vit", "ViT", false, true, read_plain, take_block},
    Kind{"deit", "DeiT", true, true, read_plain, take_block},
    Kind{"dinov2", "DINOv2", false, false, read_dinov2, take_dinov2_block},
};

const Kind* kind_of(const Config& config) {
  const std::string model_type = config.string("model_type", "");
  for (const Kind& kind : kKinds) {
    if (kind.model_type == model_type) return &kind;
  }
  return nullptr;
}

// The tokens before the patches, one below the other.
Parameter take_tokens(const WeightScope& embeddings, std::int64_t width, bool has_distillation_token) {
  const auto take = [&](std::string_view name) {
    return embeddings.take(name, {1, 1, width}).reshaped({1, width});
  };
  if (!has_distillation_token) return take("cls_token");
  return Parameter::stacked({take("cls_token"), take("distillation_token")});
}

Dense take_pooler(const WeightScope& scope, const Config& config, std::int64_t width) {
  const std::int64_t out = config.integer("pooler_output_size", width, 1, 65536);
  return {take_linear(scope.at("dense"), out, width),
          activation_named(config.string("pooler_act", "tanh"), config.where())};
}

}  // namespace

bool is_vit(const Config& config) {
  return kind_of(config) != nullptr;
}

Vit take_vit(const Config& config, const WeightScope& scope) {
  const Kind* kind = kind_of(config);
  if (kind == nullptr) throw Error(ErrorCode::unsupported, config.where() + ": found no kind of ViT");
  Vit vit;
  vit.config = kind->read(config);
  const TransformerSizes& sizes = vit.config.transformer;
  const std::int64_t width = sizes.width;
  const std::int64_t patch_px = vit.config.patch_px;
  vit.description =
      std::string(kind->name) + ", " + describe(sizes) + ", patches of " + std::to_string(patch_px) + " px";
  const WeightScope embeddings = scope.at("embeddings");
  const WeightScope patches = embeddings.at("patch_embeddings").at("projection");
  vit.patch_embedding = {patches.take("weight", {width, vit.config.channels, patch_px, patch_px}),
                         patches.take("bias", {width})};
  vit.tokens = take_tokens(embeddings, width, kind->has_distillation_token);
  const std::int64_t positions = vit.tokens.shape()[0] + vit.config.grid() * vit.config.grid();
  vit.position_embedding =
      embeddings.take("position_embeddings", {1, positions, width}).reshaped({positions, width});
  // What stood for hidden patches in training.
  embeddings.take_if_present("mask_token", embeddings.shape_of("mask_token"));
  for (std::int64_t i = 0; i < sizes.layers; ++i) {
    vit.blocks.push_back(kind->take_block(scope.at("encoder").at("layer", i), config, sizes));
  }
  vit.final_norm = take_layer_norm(scope.at("layernorm"), width, sizes.norm_eps);
  if (kind->has_pooler) vit.steps.emplace_back(take_pooler(scope.at("pooler"), config, width));
  return vit;
}

}  // namespace moa
