// Records of fields as text: CSV and TSV by RFC 4180.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moa::train {

// Where a text is from: its file, and the line of it that the text begins with.
struct TextOrigin {
  std::string_view file;
  std::uint64_t first_line = 1;
};

// How its records are separated into fields.
struct FieldRules {
  char separator = ',';
  // A field may stand in double quotes, in which separators and line ends are text and "" is one quote; a
  // quote inside a bare field is text. Without, a quote is text everywhere, and a record is a line.
  bool has_quotes = true;
};

// Reads the record that begins at `text[at]` into `fields` and moves `at` behind its line end (LF, CR LF or
// the end of `text`). `at` must be below text.size(). Errors: corrupt_data (a quote that is not closed, or
// text behind a closed one), limit_exceeded (a field above 1 MiB, more than 4096 fields).
void read_record(std::string_view text, std::size_t& at, const FieldRules& rules, const TextOrigin& origin,
                 std::vector<std::string>& fields);

// "FILE, line 7" for the byte at `at`.
std::string place_in(std::string_view text, std::size_t at, const TextOrigin& origin);

}  // namespace moa::train
