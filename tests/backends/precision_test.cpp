// Products in bf16 and int8.
#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuPrecision : public testing::TestWithParam<CpuRun> {
 protected:
  CpuPrecision()
      : backend({.precision = GetParam().precision, .threads = 2}, kernels_at(GetParam().level)),
        ops(backend.interpreter()) {}
  bool is_int8() const { return GetParam().precision == Precision::int8; }
  bool bounds_weights() const {
    return is_int8() && kernels_at(GetParam().level).int8.to_bound_int8 != nullptr;
  }

  CpuBackend backend;
  std::unique_ptr<Interpreter> ops;
};

struct Product {
  std::int64_t rows, depth, columns;
};

// Every tail of rows, depth and columns that a tile may have, and depths beyond what a kernel takes at once.
std::vector<Product> sizes() {
  std::vector<Product> sizes{{1, 1, 1},     {2, 3, 5},      {5, 17, 15},   {6, 64, 64},    {7, 33, 65},
                             {13, 129, 31}, {50, 100, 130}, {1, 1023, 17}, {3, 1025, 300}, {2, 2049, 70},
                             {4, 4100, 20}, {97, 48, 144},  {33, 31, 33},  {16, 64, 16},   {17, 65, 17}};
  for (std::int64_t rows = 1; rows <= 34; ++rows) sizes.push_back({rows, 31, 47});
  for (std::int64_t columns = 1; columns <= 70; ++columns) sizes.push_back({4, 9, columns});
  for (std::int64_t depth = 1; depth <= 70; ++depth) sizes.push_back({3, depth, 18});
  return sizes;
}

float as_bf16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return std::bit_cast<float>((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000U);
}

// What is positive and what is negative in the groups of weights whose products are added up in 16 bits: of
// eight numbers the first two and the fifth and sixth, and the others.
class Groups {
 public:
  explicit Groups(std::int64_t width) : sums_(static_cast<std::size_t>((width + 7) / 8 * 4)) {}
  double& of(std::int64_t i, bool positive) {
    return sums_[static_cast<std::size_t>(i / 8 * 4 + i % 4 / 2 * 2 + (positive ? 1 : 0))];
  }
  double most() const { return *std::max_element(sums_.begin(), sums_.end()); }

 private:
  std::vector<double> sums_;
};

constexpr int kMostOfGroup = 126;  // 128 less what rounding four numbers may add

// The numbers of one row that the precision stands for; `bound`: weights of a level that bounds groups in
// int8.
std::vector<double> narrow(const float* x, std::int64_t width, Precision precision, bool bound = false) {
  std::vector<double> numbers(x, x + width);
  Groups groups(width);
  double most = 0;
  for (std::int64_t i = 0; i < width; ++i) {
    groups.of(i, x[i] > 0) += std::abs(x[i]);
    most = std::max<double>(most, std::abs(x[i]));
  }
  const double step = bound ? groups.most() / kMostOfGroup : most / 127;
  for (double& number : numbers) {
    number = precision == Precision::bf16 ? as_bf16(static_cast<float>(number))
                                          : std::nearbyint(number / step) * step;
  }
  return numbers;
}

TEST_P(CpuPrecision, LinearAgreesWithDoublesOfTheNarrowedNumbers) {
  for (const Product& size : sizes()) {
    const std::vector<float> x = random_values(size.rows * size.depth, 1);
    const std::vector<float> residual = random_values(size.rows * size.columns, 2);
    const Linear layer{random_parameter("w", {size.columns, size.depth}, 3, 0.2F),
                       random_parameter("b", {size.columns}, 4)};
    const std::vector<float> w = layer.weight.read();
    const std::vector<float> b = layer.bias.read();
    std::vector<double> expected;
    double magnitude = 1;
    for (std::int64_t r = 0; r < size.rows; ++r) {
      const std::vector<double> row = narrow(x.data() + r * size.depth, size.depth, GetParam().precision);
      for (std::int64_t c = 0; c < size.columns; ++c) {
        const std::vector<double> column =
            narrow(w.data() + c * size.depth, size.depth, GetParam().precision, bounds_weights());
        double sum = b[static_cast<std::size_t>(c)];
        for (std::size_t d = 0; d < row.size(); ++d) sum += row[d] * column[d];
        magnitude = std::max(magnitude, std::abs(sum));
        expected.push_back(std::max(sum, 0.0) + residual[static_cast<std::size_t>(r * size.columns + c)]);
      }
    }
    const Rows in = rows_from(*ops, x, 1, size.rows, size.depth);
    const Rows added = rows_from(*ops, residual, 1, size.rows, size.columns);
    const Rows out = ops->linear(in, layer, {.activation = Activation::relu, .residual = &added});
    // Products are exact, sums are f32. In int8 a number that lies between two integers may go to the other
    // one, as its quotient is rounded too: one step, 4 / 127, of one number times a weight.
    expect_near(ops->read(out), expected, 1e-5 * magnitude + (is_int8() ? 0.03 : 0),
                to_string(Shape{size.rows, size.depth, size.columns}));
  }
}

TEST_P(CpuPrecision, SumsOfSmallIntegersAreExact) {
  // Every row's largest magnitude is 127, and every column's or, where they are bound, the sum of its largest
  // group 126: both scales are 1 in int8. bf16 holds such integers too.
  std::mt19937 random(5);
  for (const Product& size : sizes()) {
    const auto integers = [&](std::int64_t rows, bool bound) {
      std::vector<float> values;
      for (std::int64_t row = 0; row < rows; ++row) {
        Groups groups(size.depth);
        for (std::int64_t i = 0; i < size.depth; ++i) {
          const bool positive = random() % 2 == 0;
          double& sum = groups.of(i, positive);
          const auto most = bound ? static_cast<unsigned>(kMostOfGroup - sum) : 127U;
          const unsigned magnitude = i == 0 ? most : random() % (most + 1);
          sum += magnitude;
          values.push_back(static_cast<float>(magnitude) * (positive ? 1.0F : -1.0F));
        }
      }
      return values;
    };
    const std::vector<float> x = integers(size.rows, false);
    const std::vector<float> w = integers(size.columns, bounds_weights());
    std::vector<float> expected;
    for (std::int64_t r = 0; r < size.rows; ++r) {
      for (std::int64_t c = 0; c < size.columns; ++c) {
        std::int64_t sum = 0;
        for (std::int64_t d = 0; d < size.depth; ++d) {
          sum += static_cast<std::int64_t>(x[static_cast<std::size_t>(r * size.depth + d)]) *
                 static_cast<std::int64_t>(w[static_cast<std::size_t>(c * size.depth + d)]);
        }
        ASSERT_LT(std::abs(sum), 1 << 24);
        expected.push_back(static_cast<float>(sum));
      }
    }
    const Linear layer{Parameter::from_values("w", {size.columns, size.depth}, w), {}};
    ASSERT_EQ(ops->read(ops->linear(rows_from(*ops, x, 1, size.rows, size.depth), layer)), expected)
        << to_string(Shape{size.rows, size.depth, size.columns});
  }
}

// Rows of integers with a scale for each, as a quantized directory has them.
class StoredInt8 final : public ParameterSource {
 public:
  StoredInt8(std::vector<std::int8_t> integers, float scale)
      : integers_(std::move(integers)), scale_(scale) {}
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    for (std::int64_t i = 0; i < count; ++i) out[i] = scale_ * integers_[static_cast<std::size_t>(first + i)];
  }
  bool read_int8(std::int64_t first, std::int64_t count, std::int64_t width, std::int8_t* out,
                 float* scales) const override {
    std::copy_n(integers_.begin() + first, count, out);
    std::fill_n(scales, count / width, scale_);
    return true;
  }

 private:
  std::vector<std::int8_t> integers_;
  float scale_;
};

TEST_P(CpuPrecision, StoredIntegersOfAnySizeGiveTheirProduct) {
  // Groups of the largest magnitudes, times the largest activations: what 16 bits would cut off.
  constexpr std::int64_t kDepth = 66;
  std::vector<std::int8_t> integers;
  for (const int value : {127, -127, -128, 64, 1}) {
    for (std::int64_t d = 0; d < kDepth; ++d) integers.push_back(static_cast<std::int8_t>(value));
  }
  const std::vector<std::int8_t> row = {127, 3, -90, 127, 127, -127, 0, 55, 127, 1, 64, 64};
  for (std::int64_t d = 0; d < kDepth; ++d) integers.push_back(row[static_cast<std::size_t>(d) % row.size()]);
  const auto source = std::make_shared<StoredInt8>(integers, 0.25F);
  const std::int64_t columns = static_cast<std::int64_t>(integers.size()) / kDepth;
  const Linear layer{Parameter("w", {columns, kDepth}, DType::i8, source), {}};
  std::vector<float> x(kDepth * 2, 1);
  for (std::size_t d = 0; d < kDepth; ++d) x[kDepth + d] = d % 2 == 0 ? -1.0F : 1.0F;
  std::vector<double> expected;
  for (std::size_t r = 0; r < 2; ++r) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(columns); ++c) {
      double sum = 0;
      for (std::size_t d = 0; d < kDepth; ++d) sum += 0.25 * integers[c * kDepth + d] * x[r * kDepth + d];
      expected.push_back(sum);
    }
  }
  // A coarser scale, where one is needed, moves a number by half a step, of little more than 4 * 0.25.
  expect_near(ops->read(ops->linear(rows_from(*ops, x, 1, 2, kDepth), layer)), expected,
              bounds_weights() ? kDepth * 0.51 : 1e-3);
}

TEST_P(CpuPrecision, AProductThatAsksForF32HasTheBitsOfAnF32Run) {
  const Linear layer{random_parameter("w", {70, 90}, 6, 0.1F), random_parameter("b", {70}, 7)};
  const std::vector<float> x = random_values(9 * 90, 8);
  CpuBackend f32_backend({.threads = 2}, kernels_at(GetParam().level));
  const auto f32_ops = f32_backend.interpreter();
  const std::vector<float> expected = f32_ops->read(f32_ops->linear(rows_from(*f32_ops, x, 1, 9, 90), layer));
  const Rows in = rows_from(*ops, x, 1, 9, 90);
  EXPECT_EQ(ops->read(ops->linear(in, layer, {.precision = ProductPrecision::f32})), expected);
  EXPECT_NE(ops->read(ops->linear(in, layer)), expected);
}

TEST_P(CpuPrecision, AConvolutionThatAsksForMoreHasTheBitsOfARunInIt) {
  const Convolution layer{random_parameter("w", {20, 24, 1, 1}, 32, 0.1F), {}};
  const std::vector<float> values = random_values(2 * 24 * 5 * 5, 33);
  const auto run = [&](Interpreter& interpreter, ProductPrecision asked) {
    // Of an activation: a convolution of the pixels themselves is f32 anyway.
    const Tensor x = interpreter.activation(interpreter.pixels(values, 2, 24, 5, 5), Activation::gelu);
    return interpreter.read(interpreter.rows_of(interpreter.convolution(x, layer, {.precision = asked})));
  };
  for (const auto& [asked, precision] : {std::pair(ProductPrecision::bf16, Precision::bf16),
                                         std::pair(ProductPrecision::f32, Precision::f32)}) {
    CpuBackend other({.precision = precision, .threads = 2}, kernels_at(GetParam().level));
    EXPECT_EQ(run(*ops, asked), run(*other.interpreter(), ProductPrecision::of_run));
  }
}

TEST_P(CpuPrecision, AProductThatAsksForBf16HasAtLeastThatAndSharesItsRowsWithOthers) {
  const Linear layer{random_parameter("w", {70, 90}, 30, 0.1F), {}};
  const std::vector<float> x = random_values(9 * 90, 31);
  CpuBackend bf16_backend({.precision = Precision::bf16, .threads = 2}, kernels_at(GetParam().level));
  const auto bf16_ops = bf16_backend.interpreter();
  const std::vector<float> expected =
      bf16_ops->read(bf16_ops->linear(rows_from(*bf16_ops, x, 1, 9, 90), layer));
  const Rows in = rows_from(*ops, x, 1, 9, 90);
  const std::vector<float> of_run = ops->read(ops->linear(in, layer));
  EXPECT_EQ(ops->read(ops->linear(in, layer, {.precision = ProductPrecision::bf16})), expected);
  EXPECT_EQ(ops->read(ops->linear(in, layer)), of_run);
}

TEST_P(CpuPrecision, ConvolutionsOfPixelsAreF32AndLaterOnesAreNot) {
  const Convolution stem{random_parameter("stem", {24, 3, 3, 3}, 9), random_parameter("b", {24}, 10)};
  const Convolution next{random_parameter("next", {16, 24, 1, 1}, 11), {}};
  const Convolution wide{random_parameter("wide", {16, 24, 3, 3}, 12), {}};
  const std::vector<float> values = random_values(2 * 3 * 9 * 9, 13);
  const auto run = [&](Interpreter& interpreter, const Convolution* second) {
    Tensor x = interpreter.convolution(interpreter.pixels(values, 2, 3, 9, 9), stem, {});
    if (second != nullptr) x = interpreter.convolution(x, *second, {});
    return interpreter.read(interpreter.rows_of(x));
  };
  CpuBackend f32_backend({.threads = 2}, kernels_at(GetParam().level));
  const auto f32_ops = f32_backend.interpreter();
  EXPECT_EQ(run(*ops, nullptr), run(*f32_ops, nullptr));
  for (const Convolution* second : {&next, &wide}) {
    const std::vector<float> exact = run(*f32_ops, second);
    const std::vector<float> found = run(*ops, second);
    EXPECT_NE(found, exact);
    double most = 0;
    for (const float value : exact) most = std::max(most, std::abs(static_cast<double>(value)));
    expect_near(found, {exact.begin(), exact.end()}, most * (is_int8() ? 0.03 : 0.01));
  }
}

TEST_P(CpuPrecision, WhatIsReadByProductsAndByOthersIsTheSame) {
  // A norm's output is narrowed for one linear, added to another's result, and read.
  const std::int64_t width = 200;
  const LayerNorm norm{random_parameter("n", {width}, 14), random_parameter("nb", {width}, 15)};
  const Linear layer{random_parameter("w", {width, width}, 16, 0.1F), {}};
  const std::vector<float> x = random_values(60 * width, 17);
  const auto run = [&](bool look_first) {
    const Rows normal = ops->layer_norm(rows_from(*ops, x, 1, 60, width), norm);
    if (look_first) ops->read(normal);
    const Rows product = ops->linear(normal, layer, {.residual = &normal});
    return ops->read(ops->add(product, normal));
  };
  EXPECT_EQ(run(true), run(false));
}

TEST_P(CpuPrecision, ColumnsOfRowsAreNarrowedOnTheirOwn) {
  const Linear layer{random_parameter("w", {20, 32}, 18, 0.1F), {}};
  const std::vector<float> x = random_values(5 * 64, 19);
  const Rows rows = rows_from(*ops, x, 1, 5, 64);
  const Linear whole{random_parameter("v", {8, 64}, 20), {}};
  ops->linear(rows, whole);  // now the rows are narrowed as a whole
  std::vector<float> right;
  for (std::size_t row = 0; row < 5; ++row) {
    right.insert(right.end(), x.begin() + static_cast<std::ptrdiff_t>(row * 64 + 32),
                 x.begin() + static_cast<std::ptrdiff_t>(row * 64 + 64));
  }
  EXPECT_EQ(ops->read(ops->linear(ops->columns(rows, 32, 32), layer)),
            ops->read(ops->linear(rows_from(*ops, right, 1, 5, 32), layer)));
}

TEST_P(CpuPrecision, ARowThatIsNotFiniteIsNaNAndItsNeighboursAreNot) {
  const Linear layer{random_parameter("w", {40, 70}, 21, 0.1F), random_parameter("b", {40}, 22)};
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    std::vector<float> x = random_values(40 * 70, 23);
    const std::vector<float> clean = ops->read(ops->linear(rows_from(*ops, x, 1, 40, 70), layer));
    x[17 * 70 + 69] = bad;
    const std::vector<float> found = ops->read(ops->linear(rows_from(*ops, x, 1, 40, 70), layer));
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (i / 40 == 17) {
        EXPECT_FALSE(std::isfinite(found[i])) << i;
      } else {
        ASSERT_EQ(found[i], clean[i]) << i;
      }
    }
  }
}

TEST_P(CpuPrecision, RowsOfZerosAndOfTinyNumbersGiveTheBias) {
  const Linear layer{random_parameter("w", {20, 30}, 24), random_parameter("b", {20}, 25)};
  for (const float tiny : {0.0F, 1e-38F, 1e-44F}) {
    const std::vector<float> x(30, tiny);
    EXPECT_EQ(ops->read(ops->linear(rows_from(*ops, x, 1, 1, 30), layer)), layer.bias.read());
  }
}

TEST_P(CpuPrecision, WeightsThatAreNotFiniteAreRefused) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> w = random_values(70 * 33, 26);
    w[69 * 33 + 32] = bad;
    const Linear layer{Parameter::from_values("w", {70, 33}, w), {}};
    const Rows x = rows_from(*ops, random_values(33, 27), 1, 1, 33);
    expect_error(ErrorCode::corrupt_data, [&] { ops->linear(x, layer); });
    expect_error(ErrorCode::corrupt_data,
                 [&] { ops->linear(x, layer, {.precision = ProductPrecision::f32}); });
  }
}

TEST_P(CpuPrecision, WeightsTakeTheirShareOfMemory) {
  const Linear layer{random_parameter("w", {512, 512}, 28), {}};
  const Rows x = rows_from(*ops, random_values(512, 29), 1, 1, 512);
  ops->linear(x, layer);
  EXPECT_EQ(backend.memory().prepared_bytes, 0);
  ops->linear(x, layer);
  const std::int64_t bytes = backend.memory().prepared_bytes;
  const std::int64_t numbers = 512 * 512;
  EXPECT_EQ(bytes, is_int8() ? numbers + bytes % numbers : numbers * 2);
  EXPECT_LE(bytes - (is_int8() ? numbers : numbers * 2), 512 * 8);
}

TEST_P(CpuPrecision, AProductTooDeepForInt8SumsIsStillRight) {
  const std::int64_t depth = 70000;
  const std::vector<float> ones(static_cast<std::size_t>(depth), 1);
  const Linear layer{Parameter::from_values("w", {1, depth}, ones), {}};
  EXPECT_NEAR(ops->read(ops->linear(rows_from(*ops, ones, 1, 1, depth), layer))[0], depth, 1);
}

MOA_IN_PRECISIONS(CpuPrecision, Precision::bf16, Precision::int8);

TEST(CpuAmx, IsTestedOnItsModelWhereTheProcessorHasNone) {
  const std::vector<std::string> present = levels();
  if (std::find(present.begin(), present.end(), "amx") == present.end()) {
    GTEST_SKIP() << "this processor has no AMX: its kernels ran on modelled tiles";
  }
}

}  // namespace
}  // namespace moa
