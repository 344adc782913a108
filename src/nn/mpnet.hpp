// MPNet's names for the parts of a BERT without token types, with RoBERTa's positions and, in all blocks,
// relative ones. Song et al. 2020 (arXiv 2004.09297). Reference: transformers MPNetModel.
#pragma once

#include "nn/bert.hpp"

namespace moa {

// By the names and defaults of MPNetConfig. Errors: out_of_range, unsupported, shape_mismatch.
BertConfig read_mpnet(const Config& config);
// `scope` is where "embeddings." and "encoder." begin.
Bert take_mpnet(const WeightScope& scope, const BertConfig& config);

}  // namespace moa
