#include "text/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include <moa/error.hpp>
#include "base/utf8.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

// Every place of a text may be compared with a token to its end.
constexpr std::size_t kMaxContentBytes = 1024;

// Where the character before `at` begins; `at` > 0.
std::size_t previous_character(std::string_view text, std::size_t at) {
  do --at;
  while ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = previous_character(text, text.size());
  return is_word(next_code_point(text, at));
}

bool starts_with_word(std::string_view text) {
  std::size_t at = 0;
  return !text.empty() && is_word(next_code_point(text, at));
}

// Where the white space that ends at `end` begins, but not before `least`.
std::size_t space_begin(std::string_view text, std::size_t end, std::size_t least) {
  while (end > least) {
    const std::size_t before = previous_character(text, end);
    std::size_t at = before;
    if (!is_white_space(next_code_point(text, at))) break;
    end = before;
  }
  return end;
}

std::size_t space_end(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at < text.size();) {
    if (!is_white_space(next_code_point(text, at))) break;
    begin = at;
  }
  return begin;
}

}  // namespace

void AddedTokens::Matcher::insert(std::string_view content, std::int32_t id) {
  std::uint32_t node = 0;
  starts_[static_cast<unsigned char>(content[0])] = true;
  for (const char byte : content) {
    const std::uint64_t edge = std::uint64_t{node} << 8 | static_cast<unsigned char>(byte);
    const auto [found, is_new] = edges_.try_emplace(edge, static_cast<std::uint32_t>(nodes_.size()));
    if (is_new) nodes_.push_back(-1);
    node = found->second;
  }
  if (nodes_[node] < 0) nodes_[node] = id;
}

std::optional<AddedTokens::Matcher::Match> AddedTokens::Matcher::longest_at(std::string_view text,
                                                                            std::size_t at) const {
  std::optional<Match> longest;
  std::uint32_t node = 0;
  while (at < text.size()) {
    const auto next = edges_.find(std::uint64_t{node} << 8 | static_cast<unsigned char>(text[at]));
    if (next == edges_.end()) break;
    node = next->second;
    ++at;
    if (nodes_[node] >= 0) longest = Match{at, nodes_[node]};
  }
  return longest;
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary,
                         const Normalizer* normalizer) {
  auto next_id = static_cast<std::int32_t>(vocabulary.tokens());
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    if (token.content.size() > kMaxContentBytes) {
      throw Error(ErrorCode::limit_exceeded, "an added token has " + std::to_string(token.content.size()) +
                                                 " bytes, the limit is " + std::to_string(kMaxContentBytes));
    }
    std::optional<std::int32_t> id = id_of(token.content);
    if (!id) id = vocabulary.id_of(token.content);
    if (!id) id = next_id++;
    if (*id > kMaxTokenId) {
      throw Error(ErrorCode::out_of_range, "the added token '" + token.content + "' has the id " +
                                               std::to_string(*id) + ": ids end at " +
                                               std::to_string(kMaxTokenId));
    }
    ids_[token.content] = *id;
    tokens_[*id] = token;
  }
  for (const auto& [id, token] : tokens_) {
    if (!token.normalized) {
      raw_.insert(token.content, id);
      continue;
    }
    Piece piece{token.content};
    if (normalizer != nullptr) normalizer->apply(piece);
    if (!piece.text.empty()) normalized_.insert(piece.text, id);
    if (piece.text != token.content) normalized_contents_[id] = std::move(piece.text);
  }
}

std::optional<std::int32_t> AddedTokens::id_of(std::string_view content) const {
  const auto found = ids_.find(std::string(content));
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

const AddedToken* AddedTokens::find(std::int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::string_view AddedTokens::decoded(std::int32_t id) const {
  const auto found = normalized_contents_.find(id);
  if (found != normalized_contents_.end()) return found->second;
  const AddedToken* token = find(id);
  return token == nullptr ? std::string_view() : token->content;
}

std::vector<Segment> AddedTokens::split(Piece piece, const Matcher& matcher) const {
  std::vector<Segment> segments;
  const std::string_view text = piece.text;
  const auto append = [&](std::size_t begin, std::size_t end, std::optional<std::int32_t> id) {
    if (begin < end) {
      segments.push_back(
          {{std::string(text.substr(begin, end - begin)), piece.front > begin ? piece.front - begin : 0},
           id});
    }
  };
  if (text.empty()) return segments;
  if (matcher.empty()) {
    segments.push_back({std::move(piece), std::nullopt});
    return segments;
  }
  std::size_t covered = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto match = matcher.may_start_with(text[at]) ? matcher.longest_at(text, at) : std::nullopt;
    if (!match) {
      ++at;
      continue;
    }
    std::size_t begin = std::exchange(at, match->end);
    std::size_t end = match->end;
    const AddedToken& token = *find(match->id);
    if (token.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) {
      continue;
    }
    // Spaces that the last token swallowed stay swallowed, even where this token is made of such.
    if (token.lstrip) begin = std::max(space_begin(text, begin, std::min(begin, covered)), covered);
    if (token.rstrip) end = space_end(text, end);
    append(covered, begin, std::nullopt);
    if (begin < end) segments.push_back({{}, match->id});
    covered = end;
  }
  append(covered, text.size(), std::nullopt);
  return segments;
}

}  // namespace moa
