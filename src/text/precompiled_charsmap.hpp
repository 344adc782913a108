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

  // Grapheme by grapheme: one shorter than 6 bytes is looked up whole, any other (and on a miss) its
  // characters one by one; what is not found stays.
  std::string normalize(std::string_view text) const;

 private:
  // The replacement of the shortest prefix of `text` that the trie holds.
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace moa
