// What travels through the steps of a tokenizer: stretches of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <moa/error.hpp>

namespace moa {

// Metaspace's scheme "first" asks whether a piece begins where the whole text began, so every step keeps
// track of what has become of the text's first character.
struct Piece {
  std::string text;
  std::size_t front = 0;  // how many bytes of `text` came from it; 0 in pieces from farther back

  bool starts_text() const { return front > 0; }
};

// What normalisation may make of a text at most: a hostile file can multiply it at every step.
inline constexpr std::size_t kMaxNormalizedBytes = std::size_t{32} << 20;

inline void check_normalized_size(std::size_t bytes) {
  if (bytes > kMaxNormalizedBytes) {
    throw Error(ErrorCode::limit_exceeded, "cannot normalize a text: it grows beyond 32 MiB");
  }
}

// A stretch [begin, end) of bytes, and whether a pattern matched it. Half the size of a pair of size_t: a
// long text has millions of them.
struct Span {
  Span(std::size_t first, std::size_t last, bool matches)
      : begin(static_cast<std::uint32_t>(first)), end(static_cast<std::uint32_t>(last)), is_match(matches) {}

  std::uint32_t begin;
  std::uint32_t end;
  bool is_match;
};

// Spans that follow one another without gap.
using Spans = std::vector<Span>;

}  // namespace moa
