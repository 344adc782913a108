// The contact sheet: where texts and pictures stand on it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "cli/canvas.hpp"
#include "cli/search_results.hpp"

namespace moa::cli {
namespace {

// The row below the lowest ink.
std::int64_t feet(const TextMask& text) {
  const auto has_ink = [](std::uint8_t coverage) { return coverage >= 128; };
  const auto last = std::find_if(text.coverage.rbegin(), text.coverage.rend(), has_ink);
  return (text.coverage.rend() - last + text.width_px - 1) / text.width_px;
}

TEST(DrawText, KnowsTheLineThatItsLettersStandOn) {
  for (const char* standing : {"one", "tall", "ABE"}) {
    const TextMask text = draw_text(standing, "sans 14", 1000);
    EXPECT_NEAR(static_cast<double>(feet(text)), static_cast<double>(text.ascent_px), 1) << standing;
  }
  for (const char* hanging : {"gypq", "Tagypq"}) {
    const TextMask text = draw_text(hanging, "sans 14", 1000);
    EXPECT_GT(feet(text), text.ascent_px + 1) << hanging;
  }
}

TEST(DrawText, DrawsNothingButTheText) {
  const TextMask dot = draw_text(".", "sans 14", 1000);
  EXPECT_LT(dot.width_px, 6);
  EXPECT_EQ(draw_text("", "sans 14", 1000).width_px, 0);
  EXPECT_EQ(draw_text(" ", "sans 14", 1000).width_px, 0);
}

class Sheet : public ::testing::Test {
 protected:
  static Picture drawn(const SearchResult& result) {
    static constexpr std::array kWords = {"place"};
    Console console(Arguments::parse(kSearchCommand, kWords));
    const std::string file = as_sheet({result}, console);
    return decode_picture(as_bytes(file));
  }
};

TEST_F(Sheet, LeavesRoomBelowTheNamesOfARow) {
  const SearchResult result{"query", std::vector<Found>(7, {"gone/gypq", 0.5F})};
  const Picture sheet = drawn(result);
  // Runs of blank rows within the first column of pictures, from the top: above the query, above the first
  // picture, above and below rank and score, above the second picture.
  std::vector<std::int64_t> runs;
  bool was_blank = false;
  for (std::int64_t y = 0; y < sheet.height_px; ++y) {
    const auto row = sheet.rgb.begin() + y * sheet.width_px * 3;
    const auto is_ground = [&](std::int64_t x) { return row[x * 3] == 250 && row[x * 3 + 2] == 248; };
    bool blank = true;
    for (std::int64_t x = 32; x < 32 + 240; ++x) blank &= is_ground(x);
    if (blank && !was_blank) runs.push_back(0);
    if (blank) ++runs.back();
    was_blank = blank;
  }
  ASSERT_EQ(runs.size(), 8U);
  EXPECT_GE(runs[4], 20);  // as between columns
}

TEST_F(Sheet, SaysSomethingBelowAQueryThatFoundNothing) {
  const Picture nothing = drawn({"query"});
  const Picture failed =
      drawn({.query = "query", .error = Error(ErrorCode::not_found, "there is no such picture")});
  EXPECT_EQ(nothing.height_px, failed.height_px);
  EXPECT_NE(nothing.rgb, failed.rgb);
}

}  // namespace
}  // namespace moa::cli
