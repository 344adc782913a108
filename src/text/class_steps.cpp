#include "text/class_steps.hpp"

#include <algorithm>
#include <optional>

#include "text/built_in_step.hpp"
#include "text/special_tokens.hpp"

namespace moa {
namespace {

enum class Kind { other, bert, mpnet, roberta, xlm_roberta };

Kind kind_of(const Config& config, const std::string& model) {
  const std::string name = tokenizer_class(config);
  const auto has = [&](const char* key) { return config.has(key); };
  if (model == "WordPiece") {
    if (name == "BertTokenizer" || name == "DistilBertTokenizer") return Kind::bert;
    if (name == "MPNetTokenizer") return Kind::mpnet;
    if (name.empty() && (has("do_lower_case") || has("strip_accents") || has("tokenize_chinese_chars"))) {
      return Kind::bert;
    }
  }
  if (model == "BPE" && name == "RobertaTokenizer") return Kind::roberta;
  if (model == "Unigram" && name == "XLMRobertaTokenizer") return Kind::xlm_roberta;
  return Kind::other;
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

// The first normalizer of the type at `node` or in its sequences.
std::optional<JsonNode> find_normalizer(const JsonNode& node, std::string_view type) {
  if (node.type() == type) return node;
  if (node.type() != "Sequence") return std::nullopt;
  for (const JsonNode& step : node.at("normalizers").items()) {
    if (step.type() == type) return step;
  }
  return std::nullopt;
}

std::unique_ptr<Normalizer> precompiled_of(const JsonNode& tokenizer_json) {
  const auto normalizer = tokenizer_json.find("normalizer");
  const auto precompiled = normalizer ? find_normalizer(*normalizer, "Precompiled") : std::nullopt;
  return precompiled ? Normalizer::make(*precompiled) : nullptr;
}

PostProcessor template_of(Kind kind, const Tokenizer::Parts& parts, const TokenizerConfig& config) {
  if (kind == Kind::bert) {
    return bert_template(parts, content_of(config, "cls_token", "[CLS]"),
                         content_of(config, "sep_token", "[SEP]"));
  }
  const bool is_xlm = kind == Kind::xlm_roberta;
  return roberta_template(parts, content_of(config, is_xlm ? "bos_token" : "cls_token", "<s>"),
                          content_of(config, is_xlm ? "eos_token" : "sep_token", "</s>"));
}

}  // namespace

std::string tokenizer_class(const Config& config, std::string_view fallback) {
  std::string name = config.string("tokenizer_class", fallback);
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.resize(name.size() - kFast.size());
  return name;
}

std::unique_ptr<Normalizer> bert_normalizer(const Config& config) {
  const bool lowercase = config.boolean("do_lower_case", true);
  return built_in_step<Normalizer>(
      R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": )" +
      text_of(config.boolean("tokenize_chinese_chars", true)) + R"(, "lowercase": )" + text_of(lowercase) +
      R"(, "strip_accents": )" + text_of(config.boolean("strip_accents", lowercase)) + "}");
}

std::unique_ptr<PreTokenizer> byte_level(const Config& config) {
  return built_in_step<PreTokenizer>(R"({"type": "ByteLevel", "add_prefix_space": )" +
                                     text_of(config.boolean("add_prefix_space", false)) + "}");
}

std::unique_ptr<PreTokenizer> words_with_mark() {
  return built_in_step<PreTokenizer>(
      R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
          {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}]})");
}

void put_steps_of_class(Tokenizer::Parts& parts, const JsonNode& tokenizer_json,
                        const TokenizerConfig& config) {
  const Kind kind = kind_of(config.config, parts.model->name());
  switch (kind) {
    case Kind::bert:
    case Kind::mpnet:
      parts.normalizer = bert_normalizer(config.config);
      break;
    case Kind::roberta:
      parts.pre_tokenizer = byte_level(config.config);
      break;
    case Kind::xlm_roberta:
      parts.normalizer = precompiled_of(tokenizer_json);
      parts.pre_tokenizer = words_with_mark();
      break;
    case Kind::other:
      return;
  }
  if (!tokenizer_json.find("post_processor")) parts.post_processor = template_of(kind, parts, config);
}

}  // namespace moa
