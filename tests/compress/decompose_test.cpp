#include "compress/decompose.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "tensor/factored.hpp"

namespace moa {
namespace {

constexpr std::int64_t kAnyNumber = std::int64_t{1} << 40;

std::vector<float> random_matrix(std::int64_t rows, std::int64_t columns, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (float& value : values) value = normal(random);
  return values;
}

// left right, both random.
std::vector<float> matrix_of_rank(std::int64_t rows, std::int64_t columns, std::int64_t rank) {
  const std::vector<float> left = random_matrix(rows, rank, 2);
  const std::vector<float> right = random_matrix(rank, columns, 3);
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (std::int64_t k = 0; k < rank; ++k) {
        sum += static_cast<double>(left[static_cast<std::size_t>(row * rank + k)]) *
               right[static_cast<std::size_t>(k * columns + column)];
      }
      values[static_cast<std::size_t>(row * columns + column)] = static_cast<float>(sum);
    }
  }
  return values;
}

Parameter multiplied_out(const Decomposition& found) {
  std::vector<Parameter> factors;
  for (const Factor& factor : found.factors) {
    factors.push_back(Parameter::from_values("w", Shape(factor.extents), factor.values));
  }
  if (factors.size() == 2) return low_rank_matrix("w", factors[0], factors[1]);
  return tensor_train_matrix("w", factors[0], factors[1], factors[2]);
}

double relative_difference(const std::vector<float>& matrix, const std::vector<float>& other) {
  double difference = 0;
  double length = 0;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    difference += std::pow(static_cast<double>(matrix[i]) - other[i], 2);
    length += std::pow(static_cast<double>(matrix[i]), 2);
  }
  return std::sqrt(difference / length);
}

struct Case {
  std::int64_t rows, columns;
};
class Decompose : public testing::TestWithParam<Case> {};

TEST_P(Decompose, StaysWithinTheErrorAllowedAndTellsIt) {
  const auto [rows, columns] = GetParam();
  const std::vector<float> matrix = random_matrix(rows, columns);
  for (const auto& decompose : {low_rank, tensor_train}) {
    std::int64_t numbers_before = kAnyNumber;
    for (const double error : {0.01, 0.1, 0.3, 0.7}) {
      const auto found = decompose({matrix, rows, columns}, {error, kAnyNumber, {}});
      ASSERT_TRUE(found);
      const Parameter product = multiplied_out(*found);
      EXPECT_EQ(product.shape(), (Shape{rows, columns}));
      EXPECT_LE(found->error, error);
      EXPECT_NEAR(relative_difference(matrix, product.read()), found->error, 1e-5);
      EXPECT_LE(found->numbers, numbers_before) << "a larger error takes fewer numbers";
      numbers_before = found->numbers;
    }
  }
}

TEST_P(Decompose, IsExactWhereNothingIsCut) {
  const auto [rows, columns] = GetParam();
  const std::vector<float> matrix = random_matrix(rows, columns);
  for (const auto& decompose : {low_rank, tensor_train}) {
    const auto found = decompose({matrix, rows, columns}, {1e-6, kAnyNumber, {}});
    ASSERT_TRUE(found);
    EXPECT_LT(relative_difference(matrix, multiplied_out(*found).read()), 1e-6);
  }
}

TEST_P(Decompose, FindsALowRankThatIsThere) {
  const auto [rows, columns] = GetParam();
  const auto found = low_rank({matrix_of_rank(rows, columns, 5), rows, columns}, {1e-5, kAnyNumber, {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ranks, std::vector<std::int64_t>{5});
}

TEST_P(Decompose, CutsOffTheTailOfTheSingularValues) {
  const auto [rows, columns] = GetParam();
  const std::vector<float> matrix = random_matrix(rows, columns);
  const std::vector<double> values = singular_values({matrix, rows, columns});
  const auto found = low_rank({matrix, rows, columns}, {0.5, kAnyNumber, {}});
  ASSERT_TRUE(found);
  double all = 0;
  double tail = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    all += values[i] * values[i];
    if (i >= static_cast<std::size_t>(found->ranks[0])) tail += values[i] * values[i];
  }
  EXPECT_NEAR(found->error, std::sqrt(tail / all), 1e-6);
  const double last = values[static_cast<std::size_t>(found->ranks[0]) - 1];
  EXPECT_GT(std::sqrt((tail + last * last) / all), 0.5) << "one rank fewer would do";
}

INSTANTIATE_TEST_SUITE_P(Shapes, Decompose,
                         testing::Values(Case{48, 64}, Case{64, 48}, Case{64, 64}, Case{13, 96}));

// numpy.linalg.svd of [[2, 0, 1], [-1, 3, 2]], NumPy 2.4: 3.741657386773941, 2.23606797749979 (the Gram
// matrix [[5, 0], [0, 14]] has the eigenvalues 14 and 5).
TEST(SingularValues, AreThoseOfTheReference) {
  const std::vector<float> matrix{2, 0, 1, -1, 3, 2};
  const std::vector<double> values = singular_values({matrix, 2, 3});
  ASSERT_EQ(values.size(), 2U);
  EXPECT_NEAR(values[0], std::sqrt(14.0), 1e-12);
  EXPECT_NEAR(values[1], std::sqrt(5.0), 1e-12);
}

TEST(LowRank, SplitsTheSingularValuesEvenly) {
  const std::vector<float> matrix = matrix_of_rank(24, 40, 3);
  const auto found = low_rank({matrix, 24, 40}, {1e-5, kAnyNumber, {}});
  ASSERT_TRUE(found);
  const std::vector<double> of_left = singular_values({found->factors[0].values, 24, 3});
  const std::vector<double> of_right = singular_values({found->factors[1].values, 3, 40});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(of_left[i] / of_right[i], 1, 1e-5);
}

TEST(Decomposition, IsEmptyWhereNoProductIsSmaller) {
  const std::vector<float> matrix = random_matrix(32, 32);
  EXPECT_FALSE(low_rank({matrix, 32, 32}, {0.1, 32 * 32, {}}));
  EXPECT_FALSE(tensor_train({matrix, 32, 32}, {0.1, 32 * 32, {}}));
  EXPECT_FALSE(low_rank({std::vector<float>(1024), 32, 32}, {0.1, 32 * 32, {}})) << "all zeros";
}

TEST(Decomposition, CountsWhatRoundingAddsToTheError) {
  const std::vector<float> matrix = random_matrix(64, 64);
  const auto coarse = [](float value) { return std::round(value * 256) / 256; };
  for (const auto& decompose : {low_rank, tensor_train}) {
    const auto found = decompose({matrix, 64, 64}, {0.3, kAnyNumber, coarse});
    ASSERT_TRUE(found);
    for (const Factor& factor : found->factors) {
      for (const float value : factor.values) EXPECT_EQ(value, coarse(value));
    }
    EXPECT_LE(found->error, 0.3);
    EXPECT_NEAR(relative_difference(matrix, multiplied_out(*found).read()), found->error, 1e-5);
  }
}

}  // namespace
}  // namespace moa
