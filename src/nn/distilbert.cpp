#include "nn/distilbert.hpp"

#include "nn/activation.hpp"

namespace moa {

BertConfig read_distilbert(const Config& config) {
  BertConfig bert;
  TransformerSizes& sizes = bert.transformer;
  sizes.layers = config.integer("n_layers", 6, 1, 1024);
  sizes.width = config.integer("dim", sizes.width, 1, 65536);
  sizes.heads = config.integer("n_heads", sizes.heads, 1, 4096);
  sizes.mlp_width = config.integer("hidden_dim", sizes.mlp_width, 1, 1 << 20);
  sizes.activation = activation_named(config.string("activation", "gelu"), config.where());
  check_sizes(sizes, config.where());
  bert.vocabulary = config.integer("vocab_size", bert.vocabulary, 1, 1 << 24);
  bert.context_tokens = config.integer("max_position_embeddings", bert.context_tokens, 2, 65536);
  bert.token_types = 0;
  return bert;
}

namespace {

PostNormBlock take_block(const WeightScope& layer, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope attention = layer.at("attention");
  PostNormBlock block;
  block.attention.qkv = stacked({take_linear(attention.at("q_lin"), width, width),
                                 take_linear(attention.at("k_lin"), width, width),
                                 take_linear(attention.at("v_lin"), width, width)});
  block.attention.out = take_linear(attention.at("out_lin"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm1 = take_layer_norm(layer.at("sa_layer_norm"), width, sizes.norm_eps);
  block.mlp_in = take_linear(layer.at("ffn").at("lin1"), sizes.mlp_width, width);
  block.mlp_out = take_linear(layer.at("ffn").at("lin2"), width, sizes.mlp_width);
  block.norm2 = take_layer_norm(layer.at("output_layer_norm"), width, sizes.norm_eps);
  block.activation = sizes.activation;
  return block;
}

}  // namespace

Bert take_distilbert(const WeightScope& scope, const BertConfig& config) {
  const std::int64_t width = config.transformer.width;
  const WeightScope embeddings = scope.at("embeddings");
  Bert bert;
  bert.token_embedding = embeddings.take("word_embeddings.weight", {config.vocabulary, width});
  bert.position_embedding = embeddings.take("position_embeddings.weight", {config.positions(), width});
  bert.embedding_norm = take_layer_norm(embeddings.at("LayerNorm"), width, config.transformer.norm_eps);
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    bert.blocks.push_back(take_block(scope.at("transformer").at("layer", i), config.transformer));
  }
  return bert;
}

}  // namespace moa
