#include "embed/dot.hpp"

#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace moa {
namespace {

TEST(Dot, HasTheSameBitsAsSixteenPlainPartialSums) {
  for (std::size_t length = 0; length < 70; ++length) {
    std::vector<float> a(length);
    std::vector<float> b(length);
    std::array<float, 16> sums{};
    for (std::size_t i = 0; i < length; ++i) {
      a[i] = std::sin(static_cast<float>(i));
      b[i] = std::cos(static_cast<float>(3 * i));
      sums[i % 16] += a[i] * b[i];
    }
    for (std::size_t half = 8; half > 0; half /= 2) {
      for (std::size_t lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    }
    EXPECT_EQ(dot(a, b), sums[0]) << length;
  }
}

}  // namespace
}  // namespace moa
