// SentencePiece's precompiled character map: a double-array trie from strings to their normal forms.
// Layout: u32 little-endian size of the trie in bytes; the trie, u32 units as Darts-clone packs them; the
// replacements, each ended by NUL. Reference: the crate spm_precompiled 0.1.4 and the way tokenizers walks a
// text with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

class PrecompiledCharsmap {
 public:
  // Error: corrupt_data if `base64` is no base64, or the sizes inside contradict it.
  static PrecompiledCharsmap parse(std::string_view base64);
  // As `parse`, of the bytes themselves.
  static PrecompiledCharsmap from_bytes(std::string_view bytes);

  // What the longest key at the beginning of a text becomes, and how many bytes it takes; a key that would
  // end inside a character is none. This is how SentencePiece itself walks a text, key by key.
  struct Match {
    std::size_t bytes;
    std::string_view replacement;
  };
  std::optional<Match> find_longest(std::string_view text) const;

  // Grapheme by grapheme: one shorter than 6 bytes is looked up whole, any other (and on a miss) its
  // characters one by one; what is not found stays.
  std::string normalize(std::string_view text) const;

 private:
  // The replacement that begins at `begin`; empty for a place that only a damaged map has.
  std::optional<std::string_view> replacement_at(std::size_t begin) const;
  // The replacement of the shortest prefix of `text` that the trie holds.
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace moa
