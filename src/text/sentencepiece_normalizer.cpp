#include "text/sentencepiece_normalizer.hpp"

#include "base/utf8.hpp"
#include "text/piece.hpp"

namespace moa {

void UserPieces::add(std::string_view piece, std::int32_t id) {
  pieces_.add(piece, id);
  lengths_.add(piece);
}

std::size_t UserPieces::longest_at(std::string_view text) const {
  const std::size_t most = lengths_.longest_at(text);
  std::size_t longest = 0;
  std::uint64_t hash = Vocabulary::kHashSeed;
  for (std::size_t length = 1; length <= most; ++length) {
    hash = Vocabulary::extend_hash(hash, text[length - 1]);
    if (pieces_.find(text.substr(0, length), hash) >= 0) longest = length;
  }
  return longest;
}

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceFile& file)
    : space_(file.escapes_whitespace ? "▁" : " "),
      adds_prefix_(file.adds_dummy_prefix && !file.treats_whitespace_as_suffix),
      adds_suffix_(file.adds_dummy_prefix && file.treats_whitespace_as_suffix),
      removes_extra_(file.removes_extra_whitespace) {
  if (!file.charsmap.empty()) map_ = PrecompiledCharsmap::from_bytes(file.charsmap);
  for (std::size_t id = 0; id < file.pieces.size(); ++id) {
    const SentencePiece& piece = file.pieces[id];
    if (piece.type == SentencePiece::Type::user_defined) {
      user_pieces_.add(piece.text, static_cast<std::int32_t>(id));
    }
  }
}

SentencePieceNormalizer::Step SentencePieceNormalizer::next(std::string_view text) const {
  if (const std::size_t bytes = user_pieces_.longest_at(text)) return {bytes, text.substr(0, bytes)};
  if (map_) {
    if (const auto match = map_->find_longest(text)) return {match->bytes, match->replacement};
  }
  std::size_t bytes = 0;
  next_code_point(text, bytes);
  return {bytes, text.substr(0, bytes)};
}

std::string SentencePieceNormalizer::normalize(std::string_view text) const {
  while (removes_extra_ && !text.empty()) {
    const Step step = next(text);
    if (step.result != " ") break;
    text.remove_prefix(step.bytes);
  }
  std::string result;
  if (text.empty()) return result;
  result.reserve(text.size() + text.size() / 4);
  if (adds_prefix_) result += space_;
  bool follows_space = removes_extra_;
  while (!text.empty()) {
    check_normalized_size(result.size());
    const Step step = next(text);
    std::string_view added = step.result;
    while (follows_space && added.starts_with(' ')) added.remove_prefix(1);
    for (const char byte : added) {
      if (byte == ' ') {
        result += space_;
      } else {
        result += byte;
      }
    }
    if (!added.empty()) follows_space = added.ends_with(' ');
    if (!removes_extra_) follows_space = false;
    text.remove_prefix(step.bytes);
  }
  while (removes_extra_ && result.ends_with(space_)) result.resize(result.size() - space_.size());
  if (adds_suffix_) result += space_;
  return result;
}

}  // namespace moa
