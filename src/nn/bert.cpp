#include "nn/bert.hpp"

#include <string>

#include <moa/error.hpp>

#include "nn/activation.hpp"

namespace moa {

Rows PostNormBlock::forward(Ops& ops, Rows x) const {
  x = ops.layer_norm(ops.linear(attention.attend(ops, x, Mask::none), attention.out, {.residual = &x}),
                     norm1);
  const Rows hidden = ops.linear(x, mlp_in, {.activation = activation});
  return ops.layer_norm(ops.linear(hidden, mlp_out, {.residual = &x}), norm2);
}

Rows Bert::forward(Ops& ops, const Tokens& tokens) const {
  Rows x = ops.embedding(tokens, TokenField::id, token_embedding);
  x = ops.add(x, ops.embedding(tokens, TokenField::type, type_embedding));
  x = ops.add_positions(x, position_embedding);
  x = ops.layer_norm(x, embedding_norm);
  for (const PostNormBlock& block : blocks) x = block.forward(ops, x);
  return x;
}

BertConfig BertConfig::read(const Config& config) {
  BertConfig bert;
  TransformerSizes& sizes = bert.transformer;
  sizes.layers = config.integer("num_hidden_layers", sizes.layers, 1, 1024);
  sizes.width = config.integer("hidden_size", sizes.width, 1, 65536);
  sizes.heads = config.integer("num_attention_heads", sizes.heads, 1, 4096);
  sizes.mlp_width = config.integer("intermediate_size", sizes.mlp_width, 1, 1 << 20);
  sizes.activation = activation_named(config.string("hidden_act", "gelu"), config.where());
  sizes.norm_eps = config.number("layer_norm_eps", sizes.norm_eps);
  if (sizes.width % sizes.heads != 0) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": " + std::to_string(sizes.heads) +
                                               " heads do not divide the width " +
                                               std::to_string(sizes.width));
  }
  bert.vocabulary = config.integer("vocab_size", bert.vocabulary, 1, 1 << 24);
  bert.context_tokens = config.integer("max_position_embeddings", bert.context_tokens, 2, 65536);
  bert.token_types = config.integer("type_vocab_size", bert.token_types, 1, 1024);
  return bert;
}

namespace {

PostNormBlock take_block(const WeightScope& layer, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope attention = layer.at("attention");
  const WeightScope self = attention.at("self");
  PostNormBlock block;
  block.attention.qkv =
      stacked({take_linear(self.at("query"), width, width), take_linear(self.at("key"), width, width),
               take_linear(self.at("value"), width, width)});
  block.attention.out = take_linear(attention.at("output").at("dense"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm1 = take_layer_norm(attention.at("output").at("LayerNorm"), width, sizes.norm_eps);
  block.mlp_in = take_linear(layer.at("intermediate").at("dense"), sizes.mlp_width, width);
  block.mlp_out = take_linear(layer.at("output").at("dense"), width, sizes.mlp_width);
  block.norm2 = take_layer_norm(layer.at("output").at("LayerNorm"), width, sizes.norm_eps);
  block.activation = sizes.activation;
  return block;
}

}  // namespace

Bert take_bert(const WeightScope& scope, const BertConfig& config) {
  const std::int64_t width = config.transformer.width;
  const WeightScope embeddings = scope.at("embeddings");
  Bert bert;
  bert.token_embedding = embeddings.take("word_embeddings.weight", {config.vocabulary, width});
  bert.position_embedding = embeddings.take("position_embeddings.weight", {config.context_tokens, width});
  bert.type_embedding = embeddings.take("token_type_embeddings.weight", {config.token_types, width});
  bert.embedding_norm = take_layer_norm(embeddings.at("LayerNorm"), width, config.transformer.norm_eps);
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    bert.blocks.push_back(take_block(scope.at("encoder").at("layer", i), config.transformer));
  }
  return bert;
}

}  // namespace moa
