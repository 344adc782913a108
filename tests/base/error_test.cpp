#include <gtest/gtest.h>

#include <map>
#include <set>

#include <moa/error.hpp>

namespace moa {
namespace {

TEST(Error, CodesHaveTheExitCodesOfTheInterface) {
  const std::map<std::string, int> promised = {
      {"invalid_argument", 2}, {"not_found", 4},    {"corrupt_data", 5},   {"unsupported", 6},
      {"shape_mismatch", 5},   {"out_of_range", 5}, {"limit_exceeded", 7}, {"overloaded", 7},
      {"cancelled", 130},      {"io_error", 7},     {"model_mismatch", 5}, {"internal", 1},
  };
  std::set<std::string> seen;
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    const std::string name(moa::name(static_cast<ErrorCode>(code)));
    ASSERT_TRUE(promised.contains(name)) << name;
    EXPECT_EQ(exit_code(static_cast<ErrorCode>(code)), promised.at(name)) << name;
    seen.insert(name);
  }
  EXPECT_EQ(seen.size(), promised.size());
}

TEST(Error, CarriesItsCodeAndMessage) {
  try {
    throw Error(ErrorCode::out_of_range, "what was wrong");
  } catch (const std::exception& error) {
    EXPECT_STREQ(error.what(), "what was wrong");
    EXPECT_EQ(dynamic_cast<const Error&>(error).code(), ErrorCode::out_of_range);
  }
}

}  // namespace
}  // namespace moa
