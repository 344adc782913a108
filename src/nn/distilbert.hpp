// DistilBERT's names for the parts of a BERT without token types.
// Sanh et al. 2019 (arXiv 1910.01108). Reference: transformers DistilBertModel.
#pragma once

#include "nn/bert.hpp"

namespace moa {

// By the names and defaults of DistilBertConfig. Errors: out_of_range, unsupported, shape_mismatch.
BertConfig read_distilbert(const Config& config);
// `scope` is where "embeddings." and "transformer." begin.
Bert take_distilbert(const WeightScope& scope, const BertConfig& config);

}  // namespace moa
