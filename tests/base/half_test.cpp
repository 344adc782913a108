#include "base/half.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace moa {
namespace {

float value_of(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int mantissa = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return static_cast<float>(half & 0x8000 ? -magnitude : magnitude);
}

TEST(Halves, EveryFiniteOneIsItself) {
  for (std::uint32_t half = 0; half < 0x10000; ++half) {
    if ((half & 0x7C00U) == 0x7C00U) continue;
    EXPECT_EQ(narrow_f16(value_of(static_cast<std::uint16_t>(half))), half);
  }
}

TEST(Halves, AreTheNearestAndOfTwoTheEven) {
  EXPECT_EQ(narrow_f16(1.0F + 0x1p-11F), 0x3C00);             // half-way between 1 and its successor
  EXPECT_EQ(narrow_f16(1.0F + 0x3p-11F), 0x3C02);             // and between the next two
  EXPECT_EQ(narrow_f16(1.0F + 0x1p-11F + 0x1p-20F), 0x3C01);  // a little more
  EXPECT_EQ(narrow_f16(0x1p-25F), 0);                         // half of the smallest
  EXPECT_EQ(narrow_f16(0x1.8p-25F), 1);
  EXPECT_EQ(narrow_f16(65519.0F), 0x7BFF);
}

TEST(Halves, WhatIsTooLargeIsInfiniteAndNoNumberStaysNone) {
  EXPECT_EQ(narrow_f16(65520.0F), 0x7C00);
  EXPECT_EQ(narrow_f16(-1e9F), 0xFC00);
  EXPECT_EQ(narrow_f16(std::numeric_limits<float>::infinity()), 0x7C00);
  EXPECT_EQ(narrow_f16(std::numeric_limits<float>::quiet_NaN()) & 0x7E00, 0x7E00);
}

}  // namespace
}  // namespace moa
