// The BERT text tower and its kin: learned positions, transformer blocks with their norms behind (post-LN).
// Devlin et al. 2019 (arXiv 1810.04805); RoBERTa: Liu et al. 2019 (arXiv 1907.11692); MPNet: Song et al. 2020
// (arXiv 2004.09297). References: transformers BertModel, RobertaModel, XLMRobertaModel, DistilBertModel,
// MPNetModel, without their poolers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/config.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct BertConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::gelu, 1e-12};
  std::int64_t vocabulary = 30522;
  std::int64_t context_tokens = 512;  // the longest text
  std::int64_t token_types = 2;
  // RoBERTa: positions begin behind that of the padding id (Ops::add_positions_after); absent: with 0.
  std::optional<std::int32_t> position_pad = {};

  // Rows of the position table.
  std::int64_t positions() const { return context_tokens + (position_pad ? *position_pad + 1 : 0); }

  // By the names of transformers' BertConfig; what is absent is as in `defaults`. `max_position_embeddings`
  // are the rows of the position table, of which RoBERTa's texts can use all but pad + 1. Errors:
  // out_of_range, unsupported (relative positions, a decoder), shape_mismatch.
  static BertConfig read(const Config& config, const BertConfig& defaults);
  static BertConfig read(const Config& config) { return read(config, BertConfig()); }
};

// x = norm1(x + attention(x));  x = norm2(x + mlp(x))
struct PostNormBlock {
  // Without a norm in front, attention sees the sum of all that went before, in which a few columns outweigh
  // the rest.
  SelfAttention attention{.qkv_precision = ProductPrecision::bf16};
  LayerNorm norm1;
  Linear mlp_in;
  Linear mlp_out;
  LayerNorm norm2;
  Activation activation = Activation::gelu;

  Rows forward(Ops& ops, const Rows& x, const RelativeBias* bias = nullptr) const;
  // `choose` of what forward gives, as TransformerBlock has it.
  Rows forward(Ops& ops, const Rows& x, const RelativeBias* bias, const RowChoice& choose) const;
};

struct Bert {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter position_embedding;  // [positions, width]
  Parameter type_embedding;      // [token types, width]; absent where there are no types
  LayerNorm embedding_norm;
  std::vector<PostNormBlock> blocks;
  RelativeBias relative_bias;  // of all blocks' attention; without a table if there is none
  std::optional<std::int32_t> position_pad;

  // One row a token: what goes into the first block.
  Rows embed(Ops& ops, const Tokens& tokens) const;
  // One row a token: the hidden states after the last block.
  Rows forward(Ops& ops, const Tokens& tokens) const;
  // `choose` of them, e.g. the first of each text.
  Rows forward(Ops& ops, const Tokens& tokens, const RowChoice& choose) const;
};

// By the names that transformers gives BERT's and RoBERTa's tensors; `scope` is where "embeddings." and
// "encoder." begin.
Bert take_bert(const WeightScope& scope, const BertConfig& config);

}  // namespace moa
