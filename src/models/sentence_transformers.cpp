#include "models/sentence_transformers.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "models/text_only.hpp"
#include "nn/bert_text.hpp"

namespace moa {
namespace {

[[noreturn]] void refuse(const Config& config, const std::string& key, const std::string& found,
                         const std::string& expected) {
  throw Error(ErrorCode::unsupported,
              config.where() + ": '" + key + "': found " + found + ", expected " + expected);
}

// One of the list in modules.json, with the files that configure it.
struct Module {
  Config entry;
  std::string kind;    // of its class, e.g. "Pooling"
  std::string folder;  // "1_Pooling/"; empty for the model's directory itself
};

std::vector<Module> modules_of(const Config& config) {
  std::vector<Module> modules;
  for (Config& entry : config.objects("modules")) {
    const std::string type = entry.string("type", "");
    std::string folder = entry.string("path", "");
    if (!folder.empty()) folder += "/";
    modules.push_back({std::move(entry), type.substr(type.rfind('.') + 1), std::move(folder)});
  }
  return modules;
}

// ---- Pooling

struct PoolingMode {
  std::string_view name;        // since sentence-transformers 5.4
  std::string_view older_name;  // a boolean, before
  TextPooling pooling;
};

constexpr std::array kPoolingModes = {
    PoolingMode{"cls", "pooling_mode_cls_token", TextPooling::first},
    PoolingMode{"mean", "pooling_mode_mean_tokens", TextPooling::mean},
    PoolingMode{"max", "pooling_mode_max_tokens", TextPooling::max},
    PoolingMode{"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", TextPooling::sum_by_root},
    PoolingMode{"weightedmean", "pooling_mode_weightedmean_tokens", TextPooling::mean_by_place},
    PoolingMode{"lasttoken", "pooling_mode_lasttoken", TextPooling::last},
};

std::vector<std::string> pooling_names(const Config& config) {
  if (config.is_array("pooling_mode")) return config.strings("pooling_mode", {});
  if (config.has("pooling_mode")) return {config.string("pooling_mode", "")};
  std::vector<std::string> names;
  for (const PoolingMode& mode : kPoolingModes) {
    if (config.boolean(mode.older_name, false)) names.emplace_back(mode.name);
  }
  return names.empty() ? std::vector<std::string>{"mean"} : names;
}

// What configures a module that cannot do without. Error: not_found.
Config config_of(const Module& module, const Config& files) {
  const std::string name = module.folder + "config.json";
  if (files.is_object(name)) return files.object(name);
  throw Error(ErrorCode::not_found, files.where() + ": the module '" + module.kind + "' has no " + name +
                                        "; put the published file there");
}

TextPooling read_pooling(const Config& config) {
  const std::vector<std::string> names = pooling_names(config);
  const auto found = std::ranges::find(kPoolingModes, names.front(), &PoolingMode::name);
  if (names.size() == 1 && found != kPoolingModes.end()) return found->pooling;
  std::string listed;
  for (const std::string& name : names) listed += (listed.empty() ? "'" : " and '") + name + "'";
  refuse(config, "pooling_mode", listed,
         "one of 'cls', 'mean', 'max', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'");
}

// ---- Dense, LayerNorm, Normalize

// By the names of torch's classes.
constexpr std::array<std::pair<std::string_view, Activation>, 6> kActivations = {{
    {"torch.nn.modules.linear.Identity", Activation::none},
    {"torch.nn.modules.activation.Tanh", Activation::tanh},
    {"torch.nn.modules.activation.ReLU", Activation::relu},
    {"torch.nn.modules.activation.GELU", Activation::gelu},
    {"torch.nn.modules.activation.SiLU", Activation::silu},
    {"torch.nn.modules.activation.Sigmoid", Activation::sigmoid},
}};

Activation read_activation(const Config& config) {
  const std::string name = config.string("activation_function", "torch.nn.modules.activation.Tanh");
  std::string known;
  for (const auto& [candidate, activation] : kActivations) {
    if (candidate == name) return activation;
    known += (known.empty() ? "" : ", ") + std::string(candidate);
  }
  refuse(config, "activation_function", "'" + name + "'", "one of " + known);
}

// A module that takes or gives something else than the vector, or does more than its class did at first.
void refuse_more(const Config& config) {
  for (const char* key : {"module_input_name", "module_output_name"}) {
    const std::string name = config.string(key, "sentence_embedding");
    if (name != "sentence_embedding") refuse(config, key, "'" + name + "'", "'sentence_embedding'");
  }
  if (config.boolean("use_residual", false)) refuse(config, "use_residual", "true", "false");
}

Dense take_dense(const Config& config, const WeightScope& scope, std::int64_t width) {
  refuse_more(config);
  const std::int64_t in = config.integer("in_features", width, 1, 65536);
  const std::int64_t out = config.integer("out_features", width, 1, 65536);
  if (in != width) {
    throw Error(ErrorCode::shape_mismatch, config.where() + ": 'in_features': found " + std::to_string(in) +
                                               ", expected " + std::to_string(width) +
                                               " as the module before gives");
  }
  // Read first: GCC 12 destroys the weight twice when what stands behind it in one initialiser throws.
  const Activation activation = read_activation(config);
  Dense dense{{scope.take("linear.weight", {out, in}), {}}, activation};
  if (config.boolean("bias", true)) dense.layer.bias = scope.take("linear.bias", {out});
  return dense;
}

// Adds what `module`, behind the pooling, does to a text's vector.
void add_step(BertText& text, const Module& module, const Config& files, Weights& weights) {
  const WeightScope scope(weights, module.folder);
  const std::int64_t width = width_after(text.steps, text.config.transformer.width);
  if (module.kind == "Dense") {
    text.steps.emplace_back(take_dense(config_of(module, files), scope, width));
  } else if (module.kind == "LayerNorm") {
    text.steps.emplace_back(take_layer_norm(scope.at("norm"), width, 1e-5));
  } else if (module.kind == "Normalize") {
    refuse_more(files.object(module.folder + "config.json"));
    text.steps.emplace_back(UnitLength{1e-12});
  } else if (module.kind != "Dropout") {  // which only training has
    refuse(module.entry, "type", "'" + module.entry.string("type", "") + "'",
           "one of Dense, LayerNorm, Normalize and Dropout behind the pooling");
  }
}

// ---- Transformer

// How the tower is called: the file had other names for other towers once.
Config call_of(const Config& files, const std::string& folder) {
  for (const char* tower : {"bert", "roberta", "distilbert", "camembert", "xlm-roberta"}) {
    const std::string name = folder + "sentence_" + tower + "_config.json";
    if (files.is_object(name)) return files.object(name);
  }
  return files.object(folder + "sentence_bert_config.json");
}

void refuse_other_calls(const Config& call) {
  const std::string task = call.string("transformer_task", "feature-extraction");
  if (task != "feature-extraction")
    refuse(call, "transformer_task", "'" + task + "'", "'feature-extraction'");
  // What would be put in the place of tokenizer_config.json's values.
  for (const char* key : {"tokenizer_args", "tokenizer_kwargs", "processor_kwargs"}) {
    for (const std::string& argument : call.object(key).keys()) {
      if (argument != "use_fast") refuse(call, key, "'" + argument + "'", "it in tokenizer_config.json");
    }
  }
}

// What filled in masked words before the model learned vectors, where it was saved too.
void ignore_language_heads(Weights& weights, const std::string& folder) {
  for (const std::string& name : weights.left_over()) {
    for (const char* head :
         {"cls.", "lm_head.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector."}) {
      if (name.starts_with(folder + head)) weights.ignore(name);
    }
  }
}

TextTowerFacts read_facts(const BertText& text, const Config& call, const Config& pooling) {
  TextTowerFacts facts{text.description, text.config.context_tokens, text.config.vocabulary};
  if (call.has("max_seq_length")) {
    const std::int64_t most = call.integer("max_seq_length", 0, 2, 1 << 24);
    facts.context_tokens = std::min(facts.context_tokens, most);
    facts.limits_texts_alone = true;
  }
  facts.lowercases = call.boolean("do_lower_case", false);
  facts.pools_prompts = pooling.boolean("include_prompt", true);
  return facts;
}

}  // namespace

std::unique_ptr<EmbeddingModel> build_sentence_transformers(const Config& config, Weights& weights) {
  const std::vector<Module> modules = modules_of(config);
  if (modules.size() < 2 || modules[0].kind != "Transformer" || modules[1].kind != "Pooling") {
    refuse(config, "modules",
           modules.empty() ? "none" : "'" + modules[0].entry.string("type", "") + "' first",
           "a Transformer, then a Pooling");
  }
  const Config call = call_of(config, modules[0].folder);
  const Config pooling = config_of(modules[1], config);
  refuse_other_calls(call);
  BertText text = take_bert_text(config.object(modules[0].folder + "config.json"),
                                 WeightScope(weights, modules[0].folder), Pooler::none);
  ignore_language_heads(weights, modules[0].folder);
  text.pooling = read_pooling(pooling);
  for (std::size_t i = 2; i < modules.size(); ++i) add_step(text, modules[i], config, weights);
  const std::int64_t dim = width_after(text.steps, text.config.transformer.width);
  TextTowerFacts facts = read_facts(text, call, pooling);
  return std::make_unique<TextOnly>(
      std::make_unique<TextTowerOf<BertText>>(std::move(text), std::move(facts)), dim);
}

}  // namespace moa
