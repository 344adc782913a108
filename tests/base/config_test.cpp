#include "base/config.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

Config parse(std::string_view json) {
  return Config::parse(json, "test.json");
}

TEST(Config, GivesDefaultsForWhatIsAbsentOrNull) {
  const Config config = parse(R"({"null":null})");
  EXPECT_FALSE(config.has("null"));
  EXPECT_EQ(config.integer("null", 7), 7);
  EXPECT_EQ(config.number("absent", 0.5), 0.5);
  EXPECT_EQ(config.boolean("absent", true), true);
  EXPECT_EQ(config.string("absent", "gelu"), "gelu");
  EXPECT_EQ(config.numbers("absent", {1, 2}), (std::vector<double>{1, 2}));
  EXPECT_EQ(config.strings("absent", {"a"}), std::vector<std::string>{"a"});
  EXPECT_TRUE(config.object("absent").keys().empty());
  EXPECT_TRUE(config.objects("absent").empty());
  EXPECT_TRUE(Config().keys().empty());
}

TEST(Config, ReadsValuesOfEveryKind) {
  const Config config = parse(
      R"({"i":512,"whole":3.0,"n":1e-5,"b":false,"s":"강","l":[1,2.5],"t":["x","y"],"o":{"d":2},"a":[{"k":1},{}]})");
  EXPECT_EQ(config.integer("i", 0), 512);
  EXPECT_EQ(config.integer("whole", 0), 3);
  EXPECT_EQ(config.number("n", 0), 1e-5);
  EXPECT_EQ(config.number("i", 0), 512);
  EXPECT_EQ(config.boolean("b", true), false);
  EXPECT_EQ(config.string("s", ""), "강");
  EXPECT_EQ(config.numbers("l", {}), (std::vector<double>{1, 2.5}));
  EXPECT_EQ(config.strings("t", {}), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(config.object("o").integer("d", 0), 2);
  EXPECT_EQ(config.objects("a").size(), 2u);
  EXPECT_EQ(config.objects("a")[0].integer("k", 0), 1);
  EXPECT_TRUE(config.is_number("i") && config.is_boolean("b") && config.is_string("s") &&
              config.is_array("l") && config.is_object("o"));
}

TEST(Config, RefusesValuesOfAnotherKind) {
  const Config config = parse(R"({"s":"5","i":5,"f":1.5,"l":[1,"a"],"big":1e300})");
  MOA_EXPECT_ERROR(config.integer("s", 0), corrupt_data);
  MOA_EXPECT_ERROR(config.integer("f", 0), corrupt_data);
  MOA_EXPECT_ERROR(config.integer("big", 0), corrupt_data);
  MOA_EXPECT_ERROR(config.number("s", 0), corrupt_data);
  MOA_EXPECT_ERROR(config.boolean("i", false), corrupt_data);
  MOA_EXPECT_ERROR(config.string("i", ""), corrupt_data);
  MOA_EXPECT_ERROR(config.numbers("l", {}), corrupt_data);
  MOA_EXPECT_ERROR(config.strings("l", {}), corrupt_data);
  MOA_EXPECT_ERROR(config.object("i"), corrupt_data);
  MOA_EXPECT_ERROR(config.objects("l"), corrupt_data);
}

TEST(Config, RefusesIntegersOutsideTheirRange) {
  const Config config = parse(R"({"less":-1,"more":1073741825,"huge":18446744073709551615})");
  MOA_EXPECT_ERROR(config.integer("less", 0), out_of_range);
  MOA_EXPECT_ERROR(config.integer("more", 0), out_of_range);
  MOA_EXPECT_ERROR(config.integer("huge", 0, 0, INT64_MAX), out_of_range);
  EXPECT_EQ(config.integer("less", 0, -1), -1);
}

TEST(Config, RefusesDocumentsThatMisleadOrAreBroken) {
  for (const char* json : {"", "[]", "1", "{", R"({"a":1}x)", R"({"a":1,"a":2})", R"({"o":{"a":1,"a":1}})",
                           R"({"l":[{"a":1,"a":1}]})", "{\"a\":\"\xFF\"}", R"({"a":NaN})", "{'a':1}"}) {
    MOA_EXPECT_ERROR(parse(json), corrupt_data);
  }
}

TEST(Config, RefusesDeepAndLargeDocuments) {
  MOA_EXPECT_ERROR(parse(R"({"a":)" + std::string(1'000'000, '[')), corrupt_data);
  MOA_EXPECT_ERROR(parse(R"({"a":)" + std::string(70, '[') + std::string(70, ']') + "}"), corrupt_data);
  MOA_EXPECT_ERROR(parse(std::string((64u << 20) + 1, ' ')), limit_exceeded);
}

TEST(Config, OutlivesTheDocumentItCameFrom) {
  Config inner;
  { inner = parse(R"({"o":{"a":{"b":"kept"}}})").object("o").object("a"); }
  EXPECT_EQ(inner.string("b", ""), "kept");
}

}  // namespace
}  // namespace moa
