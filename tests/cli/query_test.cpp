#include <gtest/gtest.h>

#include <vector>

#include "base/expect_error.hpp"
#include "cli/search_query.hpp"

namespace moa::cli {
namespace {

std::vector<SearchQuery> queries(std::vector<const char*> words) {
  words.insert(words.begin(), "place");
  return read_queries(Arguments::parse(kSearchCommand, words));
}

TEST(SearchQueries, EachArgumentIsASearchOfItsOwn) {
  const std::vector<SearchQuery> read = queries({"a dog", "--text", "a cat", "3:00 train"});
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[1].shown, "a cat");
  EXPECT_EQ(read[2].terms.at(0).value, "3:00 train");  // a weight is one only in a sum
}

TEST(SearchQueries, PlusAndMinusJoinIntoAWeightedSum) {
  const std::vector<SearchQuery> read = queries({"a horse", "+", "2:stripes", "-", "0.5:zoo", "next"});
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].shown, "a horse + 2:stripes - 0.5:zoo");
  ASSERT_EQ(read[0].terms.size(), 3U);
  EXPECT_EQ(read[0].terms[1].value, "stripes");
  EXPECT_EQ(read[0].terms[1].weight, 2);
  EXPECT_EQ(read[0].terms[2].value, "zoo");
  EXPECT_EQ(read[0].terms[2].weight, -0.5);
}

TEST(SearchQueries, OptionsAreTermsOfASumToo) {
  const std::vector<SearchQuery> read = queries({"--similar", "x.jpg", "+", "--text", "2:night"});
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0].terms[0].kind, SearchTerm::Kind::image);
  EXPECT_EQ(read[0].terms[1].value, "2:night");  // taken literally
  EXPECT_EQ(read[0].similar_to, std::vector<std::string>{"x.jpg"});
}

TEST(SearchQueries, WhatOnlyLooksLikeAWeightIsText) {
  for (const char* word : {"x:y", ":y", "0:y", "1e999:y", "nan:y", "2 :y"}) {
    EXPECT_EQ(queries({"a", "+", word})[0].terms.at(1).value, word);
  }
}

TEST(SearchQueries, ALineIsOneQueryThatPlusAndMinusJoin) {
  EXPECT_TRUE(read_query_line(" \t\r").empty());
  const std::vector<SearchQuery> plain = read_query_line("3:00  train to-morrow, 1+1\r");
  ASSERT_EQ(plain.size(), 1U);
  EXPECT_EQ(plain[0].terms.at(0).value, "3:00  train to-morrow, 1+1");
  const std::vector<SearchQuery> sum = read_query_line(" a horse +  2:grass - zoo");
  ASSERT_EQ(sum.size(), 1U);
  EXPECT_EQ(sum[0].shown, "a horse + 2:grass - zoo");
  ASSERT_EQ(sum[0].terms.size(), 3U);
  EXPECT_EQ(sum[0].terms[0].value, "a horse");
  EXPECT_EQ(sum[0].terms[1].value, "grass");
  EXPECT_EQ(sum[0].terms[1].weight, 2);
  EXPECT_EQ(sum[0].terms[2].weight, -1);
  for (const char* line : {"+ a", "a -", "a + - b", "+"})
    MOA_EXPECT_ERROR(read_query_line(line), invalid_argument);
}

TEST(SearchQueries, AHoleInASumIsWrongUse) {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"+", "a"}, {"a", "+"}, {"a", "+", "-", "b"}, {"-"}}) {
    MOA_EXPECT_ERROR(queries(words), invalid_argument);
  }
}

}  // namespace
}  // namespace moa::cli
