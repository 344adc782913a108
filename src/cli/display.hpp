// Text in a terminal: how wide it stands, how it is cut, and how it is kept from steering the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moa::cli {

// Columns of a terminal that `text` takes: Hangul, Han, Kana and emoji take two, combining marks none. Not
// for text with control characters.
std::size_t display_width(std::string_view utf8);

// `bytes` made safe to show: ill-formed parts and control characters (a file's name may hold them) become
// U+FFFD.
std::string displayable(std::string_view bytes);

// `utf8` in at most `columns` columns; what is too long loses its middle ("…"), or its end.
std::string cut_middle(const std::string& utf8, std::size_t columns);
std::string cut_end(const std::string& utf8, std::size_t columns);

// `utf8` with spaces up to `columns`, behind it or before it.
std::string pad_right(std::string utf8, std::size_t columns);
std::string pad_left(const std::string& utf8, std::size_t columns);

// Columns of the terminal that stdout is; 0 if it is none.
std::size_t terminal_columns();

// Colours, for a stream that is a terminal, unless NO_COLOR is set or TERM is dumb.
struct Paint {
  std::string bold, dim, red, yellow, green, reset;  // empty where nothing may be coloured
  static Paint for_stream(int fd);
};

}  // namespace moa::cli
