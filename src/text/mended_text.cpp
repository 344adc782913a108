#include "text/mended_text.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/utf8.hpp"
#include "text/html_entities.hpp"
#include "text/mojibake.hpp"
#include "text/regex.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

// A ligature of Latin letters, or a pair of them that is one character for the sake of an old encoding. Not æ
// and its like, which are meant.
struct Ligature {
  char32_t character;
  std::string_view letters;
};
constexpr Ligature kLigatures[] = {
    {U'Ĳ', "IJ"},  {U'ĳ', "ij"},  {U'ŉ', "ʼn"}, {U'Ǳ', "DZ"}, {U'ǲ', "Dz"}, {U'ǳ', "dz"},
    {U'Ǆ', "DŽ"},  {U'ǅ', "Dž"},  {U'ǆ', "dž"}, {U'Ǉ', "LJ"}, {U'ǈ', "Lj"}, {U'ǉ', "lj"},
    {U'Ǌ', "NJ"},  {U'ǋ', "Nj"},  {U'ǌ', "nj"}, {U'ﬀ', "ff"}, {U'ﬁ', "fi"}, {U'ﬂ', "fl"},
    {U'ﬃ', "ffi"}, {U'ﬄ', "ffl"}, {U'ﬅ', "ſt"}, {U'ﬆ', "st"},
};

// "" if `c` is none of them.
std::string_view letters_of(char32_t c) {
  const auto found = std::ranges::find(kLigatures, c, &Ligature::character);
  return found == std::end(kLigatures) ? std::string_view() : found->letters;
}

bool is_of_full_or_half_width(char32_t c) {
  return c >= 0xFF01 && c <= 0xFFEF;
}

// Characters with no effect that can be seen. Not C1's, which tell what was mistaken, nor those that join
// letters or say where they run.
bool is_control(char32_t c) {
  return c <= 8 || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || (c >= 0x206A && c <= 0x206F) ||
         c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

// The steps of ftfy that look at one character.
std::string with_plain_characters(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text, at);
    if (const std::string_view letters = letters_of(c); !letters.empty()) {
      plain += letters;
    } else if (c == 0x3000) {
      plain += ' ';
    } else if (is_of_full_or_half_width(c)) {
      plain += normal_form(text.substr(begin, at - begin), NormalForm::nfkc);
    } else {
      plain += text.substr(begin, at - begin);
    }
  }
  return plain;
}

std::string with_straight_quotes_and_breaks(std::string_view text) {
  std::string straight;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text, at);
    if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) {
      straight += '\'';
    } else if (c >= 0x201C && c <= 0x201F) {
      straight += '"';
    } else if (c == '\r') {
      straight += '\n';
      if (at < text.size() && text[at] == '\n') ++at;
    } else if (c == 0x2028 || c == 0x2029 || c == 0x85) {
      straight += '\n';
    } else {
      straight += text.substr(begin, at - begin);
    }
  }
  return straight;
}

std::string without_escapes_and_controls(std::string_view text) {
  static const Regex escape("\x1b\\[[\\p{Nd};]*[a-zA-Z]");  // a terminal's colours
  std::string kept;
  for (const Span& span : escape.find(text)) {
    if (span.is_match) continue;
    for (std::size_t at = span.begin; at < span.end;) {
      const std::size_t begin = at;
      if (!is_control(next_code_point(text, at))) kept += text.substr(begin, at - begin);
    }
  }
  return kept;
}

// Nothing of what follows is in it.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= ' ' && c != 0x7F && c != '&') || c == '\n' || c == '\t'; });
}

std::string mended_line(std::string text, bool unescapes) {
  constexpr int kMostPasses = 64;  // of references within references
  for (int pass = 0; pass < kMostPasses && !is_plain(text); ++pass) {
    std::string mended = unescapes ? unescape_closed_html(text) : text;
    mended = with_plain_characters(mend_mojibake(mended));
    mended = without_escapes_and_controls(with_straight_quotes_and_breaks(mended));
    mended = composed(mended);
    if (mended == text) break;
    text = std::move(mended);
  }
  return text;
}

}  // namespace

std::string mended(std::string_view utf8) {
  std::string text;
  bool unescapes = true;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t end = std::min(utf8.find('\n', at), utf8.size() - 1) + 1;
    const std::string_view line = utf8.substr(at, end - at);
    // A text with tags is HTML: its references are meant, from that line on.
    unescapes = unescapes && line.find('<') == line.npos;
    text += mended_line(std::string(line), unescapes);
    at = end;
  }
  return text;
}

std::string cleaned(std::string_view utf8) {
  return with_single_spaces(unescape_html(unescape_html(mended(utf8))));
}

std::string canonicalized(std::string_view utf8) {
  const std::string text = cleaned(utf8);
  std::string words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_code_point(text, at);
    if (c == U'_') {
      words += ' ';
    } else if (!is_ascii_punctuation(c)) {
      words += std::string_view(text).substr(begin, at - begin);
    }
  }
  return with_single_spaces(lower_in_context(words));
}

std::string with_single_spaces(std::string_view text) {
  std::string single;
  bool space_waits = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (is_python_space(next_code_point(text, at))) {
      space_waits = !single.empty();
    } else {
      if (space_waits) single += ' ';
      space_waits = false;
      single += text.substr(begin, at - begin);
    }
  }
  return single;
}

}  // namespace moa
