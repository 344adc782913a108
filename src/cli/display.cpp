#include "cli/display.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "base/utf8.hpp"

namespace moa::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode 15, EastAsianWidth.txt: the wide and full-width ranges, with the gaps inside blocks closed.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},   Range{0x23E9, 0x23EC},
    Range{0x23F0, 0x23F0},   Range{0x23F3, 0x23F3},   Range{0x25FD, 0x25FE},   Range{0x2614, 0x2615},
    Range{0x2648, 0x2653},   Range{0x26A1, 0x26A1},   Range{0x26BD, 0x26BE},   Range{0x26C4, 0x26C5},
    Range{0x2705, 0x2705},   Range{0x270A, 0x270B},   Range{0x2728, 0x2728},   Range{0x274C, 0x274C},
    Range{0x2753, 0x2755},   Range{0x2795, 0x2797},   Range{0x2B50, 0x2B50},   Range{0x2E80, 0x303E},
    Range{0x3041, 0xA4CF},   Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},
    Range{0xFE10, 0xFE19},   Range{0xFE30, 0xFE6F},   Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},
    Range{0x16FE0, 0x18DFF}, Range{0x1AFF0, 0x1B2FF}, Range{0x1F004, 0x1F004}, Range{0x1F0CF, 0x1F0CF},
    Range{0x1F18E, 0x1F19A}, Range{0x1F200, 0x1F64F}, Range{0x1F680, 0x1F6FF}, Range{0x1F7E0, 0x1F7F0},
    Range{0x1F900, 0x1FAFF}, Range{0x20000, 0x3FFFD},
};

// What stands on the character before it: combining marks, joiners, variation selectors, and the vowels and
// final consonants of Hangul that is spelt out (as macOS writes file names).
constexpr std::array kNoWidth = {
    Range{0x0300, 0x036F},   Range{0x0483, 0x0489},   Range{0x0591, 0x05BD}, Range{0x0610, 0x061A},
    Range{0x064B, 0x065F},   Range{0x0E31, 0x0E31},   Range{0x0E34, 0x0E3A}, Range{0x0E47, 0x0E4E},
    Range{0x1160, 0x11FF},   Range{0x1AB0, 0x1AFF},   Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200F},
    Range{0x202A, 0x202E},   Range{0x2060, 0x2064},   Range{0x20D0, 0x20FF}, Range{0x3099, 0x309A},
    Range{0xD7B0, 0xD7FF},   Range{0xFE00, 0xFE0F},   Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF},
    Range{0x1F3FB, 0x1F3FF}, Range{0xE0100, 0xE01EF},
};

template <std::size_t count>
bool is_in(const std::array<Range, count>& ranges, char32_t code_point) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code_point,
                                      [](char32_t value, const Range& range) { return value < range.first; });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

std::size_t width_of(char32_t code_point) {
  if (code_point < 0x300) return 1;
  if (is_in(kNoWidth, code_point)) return 0;
  return is_in(kWide, code_point) ? 2 : 1;
}

struct Character {
  std::size_t at, bytes, columns;
};

std::vector<Character> characters(std::string_view utf8) {
  std::vector<Character> found;
  for (std::size_t at = 0; at < utf8.size();) {
    const std::size_t begin = at;
    const std::size_t columns = width_of(next_code_point(utf8, at));
    found.push_back({begin, at - begin, columns});
  }
  return found;
}

// The longest beginning of at most `columns` columns, in bytes.
std::size_t prefix_bytes(const std::vector<Character>& text, std::size_t columns) {
  std::size_t used = 0;
  for (const Character& character : text) {
    if (used + character.columns > columns) return character.at;
    used += character.columns;
  }
  return text.empty() ? 0 : text.back().at + text.back().bytes;
}

}  // namespace

std::size_t display_width(std::string_view utf8) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < utf8.size();) columns += width_of(next_code_point(utf8, at));
  return columns;
}

std::string displayable(std::string_view bytes) {
  const std::string utf8 = replace_ill_formed(bytes);
  std::string shown;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t code_point = next_code_point(utf8, at);
    // Beside C0 and C1, what turns the direction of writing could make one name look like another.
    const bool steers = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0) ||
                        (code_point >= 0x202A && code_point <= 0x202E) ||
                        (code_point >= 0x2066 && code_point <= 0x2069);
    append_utf8(shown, steers ? char32_t{0xFFFD} : code_point);
  }
  return shown;
}

std::string cut_end(const std::string& utf8, std::size_t columns) {
  if (display_width(utf8) <= columns) return utf8;
  if (columns == 0) return {};
  return utf8.substr(0, prefix_bytes(characters(utf8), columns - 1)) + "…";
}

std::string cut_middle(const std::string& utf8, std::size_t columns) {
  if (display_width(utf8) <= columns) return utf8;
  if (columns < 3) return cut_end(utf8, columns);
  // Two thirds for the end: a path is told apart by its file name.
  const std::vector<Character> text = characters(utf8);
  const std::size_t head = (columns - 1) / 3;
  std::size_t tail_columns = 0;
  std::size_t tail_at = utf8.size();
  for (std::size_t i = text.size(); i-- > 0;) {
    if (tail_columns + text[i].columns > columns - 1 - head) break;
    tail_columns += text[i].columns;
    tail_at = text[i].at;
  }
  return utf8.substr(0, prefix_bytes(text, head)) + "…" + utf8.substr(tail_at);
}

std::string pad_right(std::string utf8, std::size_t columns) {
  const std::size_t width = display_width(utf8);
  return utf8.append(columns > width ? columns - width : 0, ' ');
}

std::string pad_left(const std::string& utf8, std::size_t columns) {
  const std::size_t width = display_width(utf8);
  return std::string(columns > width ? columns - width : 0, ' ') + utf8;
}

std::size_t terminal_columns() {
  if (::isatty(STDOUT_FILENO) != 1) return 0;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Paint Paint::for_stream(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool refused = (no_color != nullptr && *no_color != '\0') || terminal == nullptr ||
                       std::string_view(terminal) == "dumb";
  if (refused || ::isatty(fd) != 1) return {};
  return {"\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"};
}

}  // namespace moa::cli
