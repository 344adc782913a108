// The BERT text tower: learned positions, transformer blocks with their norms behind (post-LN).
// Devlin et al. 2019 (arXiv 1810.04805). Reference: transformers BertModel, without its pooler.
#pragma once

#include <cstdint>
#include <vector>

#include "base/config.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct BertConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::gelu, 1e-12};
  std::int64_t vocabulary = 30522;
  std::int64_t context_tokens = 512;
  std::int64_t token_types = 2;

  // By the names and defaults of transformers' BertConfig. Errors: out_of_range, unsupported.
  static BertConfig read(const Config& config);
};

// x = norm1(x + attention(x));  x = norm2(x + mlp(x))
struct PostNormBlock {
  SelfAttention attention;
  LayerNorm norm1;
  Linear mlp_in;
  Linear mlp_out;
  LayerNorm norm2;
  Activation activation = Activation::gelu;

  Rows forward(Ops& ops, Rows x) const;
};

struct Bert {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter position_embedding;  // [context, width]
  Parameter type_embedding;      // [token types, width]
  LayerNorm embedding_norm;
  std::vector<PostNormBlock> blocks;

  // One row a token: the hidden states after the last block.
  Rows forward(Ops& ops, const Tokens& tokens) const;
};

// `scope` is where "embeddings." and "encoder." begin.
Bert take_bert(const WeightScope& scope, const BertConfig& config);

}  // namespace moa
