#include "cli/display.hpp"

#include <gtest/gtest.h>

namespace moa::cli {
namespace {

TEST(Display, HangulAndEmojiTakeTwoColumnsAndMarksNone) {
  EXPECT_EQ(display_width("dog"), 3U);
  EXPECT_EQ(display_width("강아지"), 6U);
  EXPECT_EQ(display_width("\u1100\u1161\u11a8"), 2U);  // 각, spelt out as macOS does
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("犬🐕"), 4U);
}

TEST(Display, ColumnsAlign) {
  EXPECT_EQ(pad_right("개", 4), "개  ");
  EXPECT_EQ(pad_left("개", 4), "  개");
  EXPECT_EQ(pad_left("longer", 4), "longer");
}

TEST(Display, WhatIsTooLongIsCutBetweenCharacters) {
  EXPECT_EQ(cut_end("강아지와 고양이", 7), "강아지…");
  EXPECT_EQ(cut_end("강아지", 6), "강아지");
  EXPECT_EQ(cut_middle("photos/holiday/dog.jpg", 14), "phot…y/dog.jpg");
  for (std::size_t columns = 0; columns < 12; ++columns) {
    EXPECT_LE(display_width(cut_middle("사진/강아지.jpg", columns)), columns);
    EXPECT_LE(display_width(cut_end("사진/강아지.jpg", columns)), columns);
  }
}

TEST(Display, NothingCanSteerTheTerminal) {
  EXPECT_EQ(displayable("a\x1b[2Jb\n\x7f"), "a\uFFFD[2Jb\uFFFD\uFFFD");
  EXPECT_EQ(displayable("\u202Egpj.exe\u009b"), "\uFFFDgpj.exe\uFFFD");
  EXPECT_EQ(displayable("caf\xe9"), "caf\uFFFD");
  EXPECT_EQ(displayable("강아지"), "강아지");
}

}  // namespace
}  // namespace moa::cli
