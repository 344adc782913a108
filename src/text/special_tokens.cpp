#include "text/special_tokens.hpp"

#include <charconv>
#include <map>
#include <utility>

#include <moa/error.hpp>

namespace moa {

// The tokens with a role, and those that tokenizer_config.json lists by id.
std::vector<AddedToken> special_tokens(const TokenizerConfig& config,
                                       const std::vector<std::pair<std::string, std::string>>& roles) {
  std::vector<AddedToken> tokens;
  for (const auto& [role, fallback] : roles) {
    AddedToken token = config.special_token(role);
    if (token.content.empty()) token.content = fallback;
    if (token.content.empty()) continue;
    tokens.push_back(std::move(token));
  }
  const Config listed = config.config.object("added_tokens_decoder");
  std::map<std::int64_t, AddedToken> by_id;
  for (const std::string& key : listed.keys()) {
    const Config entry = listed.object(key);
    std::int64_t id = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size()) {
      throw Error(ErrorCode::corrupt_data, listed.where() + ": '" + key + "' is no id");
    }
    AddedToken token;
    token.content = entry.string("content", "");
    token.single_word = entry.boolean("single_word", false);
    token.lstrip = entry.boolean("lstrip", false);
    token.rstrip = entry.boolean("rstrip", false);
    token.special = entry.boolean("special", false);
    token.normalized = entry.boolean("normalized", !token.special);
    by_id[id] = std::move(token);
  }
  for (auto& [id, token] : by_id) tokens.push_back(std::move(token));
  return tokens;
}

std::string content_of(const TokenizerConfig& config, const std::string& role, const std::string& fallback) {
  const AddedToken token = config.special_token(role);
  return token.content.empty() ? fallback : token.content;
}

TemplatePart fixed_part(const Tokenizer::Parts& parts, const std::string& token) {
  const auto id = parts.model->vocabulary().id_of(token);
  if (!id) throw Error(ErrorCode::corrupt_data, "the vocabulary lacks the special token '" + token + "'");
  return {TemplatePart::Source::fixed, {*id}, 0};
}

PostProcessor roberta_template(const Tokenizer::Parts& parts, const std::string& begin,
                               const std::string& end) {
  const TemplatePart before = fixed_part(parts, begin);
  const TemplatePart behind = fixed_part(parts, end);
  const TemplatePart first{TemplatePart::Source::first_text, {}, 0};
  const TemplatePart second{TemplatePart::Source::second_text, {}, 0};
  return {{before, first, behind}, {before, first, behind, behind, second, behind}};
}

PostProcessor bert_template(const Tokenizer::Parts& parts, const std::string& begin, const std::string& end) {
  const TemplatePart before = fixed_part(parts, begin);
  const TemplatePart behind = fixed_part(parts, end);
  TemplatePart last = behind;
  last.type_id = 1;
  const TemplatePart first{TemplatePart::Source::first_text, {}, 0};
  const TemplatePart second{TemplatePart::Source::second_text, {}, 1};
  return {{before, first, behind}, {before, first, behind, second, last}};
}

PostProcessor ending_template(const Tokenizer::Parts& parts, const std::string& end) {
  const TemplatePart behind = fixed_part(parts, end);
  const TemplatePart first{TemplatePart::Source::first_text, {}, 0};
  const TemplatePart second{TemplatePart::Source::second_text, {}, 0};
  return {{first, behind}, {first, behind, second, behind}};
}

}  // namespace moa
