#include "text/tokenizer.hpp"

#include <algorithm>
#include <utility>

#include <moa/error.hpp>
#include "base/utf8.hpp"
#include "text/tokenizer_parts.hpp"

namespace moa {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;
// Above this a model_max_length is the reference's way to say that there is none (it writes 1e30).
constexpr double kLongestRealLimit = 1e9;

Config parse_config(const std::string& json, const char* name) {
  return json.empty() ? Config() : Config::parse(json, name);
}

Piece whole(std::string_view text) {
  std::size_t front = 0;
  if (!text.empty()) next_code_point(text, front);
  return {std::string(text), front};
}

std::vector<std::int32_t> content_ids(const Tokenizer::Parts& parts, std::string_view text) {
  std::vector<std::int32_t> ids;
  const auto append = [&](Segment& segment) {
    if (segment.id) return ids.push_back(*segment.id);
    const PieceSink model = [&](Piece& piece) { parts.model->tokenize(piece.text, ids); };
    if (!parts.pre_tokenizer) return model(segment.piece);
    parts.pre_tokenizer->split(segment.piece, model);
  };
  for (Segment& raw : parts.added_tokens->split_raw(whole(text))) {
    if (raw.id) {
      append(raw);
      continue;
    }
    if (parts.normalizer) parts.normalizer->apply(raw.piece);
    for (Segment& segment : parts.added_tokens->split_normalized(std::move(raw.piece))) append(segment);
  }
  return ids;
}

void truncate(std::vector<std::int32_t>& ids, std::size_t length, bool left) {
  if (ids.size() <= length) return;
  if (left) {
    ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(length));
  } else {
    ids.resize(length);
  }
}

void check_text(std::string_view utf8) {
  if (utf8.size() > kMaxTextBytes) {
    throw Error(ErrorCode::limit_exceeded, "cannot tokenize a text of " + std::to_string(utf8.size()) +
                                               " bytes: the limit is " + std::to_string(kMaxTextBytes));
  }
  if (!is_utf8(utf8)) throw Error(ErrorCode::corrupt_data, "cannot tokenize a text that is not UTF-8");
}

// The most tokens that a result may have, `added` ones of the template among them; 0: any number.
std::size_t checked_limit(const Tokenizer::Parts& parts, std::size_t max_length, std::size_t added) {
  const std::size_t limit = max_length > 0 ? max_length : parts.max_length;
  if (limit > 0 && limit < added) {
    throw Error(ErrorCode::invalid_argument, "cannot tokenize into " + std::to_string(limit) +
                                                 " tokens: the template alone adds " + std::to_string(added));
  }
  return limit;
}

// How many tokens of each text of a pair stay, `most` together: the shorter one stays whole if it leaves the
// longer one as much as it has itself. (The reference's "longest first".)
std::pair<std::size_t, std::size_t> shares(std::size_t first, std::size_t second, std::size_t most) {
  const std::size_t shorter = std::min(first, second);
  std::size_t kept_shorter = shorter;
  std::size_t kept_longer = shorter > most ? shorter : std::max(shorter, most - shorter);
  if (kept_shorter + kept_longer > most) {
    kept_shorter = most / 2;
    kept_longer = kept_shorter + most % 2;
  }
  return first > second ? std::pair(kept_longer, kept_shorter) : std::pair(kept_shorter, kept_longer);
}

TokenizerDescription describe(const Tokenizer::Parts& parts) {
  TokenizerDescription description;
  description.model = parts.model->name();
  description.vocabulary_size = parts.model->vocabulary().ids();
  description.max_length = parts.max_length;
  for (const auto& [id, token] : parts.added_tokens->tokens()) {
    description.vocabulary_size = std::max(description.vocabulary_size, static_cast<std::size_t>(id) + 1);
    if (token.special) description.special_tokens.emplace_back(token.content, id);
  }
  return description;
}

std::optional<std::int32_t> id_in(const Tokenizer::Parts& parts, std::string_view token) {
  const auto added = parts.added_tokens->id_of(token);
  return added ? added : parts.model->vocabulary().id_of(token);
}

// SigLIP 2 learned from lower-cased texts, but its tokenizer.json does not lower: Siglip2Tokenizer does it in
// code, and repositories that name Gemma's class instead ask for it by do_lower_case.
bool lowers_in_code(const Config& config) {
  const std::string type = config.string("tokenizer_class", "");
  return type.starts_with("Siglip2Tokenizer") ||
         (type.starts_with("GemmaTokenizer") && config.boolean("do_lower_case", false));
}

}  // namespace

TokenizerConfig TokenizerConfig::parse(const TokenizerFiles& files) {
  return {parse_config(files.tokenizer_config_json, "tokenizer_config.json"),
          parse_config(files.special_tokens_map_json, "special_tokens_map.json"),
          parse_config(files.added_tokens_json, "added_tokens.json")};
}

AddedToken TokenizerConfig::special_token(const std::string& role) const {
  AddedToken token;
  token.special = true;
  token.normalized = false;
  for (const Config* file : {&config, &special_map}) {
    if (file->is_string(role)) {
      token.content = file->string(role, "");
      return token;
    }
    if (!file->is_object(role)) continue;
    const Config entry = file->object(role);
    token.content = entry.string("content", "");
    token.single_word = entry.boolean("single_word", false);
    token.lstrip = entry.boolean("lstrip", false);
    token.rstrip = entry.boolean("rstrip", false);
    token.normalized = entry.boolean("normalized", false);
    return token;
  }
  return token;
}

Tokenizer Tokenizer::load(const TokenizerFiles& files) {
  const TokenizerConfig config = TokenizerConfig::parse(files);
  const bool has_json = !files.tokenizer_json.empty() && !asks_sentencepiece(files, config);
  const auto parts = has_json ? parts_from_tokenizer_json(files.tokenizer_json, config)
                              : parts_from_vocabulary_files(files, config);
  if (files.lowercases || lowers_in_code(config.config)) {
    parts->normalizer = lowercase_before(std::move(parts->normalizer));
  }
  const double limit = config.config.number("model_max_length", 0);
  if (limit >= 1 && limit <= kLongestRealLimit) parts->max_length = static_cast<std::size_t>(limit);
  parts->cleans_up_spaces = config.config.boolean("clean_up_tokenization_spaces", false);
  if (const std::string pad = config.special_token("pad_token").content; !pad.empty()) {
    if (const auto id = id_in(*parts, pad)) parts->padding.id = id;
  }
  if (config.config.has("padding_side")) {
    parts->padding.left = config.config.string("padding_side", "right") == "left";
  }
  if (config.config.has("truncation_side")) {
    parts->truncates_left = config.config.string("truncation_side", "right") == "left";
  }
  parts->description = describe(*parts);
  return Tokenizer(parts);
}

Tokenized Tokenizer::tokenize(std::string_view utf8, std::size_t max_length) const {
  check_text(utf8);
  const std::size_t added = parts_->post_processor.added_tokens();
  const std::size_t limit = checked_limit(*parts_, max_length, added);
  std::vector<std::int32_t> content = content_ids(*parts_, utf8);
  Tokenized result;
  result.full_length = content.size() + added;
  result.truncated = limit > 0 && result.full_length > limit;
  if (result.truncated) truncate(content, limit - added, parts_->truncates_left);
  result.ids.reserve(content.size() + added);
  result.type_ids.reserve(content.size() + added);
  parts_->post_processor.apply(content, result.ids, result.type_ids);
  return result;
}

std::vector<std::int32_t> Tokenizer::tokenize_bare(std::string_view utf8) const {
  check_text(utf8);
  return content_ids(*parts_, utf8);
}

std::size_t Tokenizer::tokens_before_text() const {
  constexpr std::int32_t kMark = -1;  // no token's id
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;
  parts_->post_processor.apply(std::vector<std::int32_t>{kMark}, ids, types);
  return static_cast<std::size_t>(std::ranges::find(ids, kMark) - ids.begin());
}

Tokenized Tokenizer::tokenize_pair(std::string_view first, std::string_view second,
                                   std::size_t max_length) const {
  if (!parts_->post_processor.takes_pairs()) {
    throw Error(ErrorCode::unsupported, "cannot tokenize a pair: the tokenizer has no template for pairs");
  }
  check_text(first);
  check_text(second);
  const std::size_t added = parts_->post_processor.tokens_added_to_pair();
  const std::size_t limit = checked_limit(*parts_, max_length, added);
  std::vector<std::int32_t> first_ids = content_ids(*parts_, first);
  std::vector<std::int32_t> second_ids = content_ids(*parts_, second);
  Tokenized result;
  result.full_length = first_ids.size() + second_ids.size() + added;
  result.truncated = limit > 0 && result.full_length > limit;
  if (result.truncated) {
    const auto [first_length, second_length] = shares(first_ids.size(), second_ids.size(), limit - added);
    truncate(first_ids, first_length, parts_->truncates_left);
    truncate(second_ids, second_length, parts_->truncates_left);
  }
  parts_->post_processor.apply_to_pair(first_ids, second_ids, result.ids, result.type_ids);
  return result;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool keep_special) const {
  std::vector<std::string> tokens;
  for (const std::int32_t id : ids) {
    const AddedToken* added = parts_->added_tokens->find(id);
    if (added != nullptr) {
      if (keep_special || !added->special) tokens.emplace_back(parts_->added_tokens->decoded(id));
    } else if (parts_->model->vocabulary().contains(id)) {
      tokens.emplace_back(parts_->model->vocabulary().token_of(id));
    }
  }
  if (parts_->decoder) parts_->decoder->apply(tokens);
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !parts_->decoder) text.push_back(' ');
    text += tokens[i];
  }
  if (!parts_->word_end.empty()) text = spaces_for(std::move(text), parts_->word_end);
  return parts_->cleans_up_spaces ? clean_up_spaces(std::move(text)) : text;
}

std::size_t Tokenizer::vocabulary_size() const {
  return parts_->description.vocabulary_size;
}

std::optional<std::int32_t> Tokenizer::id_of(std::string_view token) const {
  return id_in(*parts_, token);
}

std::string Tokenizer::token_of(std::int32_t id) const {
  const AddedToken* added = parts_->added_tokens->find(id);
  return added != nullptr ? added->content : std::string(parts_->model->vocabulary().token_of(id));
}

const Padding& Tokenizer::padding() const {
  return parts_->padding;
}

const TokenizerDescription& Tokenizer::description() const {
  return parts_->description;
}

}  // namespace moa
