#include "text/grapheme.hpp"

#include <unicode/uchar.h>

#include "base/utf8.hpp"

namespace moa {
namespace {

int break_class(char32_t c) {
  return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_GRAPHEME_CLUSTER_BREAK);
}

bool is_pictographic(char32_t c) {
  return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_EXTENDED_PICTOGRAPHIC);
}

bool is_control(int kind) {
  return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

// Rules GB6 to GB8.
bool joins_hangul(int left, int right) {
  switch (left) {
    case U_GCB_L:
      return right == U_GCB_L || right == U_GCB_V || right == U_GCB_LV || right == U_GCB_LVT;
    case U_GCB_LV:
    case U_GCB_V:
      return right == U_GCB_V || right == U_GCB_T;
    case U_GCB_LVT:
    case U_GCB_T:
      return right == U_GCB_T;
    default:
      return false;
  }
}

}  // namespace

std::size_t grapheme_end(std::string_view text, std::size_t at) {
  char32_t c = next_code_point(text, at);
  int left = break_class(c);
  bool begins_emoji = is_pictographic(c);  // Extended_Pictographic Extend*, for GB11
  bool odd_flag = left == U_GCB_REGIONAL_INDICATOR;
  while (at < text.size()) {
    std::size_t behind = at;
    c = next_code_point(text, behind);
    const int right = break_class(c);
    bool joins = false;
    if (left == U_GCB_CR) {
      joins = right == U_GCB_LF;                           // GB3
    } else if (!is_control(left) && !is_control(right)) {  // GB4, GB5
      joins =
          right == U_GCB_EXTEND || right == U_GCB_ZWJ ||                // GB9
          right == U_GCB_SPACING_MARK ||                                // GB9a
          left == U_GCB_PREPEND ||                                      // GB9b
          joins_hangul(left, right) ||                                  // GB6, GB7, GB8
          (left == U_GCB_ZWJ && begins_emoji && is_pictographic(c)) ||  // GB11
          (odd_flag && left == U_GCB_REGIONAL_INDICATOR && right == U_GCB_REGIONAL_INDICATOR);  // GB12, GB13
    }
    if (!joins) break;
    if (right == U_GCB_REGIONAL_INDICATOR) odd_flag = left != U_GCB_REGIONAL_INDICATOR || !odd_flag;
    if (right != U_GCB_EXTEND && right != U_GCB_ZWJ) begins_emoji = is_pictographic(c);
    left = right;
    at = behind;
  }
  return at;
}

}  // namespace moa
