// Records of fields as text: CSV and TSV by RFC 4180.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moa::train {

// Reads the record that begins at `text[at]` into `fields` and moves `at` behind its line end (LF, CR LF or
// the end of `text`). A field may stand in double quotes, in which separators and line ends are text and ""
// is one quote; a quote inside a bare field is text. `at` must be below text.size(). Errors: corrupt_data (a
// quote that is not closed, or text behind a closed one), limit_exceeded (a field above 1 MiB, more than 4096
// fields); `where` names the file.
void read_record(std::string_view text, std::size_t& at, char separator, const std::string& where,
                 std::vector<std::string>& fields);

// "FILE, line 7" for the byte at `at`.
std::string place_in(std::string_view text, std::size_t at, const std::string& where);

}  // namespace moa::train
