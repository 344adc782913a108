#include "nn/bert.hpp"

#include <string>

#include <moa/error.hpp>

namespace moa {

Rows PostNormBlock::forward(Ops& ops, const Rows& x, const RelativeBias* bias) const {
  return forward(ops, x, bias, [](const Rows& all) { return all; });
}

Rows PostNormBlock::forward(Ops& ops, const Rows& x, const RelativeBias* bias,
                            const RowChoice& choose) const {
  const Rows attended = choose(attention.attend(ops, x, Mask::none, bias));
  const Rows before = choose(x);
  const Rows y = ops.layer_norm(ops.linear(attended, attention.out, {.residual = &before}), norm1);
  const Rows hidden = ops.linear(y, mlp_in, {.activation = activation});
  return ops.layer_norm(ops.linear(hidden, mlp_out, {.residual = &y}), norm2);
}

Rows Bert::embed(Ops& ops, const Tokens& tokens) const {
  Rows x = ops.embedding(tokens, TokenField::id, token_embedding);
  if (type_embedding) x = ops.add(x, ops.embedding(tokens, TokenField::type, type_embedding));
  x = position_pad ? ops.add_positions_after(x, tokens, position_embedding, *position_pad)
                   : ops.add_positions(x, position_embedding);
  return ops.layer_norm(x, embedding_norm);
}

Rows Bert::forward(Ops& ops, const Tokens& tokens) const {
  return forward(ops, tokens, [](const Rows& all) { return all; });
}

Rows Bert::forward(Ops& ops, const Tokens& tokens, const RowChoice& choose) const {
  const RelativeBias* bias = relative_bias.table ? &relative_bias : nullptr;
  Rows x = embed(ops, tokens);
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) x = blocks[i].forward(ops, x, bias);
  return blocks.back().forward(ops, x, bias, choose);  // a configuration has at least one layer
}

namespace {

void refuse_unless(bool supported, const Config& config, const std::string& key, const std::string& found,
                   const std::string& expected) {
  if (supported) return;
  throw Error(ErrorCode::unsupported,
              config.where() + ": '" + key + "': found " + found + ", expected " + expected);
}

}  // namespace

BertConfig BertConfig::read(const Config& config, const BertConfig& defaults) {
  BertConfig bert = defaults;
  bert.transformer = read_sizes(config, defaults.transformer);
  const std::string positions = config.string("position_embedding_type", "absolute");
  refuse_unless(positions == "absolute", config, "position_embedding_type", "'" + positions + "'",
                "'absolute'");
  refuse_unless(!config.boolean("is_decoder", false), config, "is_decoder", "true", "false");
  bert.vocabulary = config.integer("vocab_size", bert.vocabulary, 1, 1 << 24);
  bert.token_types = config.integer("type_vocab_size", bert.token_types, 1, 1024);
  if (bert.position_pad) {
    const std::int64_t pad = config.integer("pad_token_id", *bert.position_pad, 0, 65536);
    bert.position_pad = static_cast<std::int32_t>(pad);
  }
  const std::int64_t reserved = bert.positions() - bert.context_tokens;
  bert.context_tokens =
      config.integer("max_position_embeddings", defaults.positions(), reserved + 2, 65536) - reserved;
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
  bert.position_embedding = embeddings.take("position_embeddings.weight", {config.positions(), width});
  bert.type_embedding = embeddings.take("token_type_embeddings.weight", {config.token_types, width});
  bert.position_pad = config.position_pad;
  bert.embedding_norm = take_layer_norm(embeddings.at("LayerNorm"), width, config.transformer.norm_eps);
  for (std::int64_t i = 0; i < config.transformer.layers; ++i) {
    bert.blocks.push_back(take_block(scope.at("encoder").at("layer", i), config.transformer));
  }
  return bert;
}

}  // namespace moa
