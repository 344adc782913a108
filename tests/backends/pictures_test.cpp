#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuPictures : public CpuLevel {};

struct Case {
  std::int64_t batch, channels, height, width, out, kernel_height, kernel_width;
  ConvolutionOptions options;
};

// The convolution in doubles: [batch, out height, out width, out].
std::vector<double> convolve(const Case& c, const std::vector<float>& x, const std::vector<float>& weight,
                             const std::vector<float>& bias) {
  std::vector<double> result;
  const PixelPadding& p = c.options.padding;
  const std::int64_t out_height = (c.height + p.top + p.bottom - c.kernel_height) / c.options.stride + 1;
  const std::int64_t out_width = (c.width + p.left + p.right - c.kernel_width) / c.options.stride + 1;
  const std::int64_t depth = c.channels / c.options.groups;
  for (std::int64_t b = 0; b < c.batch; ++b) {
    for (std::int64_t y = 0; y < out_height; ++y) {
      for (std::int64_t column = 0; column < out_width; ++column) {
        for (std::int64_t o = 0; o < c.out; ++o) {
          double sum = bias[static_cast<std::size_t>(o)];
          for (std::int64_t d = 0; d < depth; ++d) {
            const std::int64_t channel = c.options.groups == 1 ? d : o;
            for (std::int64_t i = 0; i < c.kernel_height; ++i) {
              for (std::int64_t j = 0; j < c.kernel_width; ++j) {
                const std::int64_t in_y = y * c.options.stride - p.top + i;
                const std::int64_t in_x = column * c.options.stride - p.left + j;
                if (in_y < 0 || in_y >= c.height || in_x < 0 || in_x >= c.width) continue;
                sum += static_cast<double>(x[static_cast<std::size_t>(
                           ((b * c.channels + channel) * c.height + in_y) * c.width + in_x)]) *
                       weight[static_cast<std::size_t>(
                           ((o * depth + d) * c.kernel_height + i) * c.kernel_width + j)];
              }
            }
          }
          result.push_back(std::min(std::max(sum, 0.0), 6.0));
        }
      }
    }
  }
  return result;
}

TEST_P(CpuPictures, ConvolutionAgreesWithDoubles) {
  std::vector<Case> cases{
      {2, 3, 14, 21, 10, 7, 7, {.stride = 7}},                         // patches
      {1, 3, 9, 11, 8, 3, 3, {.stride = 2, .padding = {0, 1, 0, 1}}},  // a stem, padded on one side
      {3, 17, 5, 4, 33, 1, 1, {}},                                     // pixel by pixel
      {1, 5, 6, 6, 7, 1, 1, {.stride = 2}},
      {1, 2, 3, 3, 4, 1, 1, {.padding = {1, 0, 2, 0}}},
      {1, 4, 3, 2, 5, 5, 5, {.padding = {2, 2, 2, 2}}},  // larger than the picture
      {1, 1, 1, 1, 1, 3, 3, {.padding = {4, 4, 4, 4}}},  // windows of nothing but padding
      {1, 3, 70, 40, 6, 16, 4, {.stride = 3}},
  };
  for (const std::int64_t kernel : {3, 5}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const std::int64_t channels : {1, 16, 40}) {
        cases.push_back({2,
                         channels,
                         9,
                         8,
                         channels,
                         kernel,
                         kernel,
                         {.stride = stride, .padding = {1, 2, 0, 3}, .groups = channels}});
      }
    }
  }
  for (Case& c : cases) {
    c.options.activation = Activation::relu6;
    const std::vector<float> x = random_values(c.batch * c.channels * c.height * c.width, 30);
    const Convolution layer{
        random_parameter("w", {c.out, c.channels / c.options.groups, c.kernel_height, c.kernel_width}, 31,
                         0.3F),
        random_parameter("b", {c.out}, 32)};
    const Tensor in = ops->pixels(x, c.batch, c.channels, c.height, c.width);
    std::vector<double> expected = convolve(c, x, layer.weight.read(), layer.bias.read());
    const Tensor out = ops->convolution(in, layer, c.options);
    expect_near(ops->read(ops->rows_of(out)), expected, 2e-5);

    ConvolutionOptions with_residual = c.options;
    with_residual.residual = &out;
    for (double& value : expected) value *= 2;
    expect_near(ops->read(ops->rows_of(ops->convolution(in, layer, with_residual))), expected, 4e-5);
  }
}

TEST_P(CpuPictures, WeightsThatAreNotFiniteAreRefused) {
  const Tensor in = ops->pixels(random_values(2 * 5 * 5, 36), 1, 2, 5, 5);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const std::int64_t groups : {1, 2}) {
      std::vector<float> w = random_values(2 * (2 / groups) * 9, 37);
      w.back() = bad;
      const Convolution layer{Parameter::from_values("w", {2, 2 / groups, 3, 3}, w),
                              random_parameter("b", {2}, 38)};
      expect_error(ErrorCode::corrupt_data, [&] { ops->convolution(in, layer, {.groups = groups}); });
    }
    const Convolution biased{random_parameter("w", {2, 1, 3, 3}, 39),
                             Parameter::from_values("b", {2}, {0, bad})};
    expect_error(ErrorCode::corrupt_data,
                 [&] { ops->convolution(in, biased, {.groups = 2, .activation = Activation::relu6}); });
  }
}

TEST_P(CpuPictures, GathersManyWindowsInSlabs) {
  // 300 x 300 windows of 27 numbers are more than one slab holds.
  const Case c{1, 3, 300, 300, 4, 3, 3, {.padding = {1, 1, 1, 1}, .activation = Activation::relu6}};
  const std::vector<float> x = random_values(3 * 300 * 300, 33);
  const Convolution layer{random_parameter("w", {4, 3, 3, 3}, 34, 0.3F), random_parameter("b", {4}, 35)};
  const Tensor out = ops->convolution(ops->pixels(x, 1, 3, 300, 300), layer, c.options);
  expect_near(ops->read(ops->rows_of(out)), convolve(c, x, layer.weight.read(), layer.bias.read()), 1e-5);
}

TEST_P(CpuPictures, PixelsBecomeRowsInReadingOrder) {
  const Tensor x = ops->pixels(std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2);
  EXPECT_EQ(ops->read(ops->rows_of(x)), (std::vector<float>{1, 5, 2, 6, 3, 7, 4, 8}));
  EXPECT_EQ(ops->read(ops->mean_pixels(x)), (std::vector<float>{2.5, 6.5}));
}

TEST_P(CpuPictures, ScalesEachPicturesChannels) {
  const std::vector<float> x = random_values(2 * 5 * 3 * 7, 37);
  const std::vector<float> factors = random_values(2 * 5, 38);
  const Tensor scaled = ops->scale_channels(ops->pixels(x, 2, 5, 3, 7), rows_from(*ops, factors, 2, 1, 5));
  std::vector<double> expected;
  for (std::size_t item = 0; item < 2; ++item) {
    for (std::size_t pixel = 0; pixel < 21; ++pixel) {
      for (std::size_t c = 0; c < 5; ++c) {
        expected.push_back(x[(item * 5 + c) * 21 + pixel] * factors[item * 5 + c]);
      }
    }
  }
  expect_near(ops->read(ops->rows_of(scaled)), expected, 1e-7);
}

TEST_P(CpuPictures, PoolsWholeSquaresOnly) {
  std::vector<float> x(5 * 7);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  const Tensor pooled = ops->average_pool(ops->pixels(x, 1, 1, 5, 7), 2);
  expect_near(ops->read(ops->rows_of(pooled)), {4, 6, 8, 18, 20, 22}, 1e-6);
}

TEST_P(CpuPictures, ActivatesEveryPixelAsRows) {
  const std::vector<float> x = random_values(2 * 19 * 30 * 31, 39, 3);
  const Tensor pixels = ops->pixels(x, 2, 19, 30, 31);
  EXPECT_EQ(ops->read(ops->rows_of(ops->activation(pixels, Activation::silu))),
            ops->read(ops->activation(ops->rows_of(pixels), Activation::silu)));
}

TEST_P(CpuPictures, MeanOfManyChannelsAndPixelsAgreesWithDoubles) {
  const std::vector<float> x = random_values(2 * 150 * 40 * 40, 46);
  std::vector<double> expected;
  for (std::size_t plane = 0; plane < 300; ++plane) {
    double sum = 0;
    for (std::size_t i = 0; i < 1600; ++i) sum += x[plane * 1600 + i];
    expected.push_back(sum / 1600);
  }
  expect_near(ops->read(ops->mean_pixels(ops->pixels(x, 2, 150, 40, 40))), expected, 1e-6);
}

TEST_P(CpuPictures, RefusesWhatDoesNotFit) {
  const Tensor x = ops->pixels(std::vector<float>(4 * 9), 1, 4, 3, 3);
  const auto layer = [](Shape shape) { return Convolution{random_parameter("w", std::move(shape), 36), {}}; };
  expect_error(ErrorCode::shape_mismatch, [&] { ops->convolution(x, layer({2, 3, 1, 1}), {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->convolution(x, layer({2, 4, 4, 1}), {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->convolution(x, layer({2, 4}), {}); });
  expect_error(ErrorCode::unsupported, [&] { ops->convolution(x, layer({4, 2, 1, 1}), {.groups = 2}); });
  expect_error(ErrorCode::invalid_argument, [&] { ops->convolution(x, layer({2, 4, 1, 1}), {.stride = 0}); });
  expect_error(ErrorCode::invalid_argument, [&] {
    ops->convolution(x, layer({2, 4, 1, 1}), {.padding = {.left = -1}});
  });
  expect_error(ErrorCode::shape_mismatch, [&] {
    ops->convolution(x, layer({2, 4, 1, 1}), {.residual = &x});
  });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->pixels(std::vector<float>(5), 1, 1, 2, 2); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->average_pool(x, 4); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->average_pool(x, 0); });
  expect_error(ErrorCode::shape_mismatch,
               [&] { ops->scale_channels(x, rows_from(*ops, std::vector<float>(3), 1, 1, 3)); });
  expect_error(ErrorCode::shape_mismatch,
               [&] { ops->scale_channels(x, rows_from(*ops, std::vector<float>(8), 2, 1, 4)); });
}

MOA_AT_EVERY_LEVEL(CpuPictures);

}  // namespace
}  // namespace moa
