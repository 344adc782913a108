#include "train/yaml_map.hpp"

#include <array>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa::train {
namespace {

YamlMap parse(const std::string& text) {
  return YamlMap::parse(text, "test.yaml");
}

std::string message(const std::string& text, const std::function<void(const YamlMap&)>& read) {
  try {
    const YamlMap map = parse(text);
    read(map);
    map.finish();
  } catch (const Error& error) {
    EXPECT_EQ(name(error.code()), "invalid_argument");
    return error.what();
  }
  return {};
}

TEST(YamlMap, ReadsValuesOfEveryKind) {
  const YamlMap map = parse(
      "n: 3\nx: 1e-3\nflag: true\nname: \"a b\"\nlist: [a, b]\npair: [0.5, 1]\nin:\n  k: v\nnothing: ~\n");
  EXPECT_EQ(map.integer("n", 0, 0, 10), 3);
  EXPECT_DOUBLE_EQ(map.number("x", 0, 0, 1), 1e-3);
  EXPECT_TRUE(map.boolean("flag", false));
  EXPECT_EQ(map.text("name", ""), "a b");
  EXPECT_EQ(map.texts("list"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(map.texts("name"), (std::vector<std::string>{"a b"}));
  EXPECT_EQ(map.numbers("pair", {0, 0}, 0, 1), (std::vector{0.5, 1.0}));
  EXPECT_EQ(map.map("in").text("k", ""), "v");
  EXPECT_FALSE(map.has("nothing"));
  EXPECT_EQ(map.integer("absent", 7, 0, 1), 7);
  EXPECT_EQ(map.map("none").text("k", "default"), "default");
  map.finish();
}

TEST(YamlMap, NamesLineAndKeyOfWhatIsWrong) {
  const auto found = message("a: 1\nb:\n  c: x\n", [](const YamlMap& map) {
    map.integer("a", 0, 0, 1);
    map.map("b").integer("c", 0, 0, 1);
  });
  EXPECT_NE(found.find("line 3"), std::string::npos) << found;
  EXPECT_NE(found.find("b.c"), std::string::npos) << found;
}

TEST(YamlMap, WhatNobodyAsksForIsAMistake) {
  const auto found = message("a: 1\nb:\n  c: 1\n  d: 2\n", [](const YamlMap& map) {
    map.integer("a", 0, 0, 1);
    map.map("b").integer("c", 0, 0, 1);
  });
  EXPECT_NE(found.find("line 4"), std::string::npos) << found;
  EXPECT_NE(found.find("b.d"), std::string::npos) << found;
  EXPECT_NE(message("a: 1\na: 2\n", [](const YamlMap& map) { map.integer("a", 0, 0, 9); }), "");
}

TEST(YamlMap, RefusesWhatIsNoSetting) {
  for (const char* text : {"[1, 2]", "just text", "", "a: [", "a: b: c", "a: &x [*x"}) {
    MOA_EXPECT_ERROR(parse(text), invalid_argument);
  }
  MOA_EXPECT_ERROR(parse(std::string(2 << 20, ' ')), limit_exceeded);
  const YamlMap map = parse("n: 11\nx: nan\nl: [1, b]\nm: {}\nw: c\n");
  MOA_EXPECT_ERROR(map.integer("n", 0, 0, 10), invalid_argument);
  MOA_EXPECT_ERROR(map.number("x", 0, 0, 10), invalid_argument);
  MOA_EXPECT_ERROR(map.number("l", 0, 0, 10), invalid_argument);
  MOA_EXPECT_ERROR(map.numbers("l", {}, 0, 10), invalid_argument);
  MOA_EXPECT_ERROR(map.text("m", ""), invalid_argument);
  MOA_EXPECT_ERROR(map.map("n"), invalid_argument);
  MOA_EXPECT_ERROR(map.boolean("w", false), invalid_argument);
  MOA_EXPECT_ERROR((map.choice("w", "a", std::array<std::string_view, 2>{"a", "b"})), invalid_argument);
}

}  // namespace
}  // namespace moa::train
