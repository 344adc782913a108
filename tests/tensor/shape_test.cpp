#include "tensor/shape.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).elements(), 24);
  EXPECT_EQ((Shape{2, 3, 4}).elements_per_row(), 12);
  EXPECT_EQ((Shape{5}).elements_per_row(), 1);
  EXPECT_EQ(Shape{}.elements_per_row(), 1);
  EXPECT_EQ((Shape{0, 3}).elements(), 0);
}

TEST(Shape, RefusesMoreElementsThanCanBeCounted) {
  MOA_EXPECT_ERROR((Shape{std::int64_t{1} << 32, std::int64_t{1} << 31}).elements(), corrupt_data);
  MOA_EXPECT_ERROR((Shape{-1}).elements(), corrupt_data);
  MOA_EXPECT_ERROR((Shape{2, -3}).elements_per_row(), corrupt_data);
}

TEST(Shape, ReadsWell) {
  EXPECT_EQ(to_string(Shape{512, 768}), "[512, 768]");
  EXPECT_EQ(to_string(Shape{}), "[]");
  EXPECT_NE((Shape{1, 2}), (Shape{2, 1}));
}

}  // namespace
}  // namespace moa
