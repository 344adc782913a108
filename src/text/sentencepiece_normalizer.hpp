// SentencePiece's own way to normalise a text (its normalizer.cc), which is not that of tokenizers: key by
// key through the map, spaces as it goes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/precompiled_charsmap.hpp"
#include "text/prefix_lengths.hpp"
#include "text/sentencepiece_file.hpp"
#include "text/vocabulary.hpp"

namespace moa {

// Pieces that the user defined: they are found in a text before anything else, and never changed.
class UserPieces {
 public:
  void add(std::string_view piece, std::int32_t id);
  // The bytes of the longest one at the beginning of `text`, which is not empty; 0 if there is none.
  std::size_t longest_at(std::string_view text) const;

 private:
  Vocabulary pieces_;
  PrefixLengths lengths_;
};

// Immutable, safe from any number of threads.
class SentencePieceNormalizer {
 public:
  // Error: corrupt_data if the file's map is damaged.
  explicit SentencePieceNormalizer(const SentencePieceFile& file);

  // Error: limit_exceeded if the text grows beyond 32 MiB.
  std::string normalize(std::string_view text) const;
  const UserPieces& user_pieces() const { return user_pieces_; }

 private:
  struct Step {
    std::size_t bytes;  // of the text
    std::string_view result;
  };
  Step next(std::string_view text) const;

  std::optional<PrecompiledCharsmap> map_;
  UserPieces user_pieces_;
  std::string space_;  // how a space is written
  bool adds_prefix_;
  bool adds_suffix_;
  bool removes_extra_;
};

}  // namespace moa
