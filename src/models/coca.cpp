#include "models/coca.hpp"

#include <string>

#include <moa/error.hpp>

#include "models/open_clip_parts.hpp"

namespace moa {

// ---- the network

Rows CocaPooler::forward(Ops& ops, const Rows& x) const {
  const std::int64_t width = q.weight.shape()[0];
  const Rows asking = ops.linear(ops.layer_norm(ops.repeat_rows(x, query), norm_query), q);
  const Rows projected = ops.linear(ops.layer_norm(x, norm_rows), kv);
  const Rows found = ops.attention(asking, ops.columns(projected, 0, width),
                                   ops.columns(projected, width, width), {.heads = heads});
  return ops.linear(found, out);
}

Rows CocaVision::forward(Ops& ops, const Tensor& pixels) const {
  Rows x = trunk.rows(ops, pixels);
  if (contrastive) {
    x = ops.layer_norm(x, post_norm);
    x = contrastive->forward(ops, cascades ? pooler.forward(ops, x) : x);
  } else {
    x = ops.layer_norm(pooler.forward(ops, x), post_norm);
  }
  return ops.linear(x, projection, {.precision = ProductPrecision::f32});
}

namespace {

// What a block does behind attention.
Rows finish(Ops& ops, const TransformerBlock& block, const Rows& before, const Rows& attended) {
  const Rows y = ops.linear(attended, block.attention.out, {.residual = &before});
  const Rows hidden =
      ops.linear(ops.layer_norm(y, block.norm2), block.mlp_in, {.activation = block.activation});
  return ops.linear(hidden, block.mlp_out, {.residual = &y});
}

}  // namespace

Rows CocaText::forward(Ops& ops, const Tokens& tokens) const {
  Rows x = ops.embedding(tokens, TokenField::id, token_embedding);
  x = ops.concatenate(x, ops.repeat_rows(x, class_embedding));
  x = ops.add_positions(x, position_embedding);
  // The class token's row goes its own way beside the rows that it sees; of these it is one only where the
  // text fills the context, which is what the reference's mask comes to.
  Rows summary = ops.last_row(x);
  x = ops.drop_rows_after(x, tokens, padding_id);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const TransformerBlock& block = blocks[i];
    const std::int64_t width = block.attention.width;
    const std::int64_t heads = block.attention.heads;
    const Rows projected = ops.linear(ops.layer_norm(x, block.norm1), block.attention.qkv);
    const Rows k = ops.columns(projected, width, width);
    const Rows v = ops.columns(projected, 2 * width, width);
    const Rows asking = ops.linear(ops.layer_norm(summary, block.norm1), queries[i]);
    summary = finish(ops, block, summary, ops.attention(asking, k, v, {.heads = heads}));
    if (i + 1 == blocks.size()) break;
    const Rows q = ops.columns(projected, 0, width);
    x = finish(ops, block, x, ops.attention(q, k, v, {.heads = heads, .mask = Mask::causal}));
  }
  return ops.linear(ops.layer_norm(summary, final_norm), projection, {.precision = ProductPrecision::f32});
}

// ---- their configuration and their tensors

bool is_coca_vision(const Config& config) {
  return config.is_string("attentional_pool") ||
         (config.is_boolean("attentional_pool") && config.boolean("attentional_pool", false));
}

bool is_coca_text(const Config& config) {
  return config.boolean("embed_cls", false);
}

namespace {

// The layers of torch's MultiheadAttention: one matrix for all three where keys are as wide as queries, else
// one each.
CocaPooler take_pooler(const WeightScope& scope, std::int64_t dim, std::int64_t width, std::int64_t queries,
                       std::int64_t heads) {
  const WeightScope attention = scope.at("attn");
  const Parameter bias = attention.take("in_proj_bias", {3 * dim});
  CocaPooler pooler;
  pooler.query = scope.take("query", {queries, dim});
  pooler.norm_query = take_layer_norm(scope.at("ln_q"), dim, 1e-5);
  pooler.norm_rows = take_layer_norm(scope.at("ln_k"), width, 1e-5);
  if (width == dim) {
    const Parameter all = attention.take("in_proj_weight", {3 * dim, dim});
    pooler.q = {all.rows(0, dim), bias.rows(0, dim)};
    pooler.kv = {all.rows(dim, 3 * dim), bias.rows(dim, 3 * dim)};
  } else {
    pooler.q = {attention.take("q_proj_weight", {dim, dim}), bias.rows(0, dim)};
    pooler.kv = {Parameter::stacked({attention.take("k_proj_weight", {dim, width}),
                                     attention.take("v_proj_weight", {dim, width})}),
                 bias.rows(dim, 3 * dim)};
  }
  pooler.out = take_linear(attention.at("out_proj"), dim, dim);
  pooler.heads = heads;
  return pooler;
}

}  // namespace

CocaVision take_coca_vision(const WeightScope& scope, const Config& config, const ClipVisionConfig& sizes,
                            std::int64_t dim) {
  const std::int64_t width = sizes.transformer.width;
  const std::int64_t queries = config.integer("attn_pooler_queries", 256, 1, 65536);
  const std::int64_t heads = config.integer("attn_pooler_heads", 8, 1, 4096);
  if (dim % heads != 0) {
    throw Error(ErrorCode::shape_mismatch, config.where() +
                                               ": 'attn_pooler_heads': " + std::to_string(heads) +
                                               " heads do not divide the width " + std::to_string(dim));
  }
  expect_string(config, "pool_type", "tok", {"tok"});
  CocaVision vision;
  vision.trunk = take_open_clip_trunk(scope, sizes);
  vision.pooler = take_pooler(scope.at("attn_pool"), dim, width, queries, heads);
  if (config.is_string("attentional_pool")) {
    expect_string(config, "attentional_pool", "", {"parallel", "cascade"});
    if (width != dim) {
      throw Error(ErrorCode::unsupported, config.where() + ": 'attentional_pool': found '" +
                                              config.string("attentional_pool", "") + "' with 'width' " +
                                              std::to_string(width) + ", expected it equal to 'embed_dim' " +
                                              std::to_string(dim));
    }
    vision.contrastive = take_pooler(scope.at("attn_pool_contrastive"), dim, width, 1, heads);
    vision.cascades = config.string("attentional_pool", "") == "cascade";
  } else {
    vision.pooler.query = vision.pooler.query.rows(0, 1);  // the others are for captions
  }
  vision.post_norm = take_layer_norm(scope.at("ln_post"), dim, 1e-5);
  vision.projection = take_open_clip_projection(scope, "proj", dim, dim);
  return vision;
}

CocaText take_coca_text(const WeightScope& scope, const Config& config, const ClipTextConfig& sizes,
                        std::int64_t dim) {
  const std::int64_t width = sizes.transformer.width;
  if (sizes.mask != Mask::causal) {
    throw Error(
        ErrorCode::unsupported,
        config.where() + ": 'no_causal_mask' is not supported with 'embed_cls', whose mask is causal");
  }
  CocaText text;
  text.token_embedding = scope.take("token_embedding.weight", {sizes.vocabulary, width});
  text.class_embedding = scope.take("cls_emb", {width}).reshaped({1, width});
  text.position_embedding = scope.take("positional_embedding", {sizes.context_tokens + 1, width});
  for (std::int64_t i = 0; i < sizes.transformer.layers; ++i) {
    text.blocks.push_back(
        take_open_clip_block(scope.at("transformer").at("resblocks", i), sizes.transformer));
    const Linear& qkv = text.blocks.back().attention.qkv;
    text.queries.push_back({qkv.weight.rows(0, width), qkv.bias.rows(0, width)});
  }
  text.final_norm = take_layer_norm(scope.at("ln_final"), width, sizes.transformer.norm_eps);
  expect_string(config, "proj_type", "linear", {"linear"});
  text.projection = take_open_clip_text_projection(scope, config, width, dim);
  text.padding_id = static_cast<std::int32_t>(config.integer("pad_id", 0, 0, 1 << 24));
  return text;
}

TextTowerFacts coca_text_facts(const ClipTextConfig& sizes, const CocaText& text) {
  return {describe(sizes.transformer) + ", class token", sizes.context_tokens, sizes.vocabulary,
          TextPadding{sizes.context_tokens, text.padding_id}};
}

}  // namespace moa
