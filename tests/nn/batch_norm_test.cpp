#include "nn/batch_norm.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

Parameter vector_of(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Parameter::from_values("v", {size}, std::move(values));
}

// Two channels: (x - 2) / sqrt(3.75 + 0.25) * 3 + 1, and (x + 1) / sqrt(0.75 + 0.25) * 0.5 - 1.
const BatchNorm kNorm{vector_of({3, 0.5}), vector_of({1, -1}), vector_of({2, -1}), vector_of({3.75, 0.75}),
                      0.25};

TEST(BatchNorm, IsFoldedIntoTheConvolutionBeforeIt) {
  const Convolution convolution{Parameter::from_values("w", {2, 1, 1, 3}, {2, 4, 6, 8, 10, 12}), {}};
  const Convolution both = folded(convolution, kNorm);
  EXPECT_EQ(both.weight.shape(), (Shape{2, 1, 1, 3}));
  EXPECT_EQ(both.weight.read(), (std::vector<float>{3, 6, 9, 4, 5, 6}));
  EXPECT_EQ(both.bias.read(), (std::vector<float>{-2, -0.5}));
}

TEST(BatchNorm, MovesTheConvolutionsOwnBiasToo) {
  const Convolution convolution{Parameter::from_values("w", {2, 1, 1, 1}, {1, 1}), vector_of({4, -2})};
  EXPECT_EQ(folded(convolution, kNorm).bias.read(), (std::vector<float>{4, -1.5}));
}

TEST(BatchNorm, RowsOfAFoldedWeightAreThoseOfTheWhole) {
  const Convolution convolution{Parameter::from_values("w", {2, 1, 1, 3}, {2, 4, 6, 8, 10, 12}), {}};
  std::vector<float> second(3);
  folded(convolution, kNorm).weight.read_rows(1, 1, second.data());
  EXPECT_EQ(second, (std::vector<float>{4, 5, 6}));
}

TEST(BatchNorm, AVarianceThatIsNotFiniteIsRefused) {
  const Convolution convolution{Parameter::from_values("w", {2, 1, 1, 1}, {1, 1}), {}};
  BatchNorm norm = kNorm;
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    norm.variance = vector_of({1, bad});
    MOA_EXPECT_ERROR(folded(convolution, norm).weight.read(), corrupt_data);
  }
}

}  // namespace
}  // namespace moa
