// Rewriting a piece character by character.
#pragma once

#include <string>
#include <utility>

#include "base/utf8.hpp"
#include "text/piece.hpp"

namespace moa {

// Calls `emit(text, c)` for every character, which appends what takes its place to `text`, or nothing.
template <typename Emit>
void rewrite_characters(Piece& piece, Emit emit) {
  std::string text;
  text.reserve(piece.text.size());
  std::size_t front = 0;
  for (std::size_t at = 0; at < piece.text.size();) {
    const bool is_front = at < piece.front;
    emit(text, next_code_point(piece.text, at));
    if (is_front) front = text.size();
  }
  piece = {std::move(text), front};
}

// Drops every character for which `drop` holds.
template <typename Drop>
void drop_characters(Piece& piece, Drop drop) {
  rewrite_characters(piece, [&](std::string& text, char32_t c) {
    if (!drop(c)) append_utf8(text, c);
  });
}

}  // namespace moa
