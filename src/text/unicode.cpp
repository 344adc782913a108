#include "text/unicode.hpp"

#include <algorithm>
#include <span>

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <moa/error.hpp>
#include "base/utf8.hpp"
#include "text/unicode_tables.hpp"

namespace moa {
namespace {

bool contains(std::span<const CodeRange> ranges, char32_t c) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), c,
                       [](char32_t wanted, const CodeRange& range) { return wanted < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

const icu::Normalizer2& normalizer(NormalForm form) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* found = nullptr;
  switch (form) {
    case NormalForm::nfc:
      found = icu::Normalizer2::getNFCInstance(status);
      break;
    case NormalForm::nfd:
      found = icu::Normalizer2::getNFDInstance(status);
      break;
    case NormalForm::nfkc:
      found = icu::Normalizer2::getNFKCInstance(status);
      break;
    case NormalForm::nfkd:
      found = icu::Normalizer2::getNFKDInstance(status);
      break;
  }
  if (U_FAILURE(status) || found == nullptr) {
    throw Error(ErrorCode::internal,
                std::string("cannot open ICU's normalization data: ") + u_errorName(status));
  }
  return *found;
}

constexpr int kNormalizationAge = 9;  // Unicode version of the reference's normalization tables

bool is_newer_than_normalization(char32_t c) {
  if (c < 0x300) return false;
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] > kNormalizationAge || (age[0] == kNormalizationAge && age[1] > 0);
}

icu::UnicodeString utf16(std::string_view text) {
  return icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
}

void append_normalized(std::string& result, std::string_view text, const icu::Normalizer2& normalize) {
  if (text.empty()) return;
  UErrorCode status = U_ZERO_ERROR;
  normalize.normalize(utf16(text), status).toUTF8String(result);
  if (U_FAILURE(status)) {
    throw Error(ErrorCode::limit_exceeded,
                std::string("cannot normalize a text: ICU says ") + u_errorName(status));
  }
}

}  // namespace

std::string lower_in_context(std::string_view text) {
  std::string lower;
  utf16(text).toLower(icu::Locale::getRoot()).toUTF8String(lower);
  return lower;
}

std::string upper_in_context(std::string_view text) {
  std::string upper;
  utf16(text).toUpper(icu::Locale::getRoot()).toUTF8String(upper);
  return upper;
}

std::string composed(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string result;
  append_normalized(result, text, normalizer(NormalForm::nfc));
  return result;
}

bool is_white_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return contains(kWhiteSpace, c);
}
bool is_python_space(char32_t c) {
  return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
}
bool is_numeric(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9';
  return contains(kNumeric, c);
}
bool is_word(char32_t c) {
  return contains(kWord, c);
}
bool is_punctuation(char32_t c) {
  return contains(kPunctuation, c);
}
bool is_ascii_punctuation(char32_t c) {
  return c < 0x80 && is_punctuation(c);
}
bool is_other(char32_t c) {
  return contains(kOther, c);
}
bool is_nonspacing_mark(char32_t c) {
  return c >= 0x300 && contains(kNonspacingMark, c);
}
bool is_combining_mark(char32_t c) {
  return c >= 0x300 && contains(kCombiningMark, c);
}

void append_lower(std::string& text, char32_t c) {
  if (c < 0x80) {
    text.push_back(static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c));
    return;
  }
  if (c == 0x130) {  // the only character whose lower case is two: i and a combining dot
    text.append("i\xCC\x87");
    return;
  }
  for (const LowerRange& range : kLowerSinceUnicode15) {
    if (c >= range.first && c <= range.last) return append_utf8(text, range.to + (c - range.first));
  }
  append_utf8(text, static_cast<char32_t>(u_tolower(static_cast<UChar32>(c))));
}

std::string normal_form(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);
  const icu::Normalizer2& normalize = normalizer(form);
  std::string result;
  result.reserve(text.size());
  const auto append = [&](std::string_view part) { append_normalized(result, part, normalize); };
  // A newer character neither changes nor combines: it ends one stretch and begins another.
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is_newer_than_normalization(next_code_point(text, at))) continue;
    append(text.substr(begin, here - begin));
    result.append(text.substr(here, at - here));
    begin = at;
  }
  append(text.substr(begin));
  return result;
}

}  // namespace moa
