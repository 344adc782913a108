// From the dialect of Oniguruma, in which tokenizer.json writes its patterns, to that of PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace moa {

// The PCRE2 pattern that matches what `pattern` matches in Oniguruma (Ruby syntax, Unicode 16). What differs:
// \s \w \d \h \b and \p{...} get the reference's characters (PCRE2 10.42 has Unicode 14, its \s and \h other
// members); ^ and $ match at every line; (?m) means PCRE2's (?s); {,n} means {0,n}; classes nest and
// intersect ([a&&[^b]]).
// Known to differ: U+1171E in \p{Mn} and \p{Mc}, a few old characters in \p{Alphabetic}; case-insensitive
// matches of one character with two (ss, ß). The result wants PCRE2_UTF | PCRE2_MULTILINE and no PCRE2_UCP.
// Errors: unsupported, naming it, for a construct that is not translated; corrupt_data if the pattern is
// malformed (PCRE2 finds the rest); limit_exceeded if it is longer than 64 KiB or its classes nest deeper
// than 16.
std::string rewrite_for_pcre2(std::string_view pattern);

// `text` as a pattern that matches exactly it.
std::string escape_for_pcre2(std::string_view text);

}  // namespace moa
