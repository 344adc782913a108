#include "text/class_steps.hpp"

#include <algorithm>
#include <initializer_list>

#include "text/built_in_step.hpp"

namespace moa {
namespace {

std::string text_of(bool value) {
  return value ? "true" : "false";
}

bool is_class(const Config& config, std::initializer_list<std::string_view> classes,
              std::initializer_list<std::string_view> keys) {
  const std::string name = tokenizer_class(config);
  if (name.empty()) return std::ranges::any_of(keys, [&](std::string_view key) { return config.has(key); });
  return std::ranges::find(classes, name) != classes.end();
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

std::unique_ptr<PreTokenizer> roberta_pre_tokenizer(const Config& config) {
  return built_in_step<PreTokenizer>(R"({"type": "ByteLevel", "add_prefix_space": )" +
                                     text_of(config.boolean("add_prefix_space", false)) + "}");
}

bool makes_bert_normalizer(const Config& config, const std::string& model) {
  return model == "WordPiece" && is_class(config, {"BertTokenizer", "DistilBertTokenizer", "MPNetTokenizer"},
                                          {"do_lower_case", "strip_accents", "tokenize_chinese_chars"});
}

bool makes_roberta_pre_tokenizer(const Config& config, const std::string& model) {
  return model == "BPE" && is_class(config, {"RobertaTokenizer"}, {});
}

}  // namespace moa
