// What travels through the steps of a tokenizer: stretches of a text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace moa {

// Metaspace's scheme "first" asks whether a piece begins where the whole text began, so every step keeps
// track of what has become of the text's first character.
struct Piece {
  std::string text;
  std::size_t front = 0;  // how many bytes of `text` came from it; 0 in pieces from farther back

  bool starts_text() const { return front > 0; }
};

// A stretch [begin, end) of bytes, and whether a pattern matched it.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_match = false;
};

// Spans that follow one another without gap.
using Spans = std::vector<Span>;

}  // namespace moa
