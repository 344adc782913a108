#include "train/delimited_text.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> records(std::string_view text, char separator = ',') {
  std::vector<Fields> all;
  for (std::size_t at = 0; at < text.size();) {
    all.emplace_back();
    read_record(text, at, {.separator = separator}, {"test"}, all.back());
  }
  return all;
}

TEST(DelimitedText, SplitsAtSeparatorsAndLineEnds) {
  EXPECT_EQ(records("a,b\nc,d\n"), (std::vector<Fields>{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(records("a,b\r\nc,d"), (std::vector<Fields>{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(records("a,b\r"), (std::vector<Fields>{{"a", "b"}}));
  EXPECT_EQ(records("a\tb,c\n", '\t'), (std::vector<Fields>{{"a", "b,c"}}));
  EXPECT_EQ(records(",\n,"), (std::vector<Fields>{{"", ""}, {"", ""}}));
}

TEST(DelimitedText, QuotesHoldSeparatorsLineEndsAndQuotes) {
  EXPECT_EQ(records("\"a,\r\nb\",\"say \"\"hi\"\"\"\r\n\"\",x"),
            (std::vector<Fields>{{"a,\r\nb", "say \"hi\""}, {"", "x"}}));
}

TEST(DelimitedText, AQuoteInsideABareFieldIsText) {
  EXPECT_EQ(records("5\" nail,b\n"), (std::vector<Fields>{{"5\" nail", "b"}}));
}

TEST(DelimitedText, RefusesQuotesThatDoNotClose) {
  MOA_EXPECT_ERROR(records("a,\"b\nc"), corrupt_data);
  MOA_EXPECT_ERROR(records("\""), corrupt_data);
  MOA_EXPECT_ERROR(records("\"a\"b,c"), corrupt_data);
}

TEST(DelimitedText, BoundsFieldsAndTheirNumber) {
  MOA_EXPECT_ERROR(records(std::string(2 << 20, 'a')), limit_exceeded);
  MOA_EXPECT_ERROR(records("\"" + std::string(2 << 20, 'a') + "\""), limit_exceeded);
  MOA_EXPECT_ERROR(records(std::string(5000, ',')), limit_exceeded);
}

TEST(DelimitedText, NamesTheLine) {
  EXPECT_EQ(place_in("a\nb\nc", 4, {"F"}), "F, line 3");
}

}  // namespace
}  // namespace moa::train
