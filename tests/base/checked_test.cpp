#include "base/checked.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

TEST(Checked, GivesSumsAndProductsThatFit) {
  EXPECT_EQ(checked_multiply(1u << 31, 1u << 31, "x"), std::uint64_t{1} << 62);
  EXPECT_EQ(checked_add(UINT64_MAX - 1, 1, "x"), UINT64_MAX);
}

TEST(Checked, RefusesWhatDoesNotFitWithTheGivenCode) {
  MOA_EXPECT_ERROR(checked_multiply(std::uint64_t{1} << 32, std::uint64_t{1} << 32, "x"), corrupt_data);
  MOA_EXPECT_ERROR(checked_add(UINT64_MAX, 1, "x", ErrorCode::limit_exceeded), limit_exceeded);
}

}  // namespace
}  // namespace moa
