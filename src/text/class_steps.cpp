#include "text/class_steps.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "text/json_node.hpp"

namespace moa {
namespace {

template <typename Step>
std::unique_ptr<Step> make_step(const std::string& json) {
  return Step::make(JsonNode::parse(json, "a built-in step"));
}

std::string text_of(bool value) {
  return value ? "true" : "false";
}

bool is_class(const Config& config, std::initializer_list<std::string_view> classes,
              std::initializer_list<std::string_view> keys) {
  std::string name = config.string("tokenizer_class", "");
  if (name.empty()) return std::ranges::any_of(keys, [&](std::string_view key) { return config.has(key); });
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.resize(name.size() - kFast.size());
  return std::ranges::find(classes, name) != classes.end();
}

}  // namespace

std::unique_ptr<Normalizer> bert_normalizer(const Config& config) {
  const bool lowercase = config.boolean("do_lower_case", true);
  return make_step<Normalizer>(R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": )" +
                               text_of(config.boolean("tokenize_chinese_chars", true)) +
                               R"(, "lowercase": )" + text_of(lowercase) + R"(, "strip_accents": )" +
                               text_of(config.boolean("strip_accents", lowercase)) + "}");
}

std::unique_ptr<PreTokenizer> roberta_pre_tokenizer(const Config& config) {
  return make_step<PreTokenizer>(R"({"type": "ByteLevel", "add_prefix_space": )" +
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
