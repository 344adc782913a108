// What travels through the steps of a tokenizer: stretches of a text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace moa {

// Metaspace's scheme "first" asks whether a piece begins where the whole text began, so every step keeps
// track.
struct Piece {
  std::string text;
  bool starts_text = false;
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
