#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuRows : public CpuLevel {};

double exactly(Activation kind, double x) {
  switch (kind) {
    case Activation::none:
      return x;
    case Activation::quick_gelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::gelu:
      return x * std::erfc(-x / std::sqrt(2.0)) / 2;
    case Activation::gelu_tanh:
      return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu6:
      return std::min(std::max(x, 0.0), 6.0);
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

constexpr Activation kActivations[] = {Activation::none,      Activation::quick_gelu, Activation::gelu,
                                       Activation::gelu_tanh, Activation::relu,       Activation::relu6,
                                       Activation::silu,      Activation::tanh,       Activation::sigmoid};

struct Product {
  std::int64_t rows, depth, columns;
};

TEST_P(CpuRows, LinearAgreesWithDoubles) {
  std::vector<Product> sizes{{1, 1, 1},    {2, 3, 5},     {5, 17, 15},    {6, 64, 64},
                             {7, 33, 65},  {13, 129, 31}, {50, 100, 130}, {1, 511, 17},
                             {1, 512, 64}, {3, 513, 300}, {8, 1030, 48},  {97, 48, 144}};
  for (std::int64_t rows = 1; rows <= 20; ++rows) sizes.push_back({rows, 31, 47});
  for (std::int64_t columns = 1; columns <= 70; ++columns) sizes.push_back({4, 9, columns});
  for (const Product& size : sizes) {
    const std::vector<float> x = random_values(size.rows * size.depth, 1);
    const std::vector<float> residual = random_values(size.rows * size.columns, 2);
    const Linear layer{random_parameter("w", {size.columns, size.depth}, 3, 0.2F),
                       random_parameter("b", {size.columns}, 4)};
    const std::vector<float> w = layer.weight.read();
    const std::vector<float> b = layer.bias.read();
    std::vector<double> expected;
    for (std::int64_t r = 0; r < size.rows; ++r) {
      for (std::int64_t c = 0; c < size.columns; ++c) {
        double sum = b[static_cast<std::size_t>(c)];
        for (std::int64_t d = 0; d < size.depth; ++d) {
          sum += static_cast<double>(x[static_cast<std::size_t>(r * size.depth + d)]) *
                 w[static_cast<std::size_t>(c * size.depth + d)];
        }
        expected.push_back(exactly(Activation::gelu, sum) +
                           residual[static_cast<std::size_t>(r * size.columns + c)]);
      }
    }
    const Rows in = rows_from(*ops, x, 1, size.rows, size.depth);
    const Rows added = rows_from(*ops, residual, 1, size.rows, size.columns);
    const Rows out = ops->linear(in, layer, {.activation = Activation::gelu, .residual = &added});
    expect_near(ops->read(out), expected, 2e-5, to_string(Shape{size.rows, size.depth, size.columns}));
  }
}

TEST_P(CpuRows, LinearNeedsNoBias) {
  const Linear layer{Parameter::from_values("w", {1, 2}, {2, 3}), {}};
  EXPECT_EQ(ops->read(ops->linear(rows_from(*ops, {1, 10}, 1, 1, 2), layer, {})), std::vector<float>{32});
}

TEST_P(CpuRows, ActivationsAgreeWithDoubles) {
  std::vector<float> x;
  for (double v = -30; v <= 30; v += 0.003) x.push_back(static_cast<float>(v));
  for (const float v : {0.0F, -0.0F, 1e-30F, -1e-8F, 1e-4F, 100.0F, -100.0F, 1e20F, -1e20F}) x.push_back(v);
  const auto count = static_cast<std::int64_t>(x.size());
  for (const Activation kind : kActivations) {
    std::vector<double> errors_allowed;
    const std::vector<float> found = ops->read(ops->activation(rows_from(*ops, x, 1, 1, count), kind));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = exactly(kind, x[i]);
      // One rounding of the result, and 2e-7 for the curve.
      EXPECT_NEAR(found[i], expected, 2e-7 + 2e-7 * std::abs(expected))
          << static_cast<int>(kind) << " of " << x[i];
    }
  }
}

TEST_P(CpuRows, ActivationsOfOneValueDoNotDependOnItsPlace) {
  const std::vector<float> x = random_values(37, 5, 3);
  for (const Activation kind : kActivations) {
    const std::vector<float> whole = ops->read(ops->activation(rows_from(*ops, x, 1, 1, 37), kind));
    const std::vector<float> single = ops->read(ops->activation(rows_from(*ops, x, 1, 37, 1), kind));
    EXPECT_EQ(whole, single) << static_cast<int>(kind);
  }
}

TEST_P(CpuRows, LayerNormAgreesWithDoubles) {
  for (const std::int64_t width : {1, 2, 7, 16, 48, 63, 65, 512, 769}) {
    std::vector<float> x = random_values(3 * width, 6);
    for (float& value : x) value += 10;  // a mean far from 0
    const LayerNorm norm{random_parameter("w", {width}, 7), random_parameter("b", {width}, 8), 1e-5};
    const std::vector<float> w = norm.weight.read();
    const std::vector<float> b = norm.bias.read();
    std::vector<double> expected;
    for (std::int64_t row = 0; row < 3; ++row) {
      const float* from = x.data() + row * width;
      double mean = 0;
      double variance = 0;
      for (std::int64_t i = 0; i < width; ++i) mean += from[i] / static_cast<double>(width);
      for (std::int64_t i = 0; i < width; ++i) {
        variance += (from[i] - mean) * (from[i] - mean) / static_cast<double>(width);
      }
      for (std::int64_t i = 0; i < width; ++i) {
        expected.push_back((from[i] - mean) / std::sqrt(variance + norm.eps) *
                               w[static_cast<std::size_t>(i)] +
                           b[static_cast<std::size_t>(i)]);
      }
    }
    // Values near 10 carry rounding of 1e-6, which the normalisation passes on.
    expect_near(ops->read(ops->layer_norm(rows_from(*ops, x, 1, 3, width), norm)), expected, 2e-5,
                std::to_string(width));
  }
}

TEST_P(CpuRows, SoftmaxAgreesWithDoubles) {
  for (const std::int64_t width : {1, 3, 16, 17, 100}) {
    const std::vector<float> x = random_values(2 * width, 9, 30);
    std::vector<double> expected;
    for (std::int64_t row = 0; row < 2; ++row) {
      const float* from = x.data() + row * width;
      const double largest = 0.7 * *std::max_element(from, from + width);
      double sum = 0;
      for (std::int64_t i = 0; i < width; ++i) sum += std::exp(0.7 * from[i] - largest);
      for (std::int64_t i = 0; i < width; ++i) expected.push_back(std::exp(0.7 * from[i] - largest) / sum);
    }
    expect_near(ops->read(ops->softmax(rows_from(*ops, x, 1, 2, width), 0.7)), expected, 3e-6);
  }
}

TEST_P(CpuRows, L2NormalizeGivesUnitRows) {
  const std::vector<float> found = ops->read(ops->l2_normalize(rows_from(*ops, {3, 4, 0, 5}, 1, 2, 2), 0));
  expect_near(found, {0.6, 0.8, 0, 1}, 1e-7);
}

TEST_P(CpuRows, L2NormalizeDividesShortRowsByEps) {
  const std::vector<float> found = ops->read(ops->l2_normalize(rows_from(*ops, {0, 0.5}, 1, 1, 2), 2));
  expect_near(found, {0, 0.25}, 1e-7);
}

TEST_P(CpuRows, MultipliesRowsAndAllByOneRow) {
  const Rows x = rows_from(*ops, {1, 2, 3, 4}, 1, 2, 2);
  EXPECT_EQ(ops->read(ops->multiply(x, x)), (std::vector<float>{1, 4, 9, 16}));
  const Parameter row = Parameter::from_values("row", {2}, {10, 20});
  EXPECT_EQ(ops->read(ops->multiply_row(x, row)), (std::vector<float>{10, 40, 30, 80}));
  const Rows narrow = ops->columns(x, 0, 1);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->multiply(x, narrow); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->multiply_row(narrow, row); });
}

TEST_P(CpuRows, AddsRowsAndOneRowToAll) {
  const Rows x = rows_from(*ops, {1, 2, 3, 4}, 1, 2, 2);
  EXPECT_EQ(ops->read(ops->add(x, x)), (std::vector<float>{2, 4, 6, 8}));
  const Parameter row = Parameter::from_values("row", {2}, {10, 20});
  EXPECT_EQ(ops->read(ops->add_row(x, row)), (std::vector<float>{11, 22, 13, 24}));
}

TEST_P(CpuRows, ColumnsAreAViewThatOperationsAccept) {
  const Rows x = rows_from(*ops, {1, 2, 3, 4, 5, 6}, 1, 2, 3);
  const Rows last_two = ops->columns(x, 1, 2);
  EXPECT_EQ(ops->read(last_two), (std::vector<float>{2, 3, 5, 6}));
  const Linear sum{Parameter::from_values("w", {1, 2}, {1, 1}), {}};
  EXPECT_EQ(ops->read(ops->linear(last_two, sum, {})), (std::vector<float>{5, 11}));
  EXPECT_EQ(ops->read(ops->columns(last_two, 1, 1)), (std::vector<float>{3, 6}));
}

TEST_P(CpuRows, NanAndInfinityStayInTheirRow) {
  std::vector<float> x = random_values(4 * 40, 10);
  x[45] = NAN;
  x[85] = INFINITY;
  const Linear layer{random_parameter("w", {40, 40}, 11, 0.2F), random_parameter("b", {40}, 12)};
  const LayerNorm norm{random_parameter("n", {40}, 13), random_parameter("m", {40}, 14)};
  for (const Activation kind : kActivations) {
    const Rows in = rows_from(*ops, x, 1, 4, 40);
    const std::vector<float> out = ops->read(ops->layer_norm(
        ops->softmax(ops->linear(in, layer, {.activation = kind, .residual = &in}), 1), norm));
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_TRUE(std::isfinite(out[i])) << static_cast<int>(kind);
      EXPECT_TRUE(std::isnan(out[40 + i])) << static_cast<int>(kind);
      EXPECT_TRUE(std::isfinite(out[120 + i])) << static_cast<int>(kind);
    }
  }
}

TEST_P(CpuRows, BiasesAndNormsThatAreNotFiniteAreRefused) {
  const Parameter w = random_parameter("w", {8, 8}, 15);
  const Parameter sound = random_parameter("s", {8}, 16);
  const Rows x = rows_from(*ops, random_values(8, 17), 1, 1, 8);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> numbers = random_values(8, 18);
    numbers[7] = bad;
    const Parameter broken = Parameter::from_values("b", {8}, numbers);
    expect_error(ErrorCode::corrupt_data, [&] {
      ops->linear(x, {w, broken}, {.activation = Activation::relu});
    });
    expect_error(ErrorCode::corrupt_data, [&] { ops->layer_norm(x, {sound, broken}); });
    expect_error(ErrorCode::corrupt_data, [&] { ops->layer_norm(x, {broken, sound}); });
  }
}

TEST_P(CpuRows, RefusesShapesThatContradictEachOther) {
  const Rows x = rows_from(*ops, {1, 2, 3, 4}, 1, 2, 2);
  const Rows y = rows_from(*ops, {1, 2, 3, 4}, 2, 1, 2);
  const Parameter w3 = random_parameter("w", {3, 3}, 15);
  const Parameter w2 = random_parameter("w", {3, 2}, 15);
  const Parameter row = random_parameter("row", {3}, 15);
  const Parameter row2 = random_parameter("row", {2}, 15);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->linear(x, {w3, {}}, {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->linear(x, {w2, row2}, {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->linear(x, {w2, row}, {.residual = &x}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->layer_norm(x, {row, row}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->add_row(x, row); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->add(x, y); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->columns(x, 1, 2); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->columns(x, -1, 1); });
}

MOA_AT_EVERY_LEVEL(CpuRows);

}  // namespace
}  // namespace moa
