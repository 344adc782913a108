#include "nn/mpnet.hpp"

#include <moa/error.hpp>

namespace moa {
namespace {

// The reference computes with so many buckets and no others.
constexpr std::int64_t kBuckets = 32;

}  // namespace

BertConfig read_mpnet(const Config& config) {
  BertConfig defaults;
  defaults.vocabulary = 30527;
  defaults.position_pad = 1;
  defaults.context_tokens = 510;
  BertConfig bert = BertConfig::read(config, defaults);
  bert.token_types = 0;
  const std::int64_t buckets = config.integer("relative_attention_num_buckets", kBuckets, 1, 65536);
  if (buckets != kBuckets || bert.position_pad != 1) {
    throw Error(ErrorCode::unsupported, config.where() + ": found 'relative_attention_num_buckets' " +
                                            std::to_string(buckets) + " and 'pad_token_id' " +
                                            std::to_string(*bert.position_pad) + ", expected 32 and 1");
  }
  return bert;
}

namespace {

PostNormBlock take_block(const WeightScope& layer, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  const WeightScope attention = layer.at("attention").at("attn");
  PostNormBlock block;
  block.attention.qkv =
      stacked({take_linear(attention.at("q"), width, width), take_linear(attention.at("k"), width, width),
               take_linear(attention.at("v"), width, width)});
  block.attention.out = take_linear(attention.at("o"), width, width);
  block.attention.width = width;
  block.attention.heads = sizes.heads;
  block.norm1 = take_layer_norm(layer.at("attention").at("LayerNorm"), width, sizes.norm_eps);
  block.mlp_in = take_linear(layer.at("intermediate").at("dense"), sizes.mlp_width, width);
  block.mlp_out = take_linear(layer.at("output").at("dense"), width, sizes.mlp_width);
  block.norm2 = take_layer_norm(layer.at("output").at("LayerNorm"), width, sizes.norm_eps);
  block.activation = sizes.activation;
  return block;
}

}  // namespace

Bert take_mpnet(const WeightScope& scope, const BertConfig& config) {
  const std::int64_t width = config.transformer.width;
  const WeightScope embeddings = scope.at("embeddings");
  const WeightScope layers = scope.at("encoder");
  Bert bert;
  bert.token_embedding = embeddings.take("word_embeddings.weight", {config.vocabulary, width});
  bert.position_embedding = embeddings.take("position_embeddings.weight", {config.positions(), width});
  bert.position_pad = config.position_pad;
  bert.embedding_norm = take_layer_norm(embeddings.at("LayerNorm"), width, config.transformer.norm_eps);
  bert.relative_bias.table =
      layers.take("relative_attention_bias.weight", {kBuckets, config.transformer.heads});
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    bert.blocks.push_back(take_block(layers.at("layer", i), config.transformer));
  }
  return bert;
}

}  // namespace moa
