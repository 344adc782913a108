#include "models/open_clip_hf_text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "models/open_clip_parts.hpp"

namespace moa {
namespace {

// A published tower: what the config.json under its name on the hub says.
struct KnownTower {
  std::string_view name;  // without the organisation, which some configurations leave out
  std::string_view model_type;
  std::int64_t vocabulary;
  bool is_large;  // BERT's large size instead of its base size
};

constexpr std::array kKnownTowers = {
    KnownTower{"xlm-roberta-base", "xlm-roberta", 250002, false},
    KnownTower{"xlm-roberta-large", "xlm-roberta", 250002, true},
    KnownTower{"roberta-base", "roberta", 50265, false},
    KnownTower{"roberta-large", "roberta", 50265, true},
    KnownTower{"bert-base-uncased", "bert", 30522, false},
    KnownTower{"bert-base-cased", "bert", 28996, false},
    KnownTower{"bert-base-multilingual-cased", "bert", 119547, false},
    KnownTower{"bert-large-uncased", "bert", 30522, true},
};

const KnownTower& tower_named(const Config& text_cfg) {
  const std::string name = text_cfg.string("hf_model_name", "");
  const std::string_view last = std::string_view(name).substr(name.rfind('/') + 1);
  std::string known;
  for (const KnownTower& tower : kKnownTowers) {
    if (tower.name == last) return tower;
    known += (known.empty() ? "'" : ", '") + std::string(tower.name) + "'";
  }
  throw Error(ErrorCode::unsupported,
              text_cfg.where() + ": 'hf_model_name': found '" + name + "', expected one of " + known);
}

// As the reference would read it from the hub. A tower of another number of layers or other widths than the
// published one does not fit the tensors.
Config config_of(const KnownTower& tower) {
  const bool is_bert = tower.model_type == "bert";
  return Config::parse(
      R"({"model_type": ")" + std::string(tower.model_type) + R"(", "vocab_size": )" +
          std::to_string(tower.vocabulary) + R"(, "max_position_embeddings": )" + (is_bert ? "512" : "514") +
          R"(, "type_vocab_size": )" + (is_bert ? "2" : "1") + R"(, "layer_norm_eps": )" +
          (is_bert ? "1e-12" : "1e-5") +
          (tower.is_large ? R"(, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                               "intermediate_size": 4096})"
                          : "}"),
      "config.json of " + std::string(tower.name));
}

// A Linear without bias, by its weight's name.
Dense take_dense(const WeightScope& scope, std::string_view name, std::int64_t out, std::int64_t in,
                 Activation activation) {
  return {{scope.take(name, {out, in}), {}}, activation};
}

void add_projection(BertText& text, const Config& text_cfg, const WeightScope& scope, std::int64_t dim) {
  const std::int64_t width = text.config.transformer.width;
  const std::string kind = text_cfg.string("hf_proj_type", "mlp");
  if (kind == "linear") {
    text.steps.emplace_back(take_dense(scope, "proj.weight", dim, width, Activation::none));
  } else if (kind == "mlp") {
    const std::int64_t hidden = (width + dim) / 2;
    text.steps.emplace_back(take_dense(scope, "proj.0.weight", hidden, width, Activation::gelu));
    text.steps.emplace_back(take_dense(scope, "proj.2.weight", dim, hidden, Activation::none));
  } else if (width != dim) {  // "" or "none": the tower's own vector
    throw Error(ErrorCode::shape_mismatch, text_cfg.where() + ": 'hf_proj_type': found '" + kind +
                                               "' for a tower of width " + std::to_string(width) +
                                               ", expected a projection to " + std::to_string(dim));
  }
}

}  // namespace

BertText take_open_clip_hf_text(const Config& text_cfg, const WeightScope& scope, std::int64_t dim) {
  refuse_unknown(text_cfg, {"hf_model_name", "hf_tokenizer_name", "hf_model_pretrained", "hf_proj_type",
                            "hf_pooler_type", "context_length", "output_tokens",
                            // of a text transformer of open_clip's own, which is not there
                            "vocab_size", "width", "heads", "layers"});
  expect_string(text_cfg, "hf_proj_type", "mlp", {"mlp", "linear", "none", ""});
  // "max_pooler" cannot be run in the reference.
  expect_string(text_cfg, "hf_pooler_type", "mean_pooler",
                {"mean_pooler", "cls_pooler", "cls_last_hidden_state_pooler"});
  const std::string pooling = text_cfg.string("hf_pooler_type", "mean_pooler");
  BertText text = take_bert_text(config_of(tower_named(text_cfg)), scope.at("transformer"),
                                 pooling == "cls_pooler" ? Pooler::first_tanh : Pooler::none);
  if (pooling == "mean_pooler") text.pooling = TextPooling::mean;
  add_projection(text, text_cfg, scope, dim);
  return text;
}

}  // namespace moa
