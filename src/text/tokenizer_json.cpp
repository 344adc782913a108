#include <set>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>
#include "text/class_steps.hpp"
#include "text/special_tokens.hpp"
#include "text/tokenizer_parts.hpp"

namespace moa {
namespace {

AddedToken parse_added_token(const JsonNode& node) {
  AddedToken token;
  token.content = std::string(node.at("content").string());
  token.single_word = node.boolean_or("single_word", false);
  token.lstrip = node.boolean_or("lstrip", false);
  token.rstrip = node.boolean_or("rstrip", false);
  token.special = node.boolean_or("special", false);
  token.normalized = node.boolean_or("normalized", !token.special);
  return token;
}

const std::vector<std::pair<std::string, std::string>> kRolesWithoutDefaults = {
    {"bos_token", ""}, {"eos_token", ""}, {"unk_token", ""}, {"sep_token", ""},
    {"pad_token", ""}, {"cls_token", ""}, {"mask_token", ""}};

// Those of tokenizer.json, then what the files beside it name beyond them.
std::vector<AddedToken> added_tokens(const JsonNode& root, const TokenizerConfig& config) {
  std::vector<AddedToken> tokens;
  if (const auto list = root.find("added_tokens")) {
    for (const JsonNode& node : list->items()) tokens.push_back(parse_added_token(node));
  }
  std::set<std::string> known;
  for (const AddedToken& token : tokens) known.insert(token.content);
  for (AddedToken& token : special_tokens(config, kRolesWithoutDefaults)) {
    if (!known.contains(token.content)) tokens.push_back(std::move(token));
  }
  return tokens;
}

std::size_t parse_length(const JsonNode& node, std::string_view key) {
  const std::int64_t length = node.at(key).integer();
  if (length < 0) node.fail("'" + std::string(key) + "' is " + std::to_string(length));
  return static_cast<std::size_t>(length);
}

Padding parse_padding(const JsonNode& node) {
  Padding padding;
  const std::int64_t id = node.integer_or("pad_id", 0);
  if (id < 0 || id > kMaxTokenId) {
    throw Error(ErrorCode::out_of_range, node.where() + ".pad_id is " + std::to_string(id));
  }
  padding.id = static_cast<std::int32_t>(id);
  const std::int64_t type_id = node.integer_or("pad_type_id", 0);
  if (type_id < 0 || type_id > kMaxTokenId) node.fail("pad_type_id is " + std::to_string(type_id));
  padding.type_id = static_cast<std::int32_t>(type_id);
  padding.left = node.string_or("direction", "Right") == "Left";
  const auto strategy = node.find("strategy");
  if (strategy && strategy->is_object()) padding.fixed_length = parse_length(*strategy, "Fixed");
  return padding;
}

}  // namespace

std::shared_ptr<Tokenizer::Parts> parts_from_tokenizer_json(const std::string& json,
                                                            const TokenizerConfig& config) {
  const JsonNode root = JsonNode::parse(json, "tokenizer.json");
  auto parts = std::make_shared<Tokenizer::Parts>();
  const JsonNode model = root.at("model");
  parts->model = SubwordModel::make(model);
  if (const auto node = root.find("normalizer")) parts->normalizer = Normalizer::make(*node);
  if (const auto node = root.find("pre_tokenizer")) parts->pre_tokenizer = PreTokenizer::make(*node);
  if (const auto node = root.find("post_processor")) parts->post_processor = PostProcessor::make(*node);
  if (const auto node = root.find("decoder")) {
    parts->decoder = Decoder::make(*node);
    if (node->type() == "ByteLevel") parts->word_end = model.string_or("end_of_word_suffix", "");
  }
  put_steps_of_class(*parts, root, config);
  parts->added_tokens = std::make_unique<AddedTokens>(added_tokens(root, config), parts->model->vocabulary(),
                                                      parts->normalizer.get());
  if (const auto node = root.find("truncation")) {
    parts->max_length = parse_length(*node, "max_length");
    parts->truncates_left = node->string_or("direction", "Right") == "Left";
  }
  if (const auto node = root.find("padding")) parts->padding = parse_padding(*node);
  return parts;
}

}  // namespace moa
