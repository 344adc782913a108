// UTF-8: the only text that moa takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace moa {

// Well-formed by Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

bool is_ascii(std::string_view text) noexcept;

// The code point that starts at `text[at]`, and moves `at` behind it. `text` must be well-formed and `at`
// inside it.
char32_t next_code_point(std::string_view text, std::size_t& at) noexcept;

// Appends `code_point` (not a surrogate, at most U+10FFFF).
void append_utf8(std::string& text, char32_t code_point);

// `bytes` with every maximal ill-formed part replaced by U+FFFD, as browsers do.
std::string replace_ill_formed(std::string_view bytes);

}  // namespace moa
