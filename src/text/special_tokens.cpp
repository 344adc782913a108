#include "text/special_tokens.hpp"

#include <charconv>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <moa/error.hpp>

namespace moa {

namespace {

// Tokens by id, as files list them.
using Listed = std::map<std::int64_t, AddedToken>;

Listed of_decoder(const Config& listed) {
  Listed by_id;
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
  return by_id;
}

Listed of_added_tokens(const Config& added, const std::vector<AddedToken>& with_role) {
  std::set<std::string_view> special;
  for (const AddedToken& token : with_role) special.insert(token.content);
  Listed by_id;
  for (const std::string& content : added.keys()) {
    AddedToken token;
    token.content = content;
    token.special = special.contains(content);
    token.normalized = !token.special;
    by_id[added.integer(content, 0, 0, kMaxTokenId)] = std::move(token);
  }
  return by_id;
}

// The names in a list of tokens, which may be objects with a "content".
std::vector<std::string> contents_of(const Config& config, const std::string& key) {
  try {
    return config.strings(key, {});
  } catch (const Error&) {
    std::vector<std::string> contents;
    for (const Config& entry : config.objects(key)) contents.push_back(entry.string("content", ""));
    return contents;
  }
}

// Special tokens without a role.
std::vector<AddedToken> further_tokens(const TokenizerConfig& config) {
  std::vector<AddedToken> tokens;
  for (const Config* file : {&config.config, &config.special_map}) {
    for (const char* key : {"extra_special_tokens", "additional_special_tokens"}) {
      if (!file->is_array(key)) continue;
      for (std::string& content : contents_of(*file, key)) {
        AddedToken token;
        token.content = std::move(content);
        token.special = true;
        token.normalized = false;
        tokens.push_back(std::move(token));
      }
    }
  }
  return tokens;
}

}  // namespace

std::vector<AddedToken> special_tokens(const TokenizerConfig& config,
                                       const std::vector<std::pair<std::string, std::string>>& roles) {
  std::vector<AddedToken> with_role;
  for (const auto& [role, fallback] : roles) {
    AddedToken token = config.special_token(role);
    if (token.content.empty()) token.content = fallback;
    if (!token.content.empty()) with_role.push_back(std::move(token));
  }
  for (AddedToken& token : further_tokens(config)) with_role.push_back(std::move(token));
  constexpr std::string_view kDecoder = "added_tokens_decoder";
  const Listed listed = config.config.has(kDecoder) ? of_decoder(config.config.object(kDecoder))
                                                    : of_added_tokens(config.added, with_role);
  // In the order in which ids are given to those that the vocabulary lacks.
  std::vector<AddedToken> tokens;
  std::set<std::string_view> known;
  for (const auto& [id, token] : listed) {
    known.insert(token.content);
    tokens.push_back(token);
  }
  for (const AddedToken& token : with_role) {
    if (known.insert(token.content).second) tokens.push_back(token);
  }
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
