// Generated tables behind unicode.hpp and regex_rewrite.cpp; see unicode_tables.cpp.
#pragma once

#include <span>

namespace moa {

struct CodeRange {  // first and last belong to it
  char32_t first;
  char32_t last;
};

// Sorted, disjoint.
extern const std::span<const CodeRange> kWhiteSpace;
extern const std::span<const CodeRange> kNumeric;
extern const std::span<const CodeRange> kWord;
extern const std::span<const CodeRange> kPunctuation;
extern const std::span<const CodeRange> kOther;
extern const std::span<const CodeRange> kNonspacingMark;
extern const std::span<const CodeRange> kCombiningMark;

// Capitals whose lower case ICU 72 does not know; `to` is that of `first`, the others follow.
struct LowerRange {
  char32_t first;
  char32_t last;
  char32_t to;
};
extern const std::span<const LowerRange> kLowerSinceUnicode15;

// What Oniguruma (Unicode 16) has and Unicode 14 (PCRE2 10.42) has not.
struct NewRange {
  char32_t first;
  char32_t last;
  char category[3];  // general category, e.g. "Lo"
  bool alphabetic;
  const char* script;
};
extern const std::span<const NewRange> kAssignedSinceUnicode14;

}  // namespace moa
