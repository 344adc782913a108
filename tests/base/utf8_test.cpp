#include "base/utf8.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moa {
namespace {

TEST(Utf8, RoundTripsEveryCodePoint) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    ASSERT_TRUE(is_utf8(text)) << static_cast<unsigned>(c);
    std::size_t at = 0;
    ASSERT_EQ(next_code_point(text, at), c);
    ASSERT_EQ(at, text.size());
  }
}

TEST(Utf8, RefusesWhatIsIllFormed) {
  for (const char* text : {
           "\x80",              // a continuation alone
           "\xC3",              // cut off
           "\xC0\x80",          // overlong NUL
           "\xC1\xBF",          //
           "\xE0\x9F\xBF",      // overlong
           "\xED\xA0\x80",      // a surrogate
           "\xF0\x8F\xBF\xBF",  // overlong
           "\xF4\x90\x80\x80",  // above U+10FFFF
           "\xF5\x80\x80\x80",  //
           "\xFF",              //
           "a\xE2\x82",         //
       }) {
    EXPECT_FALSE(is_utf8(text));
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, ReplacesMaximalIllFormedPartsAsBrowsersDo) {
  EXPECT_EQ(replace_ill_formed("강아지"), "강아지");
  EXPECT_EQ(replace_ill_formed("a\xFF b"), "a\uFFFD b");
  EXPECT_EQ(replace_ill_formed("\xE2\x82"), "\uFFFD");                  // one part, cut off
  EXPECT_EQ(replace_ill_formed("\xE2\x82z"), "\uFFFDz");                //
  EXPECT_EQ(replace_ill_formed("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate: three parts
  EXPECT_EQ(replace_ill_formed("\xF0\x9F\x98\xC3\xA9"), "\uFFFD\u00E9");
}

}  // namespace
}  // namespace moa
