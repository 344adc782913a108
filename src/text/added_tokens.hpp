// The "added_tokens" of tokenizer.json: tokens that are found in the text before the model sees it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/normalizer.hpp"
#include "text/vocabulary.hpp"

namespace moa {

struct AddedToken {
  std::string content;
  bool single_word = false;  // only where no word character is its neighbour
  bool lstrip = false;       // swallows white space before it
  bool rstrip = false;       // and behind it
  bool normalized = true;    // is looked for, normalised itself, in the normalised text
  bool special = false;      // left out by decode
};

// A stretch of text, or the token that it is.
struct Segment {
  Piece piece;
  std::optional<std::int32_t> id;
};

// Immutable once made, safe from any number of threads.
class AddedTokens {
 public:
  // A token that `vocabulary` knows has its id there; others count on from its size, as in the reference.
  // `normalizer` may be null.
  AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary,
              const Normalizer* normalizer);

  // Cuts a raw or a normalised piece at the tokens that are looked for there.
  std::vector<Segment> split_raw(Piece piece) const { return split(std::move(piece), raw_); }
  std::vector<Segment> split_normalized(Piece piece) const { return split(std::move(piece), normalized_); }

  std::optional<std::int32_t> id_of(std::string_view content) const;
  // Null if `id` is no added token's.
  const AddedToken* find(std::int32_t id) const;
  // What the decoder gets for it: the normalised form.
  std::string_view decoded(std::int32_t id) const;
  const std::map<std::int32_t, AddedToken>& tokens() const { return tokens_; }

 private:
  // A trie over bytes of the contents, for leftmost-longest matches.
  class Matcher {
   public:
    void insert(std::string_view content, std::int32_t id);
    bool empty() const { return nodes_.size() == 1; }
    bool may_start_with(char byte) const { return starts_[static_cast<unsigned char>(byte)]; }
    struct Match {
      std::size_t end;
      std::int32_t id;
    };
    std::optional<Match> longest_at(std::string_view text, std::size_t at) const;

   private:
    std::array<bool, 256> starts_{};                          // first bytes
    std::vector<std::int32_t> nodes_{-1};                     // the id that ends here, or -1
    std::unordered_map<std::uint64_t, std::uint32_t> edges_;  // node << 8 | byte -> node
  };

  std::vector<Segment> split(Piece piece, const Matcher& matcher) const;

  std::map<std::int32_t, AddedToken> tokens_;
  std::map<std::int32_t, std::string> normalized_contents_;
  std::unordered_map<std::string, std::int32_t> ids_;
  Matcher raw_;
  Matcher normalized_;
};

}  // namespace moa
