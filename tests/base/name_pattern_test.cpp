#include "base/name_pattern.hpp"

#include <string>

#include <gtest/gtest.h>

namespace moa {
namespace {

TEST(NamePattern, StarsStandForAnything) {
  EXPECT_TRUE(fits("*", ""));
  EXPECT_TRUE(fits("*", "text_model.x"));
  EXPECT_TRUE(fits("text_*.weight", "text_model.layers.0.weight"));
  EXPECT_TRUE(fits("*.layers.*.q_proj*", "text.layers.11.attn.q_proj.weight"));
  EXPECT_TRUE(fits("a*b*c", "abcbc"));
  EXPECT_TRUE(fits("**a", "bba"));
}

TEST(NamePattern, AllElseStandsForItself) {
  EXPECT_TRUE(fits("a.b", "a.b"));
  EXPECT_FALSE(fits("a.b", "axb"));
  EXPECT_FALSE(fits("a", "ab"));
  EXPECT_FALSE(fits("", "a"));
  EXPECT_FALSE(fits("a*b", "abc"));
  EXPECT_FALSE(fits("text*", "vision"));
}

TEST(NamePattern, TakesNoLongerThanItsLengths) {
  EXPECT_FALSE(fits("*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

}  // namespace
}  // namespace moa
