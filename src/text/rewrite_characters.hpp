// Rewriting a piece character by character.
#pragma once

#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "text/piece.hpp"

namespace moa {

// Calls `emit(text, c)` for every character, which appends what takes its place to `text`.
template <typename Emit>
void rewrite_characters(Piece& piece, Emit emit) {
  std::string text;
  text.reserve(piece.text.size());
  for (std::size_t at = 0; at < piece.text.size();) emit(text, next_code_point(piece.text, at));
  piece.text = std::move(text);
}

// Drops every character for which `drop` holds. A piece that loses its first character no longer begins where
// the text began.
template <typename Drop>
void drop_characters(Piece& piece, Drop drop) {
  std::size_t second = 0;
  if (!piece.text.empty() && drop(next_code_point(piece.text, second))) piece.starts_text = false;
  rewrite_characters(piece, [&](std::string& text, char32_t c) {
    if (!drop(c)) append_utf8(text, c);
  });
}

}  // namespace moa
