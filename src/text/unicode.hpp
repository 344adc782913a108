// Character classes and mappings as the reference's Unicode tables define them. They come from several
// libraries of different ages (Rust's standard library, the regex crate, unicode_categories of Unicode 8,
// unicode-normalization of Unicode 9), so they are not what one ICU says: unicode_tables.cpp is generated
// from the reference itself.
#pragma once

#include <string>
#include <string_view>

namespace moa {

bool is_white_space(char32_t c);        // char::is_whitespace: the property White_Space
bool is_python_space(char32_t c);       // str.isspace and \s of Python: White_Space, and U+001C to U+001F
bool is_numeric(char32_t c);            // char::is_numeric: Nd, Nl, No
bool is_word(char32_t c);               // \w of the regex crate
bool is_punctuation(char32_t c);        // ASCII punctuation, and P* of unicode_categories
bool is_ascii_punctuation(char32_t c);  // string.punctuation of Python
bool is_other(char32_t c);              // Cc, Cf, Co of unicode_categories
bool is_nonspacing_mark(char32_t c);    // Mn of unicode_categories
bool is_combining_mark(char32_t c);     // M* of unicode-normalization

// Appends the lower case of one character, without regard to its neighbours: Σ is always σ.
void append_lower(std::string& text, char32_t c);

// `text` in lower case with regard to neighbours, as Python's str.lower has it: Σ at the end of a word is ς.
std::string lower_in_context(std::string_view text);
// The same in upper case: ß is SS.
std::string upper_in_context(std::string_view text);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// `text` in a normal form of Unicode 9: what came later is left as it is.
std::string normal_form(std::string_view text, NormalForm form);
// `text` in the normal form C of ICU's own Unicode, as Python's unicodedata has it.
std::string composed(std::string_view text);

}  // namespace moa
