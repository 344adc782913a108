// What open_clip and OpenAI's CLIP do to a text before they tokenize it.
#pragma once

#include <string>
#include <string_view>

namespace moa {

// All take UTF-8 and give UTF-8; any thread may call them. Error: limit_exceeded, for a text that needs too
// many steps.

// A text with what is broken in it mended, as ftfy 6.3's fix_text does by default (Speer 2019,
// https://ftfy.readthedocs.io), line by line until nothing changes: HTML's references, unless the text has a
// "<"; mojibake; ligatures of Latin letters; full and half width; curly quotes to straight ones; line breaks
// to "\n"; no terminal escapes, no control characters; Unicode's normal form C.
std::string mended(std::string_view utf8);

// mended(), HTML's references twice, one space for white space, none at the ends: "whitespace" of open_clip
// 3.3, which its tokenizers do if nothing else is said.
std::string cleaned(std::string_view utf8);

// cleaned(), then in lower case (Σ at a word's end becomes ς, as in Python), without ASCII punctuation ('_'
// becomes a space), one space between words: "canonicalize" of open_clip 3.3.
std::string canonicalized(std::string_view utf8);

// One space for white space of any length, as Python knows it; none at the ends.
std::string with_single_spaces(std::string_view utf8);

}  // namespace moa
