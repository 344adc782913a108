// Text towers of the BERT family, each by its own configuration and tensor names, and what makes one vector
// of a text's hidden states.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/bert.hpp"
#include "nn/row_steps.hpp"

namespace moa {

// Which of a text's hidden states, or what of all of them, stands for it. sum_by_root and mean_by_place: see
// RowPooling.
enum class TextPooling { first, last, mean, max, sum_by_root, mean_by_place };

// A tower of the family, its pooling, and steps behind it.
struct BertText {
  std::string description;  // "XLM-RoBERTa, 12 layers, width 768, 12 heads"
  BertConfig config;
  Bert bert;
  TextPooling pooling = TextPooling::first;
  std::vector<RowStep> steps;

  // One row a text: the pooled one, and what the steps make of it.
  Rows trunk(Ops& ops, const Tokens& tokens) const;
  Rows head(Ops& ops, const Rows& trunk) const { return apply(ops, trunk, steps); }
  Rows forward(Ops& ops, const Tokens& tokens) const { return head(ops, trunk(ops, tokens)); }
};

enum class Pooler {
  none,        // the hidden states; a pooler in the checkpoint is of no use, and passed over
  first_tanh,  // tanh(dense(first hidden state)), the reference's own, as the tower's pooling and first step
};

// The tower that `config` names by its model_type: bert, roberta, xlm-roberta, camembert, distilbert, mpnet.
// Its tensors begin at `scope`, or behind the prefix there that transformers puts before them when a head was
// saved too ("bert.", "roberta.", …). Errors: unsupported, naming the model types there are, or for a pooler
// that this kind does not have (distilbert); those of BertConfig::read.
BertText take_bert_text(const Config& config, const WeightScope& scope, Pooler pooler);

// Whether `model_type` is one of those.
bool is_bert_text(std::string_view model_type);

// Passes over a pooler at `scope` that the tower had before it learned something else.
void ignore_pooler(const WeightScope& scope);

}  // namespace moa
