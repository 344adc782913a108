// What a reader takes for one character: Unicode's extended grapheme clusters (UAX 29).
#pragma once

#include <cstddef>
#include <string_view>

namespace moa {

// Where the grapheme that begins at `at` ends. `text` must be well-formed, `at` inside it, on a boundary.
// Rule GB9c (Indic conjuncts) is left out: it only lengthens clusters of more than 5 bytes, whose length
// nobody asks.
std::size_t grapheme_end(std::string_view text, std::size_t at);

}  // namespace moa
