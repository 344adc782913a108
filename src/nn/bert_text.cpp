#include "nn/bert_text.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <moa/error.hpp>

#include "nn/distilbert.hpp"
#include "nn/mpnet.hpp"

namespace moa {

Rows BertText::trunk(Ops& ops, const Tokens& tokens) const {
  switch (pooling) {
    case TextPooling::first:
      return bert.forward(ops, tokens, [&](const Rows& all) { return ops.first_row(all); });
    case TextPooling::last:
      return bert.forward(ops, tokens, [&](const Rows& all) { return ops.last_row(all); });
    case TextPooling::mean:
      return ops.mean_rows(bert.forward(ops, tokens));
    case TextPooling::max:
      return ops.pool_rows(bert.forward(ops, tokens), RowPooling::max);
    case TextPooling::sum_by_root:
      return ops.pool_rows(bert.forward(ops, tokens), RowPooling::sum_by_root);
    case TextPooling::mean_by_place:
      return ops.pool_rows(bert.forward(ops, tokens), RowPooling::mean_by_place);
  }
  throw Error(ErrorCode::internal, "a text's rows are to be pooled in an unknown way");
}

namespace {

BertConfig read_bert(const Config& config) {
  return BertConfig::read(config);
}

BertConfig read_roberta(const Config& config) {
  BertConfig defaults;
  defaults.position_pad = 1;
  defaults.vocabulary = 50265;
  defaults.context_tokens = 510;
  return BertConfig::read(config, defaults);
}

BertConfig read_xlm_roberta(const Config& config) {
  BertConfig defaults;
  defaults.position_pad = 1;
  defaults.context_tokens = 510;
  return BertConfig::read(config, defaults);
}

struct Kind {
  std::string_view model_type;
  std::string_view name;
  std::string_view prefix;  // of its tensors, where a head was saved too
  bool has_pooler;
  BertConfig (*read)(const Config& config);
  Bert (*take)(const WeightScope& scope, const BertConfig& config);
};

constexpr std::array kKinds = {
    Kind{"bert", "BERT", "bert", true, read_bert, take_bert},
    Kind{"roberta", "RoBERTa", "roberta", true, read_roberta, take_bert},
    Kind{"xlm-roberta", "XLM-RoBERTa", "roberta", true, read_xlm_roberta, take_bert},
    Kind{"camembert", "CamemBERT", "roberta", true, read_xlm_roberta, take_bert},
    Kind{"distilbert", "DistilBERT", "distilbert", false, read_distilbert, take_distilbert},
    Kind{"mpnet", "MPNet", "mpnet", true, read_mpnet, take_mpnet},
};

const Kind& kind_of(const Config& config) {
  const std::string model_type = config.string("model_type", "");
  std::string known;
  for (const Kind& kind : kKinds) {
    if (kind.model_type == model_type) return kind;
    known += (known.empty() ? "'" : ", '") + std::string(kind.model_type) + "'";
  }
  throw Error(ErrorCode::unsupported, config.where() + ": 'model_type': found '" + model_type +
                                          "', expected a text tower that is one of " + known);
}

}  // namespace

bool is_bert_text(std::string_view model_type) {
  return std::ranges::find(kKinds, model_type, &Kind::model_type) != kKinds.end();
}

BertText take_bert_text(const Config& config, const WeightScope& scope, Pooler pooler) {
  const Kind& kind = kind_of(config);
  const bool is_prefixed = scope.at(kind.prefix).has("embeddings.word_embeddings.weight");
  const WeightScope tensors = is_prefixed ? scope.at(kind.prefix) : scope;
  BertText tower;
  tower.config = kind.read(config);
  tower.bert = kind.take(tensors, tower.config);
  const TransformerSizes& sizes = tower.config.transformer;
  tower.description = std::string(kind.name) + ", " + describe(sizes);
  if (pooler == Pooler::none) {
    ignore_pooler(tensors);
  } else if (kind.has_pooler) {
    const WeightScope dense = tensors.at("pooler").at("dense");
    tower.steps.emplace_back(Dense{take_linear(dense, sizes.width, sizes.width), Activation::tanh});
  } else {
    throw Error(ErrorCode::unsupported, config.where() + ": 'model_type': found '" +
                                            std::string(kind.model_type) +
                                            "', which has no pooler, expected a text tower that has one");
  }
  return tower;
}

void ignore_pooler(const WeightScope& scope) {
  const WeightScope dense = scope.at("pooler").at("dense");
  dense.ignore("weight");
  dense.ignore("bias");
}

}  // namespace moa
