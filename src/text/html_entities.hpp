// Character references of HTML: "&amp;", "&#38;", "&#x26;".
#pragma once

#include <string>
#include <string_view>

namespace moa {

// Both take UTF-8 and give UTF-8; any thread may call them.

// Every reference once, as browsers and Python's html.unescape read it: also names that end without a
// semicolon ("&ampx" is "&x"), Windows-1252 numbers ("&#150;"), and U+FFFD for numbers that are no character.
std::string unescape_html(std::string_view text);

// Only references that a semicolon ends, in capitals too ("&EACUTE;"), as ftfy's unescape_html reads them.
std::string unescape_closed_html(std::string_view text);

}  // namespace moa
