#include "models/open_clip_parts.hpp"

#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {

void refuse_unknown(const Config& config, std::initializer_list<std::string_view> known) {
  for (const std::string& key : config.keys()) {
    bool is_known = false;
    for (const std::string_view name : known) is_known = is_known || name == key;
    if (is_known || !config.has(key)) continue;
    if (config.is_boolean(key) && !config.boolean(key, false)) continue;
    if (config.is_number(key) && config.number(key, 0) == 0) continue;
    throw Error(ErrorCode::unsupported,
                config.where() + ": '" + key + "' is not supported for an open_clip model");
  }
}

void expect_string(const Config& config, const std::string& key, const std::string& fallback,
                   std::initializer_list<std::string_view> allowed) {
  const std::string found = config.string(key, fallback);
  std::string listed;
  for (const std::string_view value : allowed) {
    if (found == value) return;
    listed += (listed.empty() ? "'" : ", '") + std::string(value) + "'";
  }
  throw Error(ErrorCode::unsupported,
              config.where() + ": '" + key + "': found '" + found + "', expected " + listed);
}

namespace {

// nn.GELU's own options; the exact one is the default.
Activation read_open_clip_activation(const Config& config, Activation activation) {
  const Config options = config.object("act_kwargs");
  refuse_unknown(options, {"approximate"});
  if (!options.has("approximate")) return activation;
  if (activation != Activation::gelu) {
    throw Error(ErrorCode::unsupported, config.where() + ": 'act_kwargs' is not supported with quick_gelu");
  }
  expect_string(options, "approximate", "none", {"none", "tanh"});
  return options.string("approximate", "none") == "tanh" ? Activation::gelu_tanh : Activation::gelu;
}

double read_open_clip_eps(const Config& config) {
  const Config options = config.object("norm_kwargs");
  refuse_unknown(options, {"eps"});
  return options.number("eps", 1e-5);
}

}  // namespace

ClipTextConfig read_open_clip_text(const Config& config, Activation activation) {
  refuse_unknown(config,
                 {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio", "pool_type",
                  "hf_tokenizer_name", "tokenizer_kwargs", "proj_bias", "proj_type", "eos_id", "pad_id",
                  "output_tokens", "no_causal_mask", "norm_kwargs", "act_kwargs", "embed_cls"});
  expect_string(config, "pool_type", "argmax", {"argmax", "eos", "first", "last"});
  expect_string(config, "proj_type", "linear", {"linear", "none"});
  ClipTextConfig text;
  text.transformer.layers = config.integer("layers", 12, 1, 1024);
  text.transformer.width = config.integer("width", 512, 1, 65536);
  text.transformer.heads = config.integer("heads", 8, 1, 4096);
  const double mlp_ratio = config.number("mlp_ratio", 4.0);
  text.transformer.mlp_width =
      static_cast<std::int64_t>(static_cast<double>(text.transformer.width) * mlp_ratio);
  text.transformer.activation = read_open_clip_activation(config, activation);
  text.transformer.norm_eps = read_open_clip_eps(config);
  text.vocabulary = config.integer("vocab_size", 49408, 1, 1 << 24);
  text.context_tokens = config.integer("context_length", 77, 2, 65536);
  if (config.boolean("no_causal_mask", false)) text.mask = Mask::none;
  const std::string pool = config.string("pool_type", "argmax");
  text.row = {TextRow::Kind::by_token, {TokenRule::Kind::largest_id, 0}};
  if (pool == "eos") {
    text.row.rule = {TokenRule::Kind::first_of,
                     static_cast<std::int32_t>(config.integer("eos_id", 2, 0, 1 << 24))};
  } else if (pool == "first" || pool == "last") {
    text.row.kind = pool == "first" ? TextRow::Kind::first : TextRow::Kind::last;
  }
  // open_clip's own tokenizer fills up with zeros, transformers' with their own padding token.
  if (!config.has("hf_tokenizer_name")) text.padding_id = 0;
  check_sizes(text.transformer, config.where());
  return text;
}

ClipVisionConfig read_open_clip_vision(const Config& config, Activation activation) {
  refuse_unknown(config, {"image_size", "layers", "width", "head_width", "mlp_ratio", "patch_size",
                          "pool_type", "output_tokens", "patch_dropout", "timm_pool", "timm_proj",
                          "no_ln_pre", "final_ln_after_pool", "pos_embed_type", "norm_kwargs", "act_kwargs",
                          "attentional_pool", "attn_pooler_heads", "attn_pooler_queries"});
  expect_string(config, "pool_type", "tok", {"tok", "avg"});
  // Both are stored: a fixed table is a tensor as well.
  expect_string(config, "pos_embed_type", "learnable", {"learnable", "sin_cos_2d"});
  ClipVisionConfig vision;
  vision.transformer.layers = config.integer("layers", 12, 1, 1024);
  vision.transformer.width = config.integer("width", 768, 1, 65536);
  vision.transformer.heads = vision.transformer.width / config.integer("head_width", 64, 1, 4096);
  const double mlp_ratio = config.number("mlp_ratio", 4.0);
  vision.transformer.mlp_width =
      static_cast<std::int64_t>(static_cast<double>(vision.transformer.width) * mlp_ratio);
  vision.transformer.activation = read_open_clip_activation(config, activation);
  vision.transformer.norm_eps = read_open_clip_eps(config);
  vision.norm_before = !config.boolean("no_ln_pre", false);
  if (config.string("pool_type", "tok") == "avg") {
    vision.pool = config.boolean("final_ln_after_pool", false) ? ClipVisionConfig::Pool::normed_mean
                                                               : ClipVisionConfig::Pool::mean_of_normed;
  }
  vision.image_px = config.integer("image_size", 224, 1, 4096);
  vision.patch_px = config.integer("patch_size", 16, 1, vision.image_px);
  if (vision.transformer.heads < 1) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": 'head_width' is larger than 'width'");
  }
  check_sizes(vision.transformer, config.where());
  return vision;
}

TransformerBlock take_open_clip_block(const WeightScope& block_scope, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  TransformerBlock block;
  block.norm1 = take_layer_norm(block_scope.at("ln_1"), width, sizes.norm_eps);
  block.attention.qkv = {block_scope.take("attn.in_proj_weight", {3 * width, width}),
                         block_scope.take("attn.in_proj_bias", {3 * width})};
  block.attention.out = take_linear(block_scope.at("attn.out_proj"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm2 = take_layer_norm(block_scope.at("ln_2"), width, sizes.norm_eps);
  block.mlp_in = take_linear(block_scope.at("mlp.c_fc"), sizes.mlp_width, width);
  block.mlp_out = take_linear(block_scope.at("mlp.c_proj"), width, sizes.mlp_width);
  block.activation = sizes.activation;
  return block;
}

Linear take_open_clip_projection(const WeightScope& scope, std::string_view name, std::int64_t width,
                                 std::int64_t dim) {
  return {scope.take(name, {width, dim}).transposed(), {}};
}

Linear take_open_clip_text_projection(const WeightScope& scope, const Config& config, std::int64_t width,
                                      std::int64_t dim) {
  if (config.string("proj_type", "linear") != "none") {
    return config.boolean("proj_bias", false)
               ? take_linear(scope.at("text_projection"), dim, width)
               : take_open_clip_projection(scope, "text_projection", width, dim);
  }
  if (width == dim) return {};
  throw Error(ErrorCode::shape_mismatch, config.where() + ": 'width': found " + std::to_string(width) +
                                             ", expected 'embed_dim' " + std::to_string(dim) +
                                             " as 'proj_type' is 'none'");
}

ClipText take_open_clip_text(const WeightScope& scope, const Config& config, const ClipTextConfig& sizes,
                             std::int64_t dim) {
  const std::int64_t width = sizes.transformer.width;
  ClipText text;
  text.token_embedding = scope.take("token_embedding.weight", {sizes.vocabulary, width});
  text.position_embedding = scope.take("positional_embedding", {sizes.context_tokens, width});
  for (std::int64_t i = 0; i < sizes.transformer.layers; ++i) {
    text.blocks.push_back(
        take_open_clip_block(scope.at("transformer").at("resblocks", i), sizes.transformer));
  }
  text.final_norm = take_layer_norm(scope.at("ln_final"), width, sizes.transformer.norm_eps);
  text.projection = take_open_clip_text_projection(scope, config, width, dim);
  text.mask = sizes.mask;
  text.row = sizes.row;
  return text;
}

ClipVision take_open_clip_trunk(const WeightScope& scope, const ClipVisionConfig& sizes) {
  const std::int64_t width = sizes.transformer.width;
  ClipVision vision;
  vision.patch_embedding = {
      scope.take("conv1.weight", {width, sizes.channels, sizes.patch_px, sizes.patch_px}), {}};
  vision.class_embedding = scope.take("class_embedding", {width});
  vision.position_embedding = scope.take("positional_embedding", {sizes.patches() + 1, width});
  if (sizes.norm_before)
    vision.pre_norm = take_layer_norm(scope.at("ln_pre"), width, sizes.transformer.norm_eps);
  for (std::int64_t i = 0; i < sizes.transformer.layers; ++i) {
    vision.blocks.push_back(
        take_open_clip_block(scope.at("transformer").at("resblocks", i), sizes.transformer));
  }
  vision.patch_px = sizes.patch_px;
  vision.pool = sizes.pool;
  return vision;
}

ClipVision take_open_clip_vision(const WeightScope& scope, const ClipVisionConfig& sizes, std::int64_t dim) {
  const std::int64_t width = sizes.transformer.width;
  ClipVision vision = take_open_clip_trunk(scope, sizes);
  vision.post_norm = take_layer_norm(scope.at("ln_post"), width, sizes.transformer.norm_eps);
  vision.projection = take_open_clip_projection(scope, "proj", width, dim);
  return vision;
}

}  // namespace moa
