#include "image/resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <string>

#include "image/weigh.hpp"

namespace moa {
namespace {

constexpr std::int64_t kChannels = 3;
constexpr std::int64_t kMaxPixels = 256'000'000;
constexpr std::int64_t kMaxEdge = std::numeric_limits<std::int32_t>::max();

double sinc(double t) {
  if (t == 0.0) return 1.0;
  t *= std::numbers::pi;
  return std::sin(t) / t;
}

// How far a filter reaches, in pixels of the smaller picture.
double support(ResizeFilter filter) {
  switch (filter) {
    case ResizeFilter::nearest:
      return 0.0;
    case ResizeFilter::box:
      return 0.5;
    case ResizeFilter::bilinear:
    case ResizeFilter::hamming:
      return 1.0;
    case ResizeFilter::bicubic:
      return 2.0;
    case ResizeFilter::lanczos:
      return 3.0;
  }
  return 0.0;
}

// The filter's value. The order of operations is Pillow's: the last bit of a weight decides bytes.
double filter_value(ResizeFilter filter, double t) {
  constexpr double a = -0.5;  // Keys' cubic; -0.75 elsewhere (OpenCV, torch tensors), -0.5 in Pillow
  switch (filter) {
    case ResizeFilter::nearest:
      break;
    case ResizeFilter::box:
      return t > -0.5 && t <= 0.5 ? 1.0 : 0.0;
    case ResizeFilter::bilinear:
      t = std::abs(t);
      return t < 1.0 ? 1.0 - t : 0.0;
    case ResizeFilter::hamming:
      t = std::abs(t);
      if (t == 0.0) return 1.0;
      if (t >= 1.0) return 0.0;
      t *= std::numbers::pi;
      return std::sin(t) / t * (0.54f + 0.46f * std::cos(t));  // sic: single-precision constants
    case ResizeFilter::bicubic:
      t = std::abs(t);
      if (t < 1.0) return ((a + 2.0) * t - (a + 3.0)) * t * t + 1;
      if (t < 2.0) return (((t - 5) * t + 8) * t - 4) * a;
      return 0.0;
    case ResizeFilter::lanczos:
      return t >= -3.0 && t < 3.0 ? sinc(t) * sinc(t / 3) : 0.0;
  }
  return 0.0;
}

// The weights of outputs begin … begin + count - 1 along one axis.
struct AxisWeights {
  struct Window {
    std::int64_t first;  // the first input that counts
    std::int64_t taps;   // how many do
  };
  std::vector<Window> windows;
  std::vector<std::int32_t> weights;  // [count, most_taps]
  std::int64_t most_taps = 0;

  const std::int32_t* of(std::int64_t output) const { return weights.data() + output * most_taps; }
  std::int64_t first_input() const { return windows.front().first; }  // windows only move forward
  std::int64_t end_input() const { return windows.back().first + windows.back().taps; }
};

AxisWeights axis_weights(ResizeFilter filter, std::int64_t input, std::int64_t output, std::int64_t begin,
                         std::int64_t count) {
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const double filter_scale = std::max(scale, 1.0);
  const double reach = support(filter) * filter_scale;
  const double per_pixel = 1.0 / filter_scale;

  AxisWeights axis;
  axis.most_taps = std::min(static_cast<std::int64_t>(std::ceil(reach)) * 2 + 1, input);
  axis.windows.resize(static_cast<std::size_t>(count));
  axis.weights.assign(static_cast<std::size_t>(count * axis.most_taps), 0);
  std::vector<double> exact(static_cast<std::size_t>(axis.most_taps));
  for (std::int64_t i = 0; i < count; ++i) {
    const double center = (static_cast<double>(begin + i) + 0.5) * scale;
    // Pillow's own rounding (it truncates towards zero), which lround is not.
    // NOLINTBEGIN(bugprone-incorrect-roundings)
    const auto first = std::max(static_cast<std::int64_t>(center - reach + 0.5), std::int64_t{0});
    const auto end = std::min(static_cast<std::int64_t>(center + reach + 0.5), input);
    // NOLINTEND(bugprone-incorrect-roundings)
    double sum = 0.0;
    for (std::int64_t t = 0; t < end - first; ++t) {
      exact[t] = filter_value(filter, (static_cast<double>(t + first) - center + 0.5) * per_pixel);
      sum += exact[t];
    }
    axis.windows[i] = {first, end - first};
    std::int32_t* weights = axis.weights.data() + i * axis.most_taps;
    for (std::int64_t t = 0; t < end - first; ++t) {
      const double weight = (sum != 0.0 ? exact[t] / sum : exact[t]) * (1 << kWeightBits);
      weights[t] = static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
  }
  return axis;
}

// A part of a picture, not copied.
struct Part {
  const std::uint8_t* first;
  std::int64_t stride_bytes;
  std::int64_t width_px;
  std::int64_t height_px;
};

Part part_of(const Picture& picture, const PixelRegion& region) {
  const std::int64_t stride_bytes = picture.width_px * kChannels;
  return {picture.rgb.data() + region.top * stride_bytes + region.left * kChannels, stride_bytes,
          region.width_px, region.height_px};
}

Part whole(const Picture& picture) {
  return part_of(picture, {0, 0, picture.width_px, picture.height_px});
}

Picture unfilled(std::int64_t width_px, std::int64_t height_px) {
  return {width_px, height_px,
          std::vector<std::uint8_t>(static_cast<std::size_t>(width_px * height_px * kChannels))};
}

// The horizontal pass; `part` begins with the first column that counts. Eight rows at a time are laid side by
// side, four bytes a pixel, so that the 32 lanes of weigh() are one column of eight rows, and the sums run as
// in the vertical pass.
Picture resize_width(const Part& part, const AxisWeights& axis) {
  constexpr std::int64_t kRows = 8;
  constexpr std::int64_t kBlockStride = kRows * 4;
  static_assert(kBlockStride == kWeighLanes);
  const auto width_px = static_cast<std::int64_t>(axis.windows.size());
  const std::int64_t first_column = axis.first_input();
  Picture result = unfilled(width_px, part.height_px);
  std::vector<std::uint8_t> block(static_cast<std::size_t>(part.width_px * kBlockStride));
  const WeighFunction weigh = weigh_function();

  for (std::int64_t y = 0; y < part.height_px; y += kRows) {
    const std::int64_t rows = std::min(kRows, part.height_px - y);
    for (std::int64_t r = 0; r < rows; ++r) {
      const std::uint8_t* from = part.first + (y + r) * part.stride_bytes;
      std::uint8_t* to = block.data() + r * 4;
      for (std::int64_t x = 0; x < part.width_px; ++x)
        std::memcpy(to + x * kBlockStride, from + x * kChannels, kChannels);
    }
    std::uint8_t* out = result.rgb.data() + y * width_px * kChannels;
    for (std::int64_t x = 0; x < width_px; ++x) {
      std::uint8_t column[kWeighLanes];
      const AxisWeights::Window window = axis.windows[x];
      weigh(block.data() + (window.first - first_column) * kBlockStride, kBlockStride, axis.of(x),
            window.taps, column);
      for (std::int64_t r = 0; r < rows; ++r)
        std::memcpy(out + (r * width_px + x) * kChannels, column + r * 4, kChannels);
    }
  }
  return result;
}

// The vertical pass; `part` begins with the first row that counts.
Picture resize_height(const Part& part, const AxisWeights& axis) {
  constexpr auto kLanes = static_cast<std::int64_t>(kWeighLanes);
  const std::int64_t row_bytes = part.width_px * kChannels;
  const std::int64_t in_lanes = row_bytes / kLanes * kLanes;
  const auto rest = static_cast<std::size_t>(row_bytes - in_lanes);
  const std::int64_t first_row = axis.first_input();
  Picture result = unfilled(part.width_px, static_cast<std::int64_t>(axis.windows.size()));
  std::vector<std::uint8_t> tail(
      static_cast<std::size_t>(axis.most_taps * kLanes));  // what is left of a row, padded
  const WeighFunction weigh = weigh_function();

  for (std::int64_t y = 0; y < result.height_px; ++y) {
    const AxisWeights::Window window = axis.windows[y];
    const std::uint8_t* from = part.first + (window.first - first_row) * part.stride_bytes;
    std::uint8_t* out = result.rgb.data() + y * row_bytes;
    for (std::int64_t i = 0; i < in_lanes; i += kLanes) {
      weigh(from + i, part.stride_bytes, axis.of(y), window.taps, out + i);
    }
    if (rest == 0) continue;
    for (std::int64_t t = 0; t < window.taps; ++t) {
      std::memcpy(tail.data() + t * kLanes, from + t * part.stride_bytes + in_lanes, rest);
    }
    std::uint8_t lanes[kWeighLanes];
    weigh(tail.data(), kLanes, axis.of(y), window.taps, lanes);
    std::memcpy(out + in_lanes, lanes, rest);
  }
  return result;
}

Picture copy(const Part& part) {
  Picture result = unfilled(part.width_px, part.height_px);
  const std::int64_t row_bytes = part.width_px * kChannels;
  for (std::int64_t y = 0; y < part.height_px; ++y) {
    std::memcpy(result.rgb.data() + y * row_bytes, part.first + y * part.stride_bytes,
                static_cast<std::size_t>(row_bytes));
  }
  return result;
}

// The input that each output copies. Pillow adds the step up instead of multiplying it, and so must this: the
// sums differ in their last bits, and with them now and then the pixel.
std::vector<std::int64_t> nearest_inputs(std::int64_t input, std::int64_t output, std::int64_t begin,
                                         std::int64_t count) {
  const double step = static_cast<double>(input) / static_cast<double>(output);
  std::vector<std::int64_t> inputs(static_cast<std::size_t>(count));
  double position = step * 0.5;
  for (std::int64_t i = 0; i < begin + count; ++i, position += step) {
    if (i >= begin) inputs[i - begin] = std::min(static_cast<std::int64_t>(position), input - 1);
  }
  return inputs;
}

Picture resize_nearest(const Picture& picture, std::int64_t width_px, std::int64_t height_px,
                       const PixelRegion& region) {
  const auto columns = nearest_inputs(picture.width_px, width_px, region.left, region.width_px);
  const auto rows = nearest_inputs(picture.height_px, height_px, region.top, region.height_px);
  Picture result = unfilled(region.width_px, region.height_px);
  std::uint8_t* out = result.rgb.data();
  for (const std::int64_t row : rows) {
    const std::uint8_t* from = picture.rgb.data() + row * picture.width_px * kChannels;
    for (const std::int64_t column : columns) {
      std::memcpy(out, from + column * kChannels, kChannels);
      out += kChannels;
    }
  }
  return result;
}

// Both passes, over what the region needs. One that changes nothing is left out, as Pillow does.
Picture resize_weighted(const Picture& picture, std::int64_t width_px, std::int64_t height_px,
                        ResizeFilter filter, const PixelRegion& region) {
  const bool changes_width = width_px != picture.width_px;
  const bool changes_height = height_px != picture.height_px;
  PixelRegion needed = region;
  AxisWeights horizontal;
  AxisWeights vertical;
  if (changes_width) {
    horizontal = axis_weights(filter, picture.width_px, width_px, region.left, region.width_px);
    needed.left = horizontal.first_input();
    needed.width_px = horizontal.end_input() - needed.left;
  }
  if (changes_height) {
    vertical = axis_weights(filter, picture.height_px, height_px, region.top, region.height_px);
    needed.top = vertical.first_input();
    needed.height_px = vertical.end_input() - needed.top;
  }
  const Part source = part_of(picture, needed);
  if (!changes_width && !changes_height) return copy(source);
  if (!changes_width) return resize_height(source, vertical);
  if (!changes_height) return resize_width(source, horizontal);
  // Bytes are rounded between the passes, so that their order counts. Up to Pillow 12 the horizontal one came
  // first; since 13 the vertical one does where it takes away far more rows than the other columns
  // (python-pillow/Pillow pull request 9549).
  const bool vertical_first =
      height_px < picture.height_px && picture.height_px - height_px > 2 * (picture.width_px - width_px);
  if (vertical_first) return resize_width(whole(resize_height(source, vertical)), horizontal);
  return resize_height(whole(resize_width(source, horizontal)), vertical);
}

bool is_inside(const PixelRegion& region, std::int64_t width_px, std::int64_t height_px) {
  return region.left >= 0 && region.top >= 0 && region.width_px > 0 && region.height_px > 0 &&
         region.width_px <= width_px - region.left && region.height_px <= height_px - region.top;
}

[[noreturn]] void refuse(ErrorCode code, const Picture& picture, std::int64_t width_px,
                         std::int64_t height_px, const std::string& reason) {
  throw Error(code, "cannot resize a picture of " + std::to_string(picture.width_px) + "x" +
                        std::to_string(picture.height_px) + " to " + std::to_string(width_px) + "x" +
                        std::to_string(height_px) + ": " + reason);
}

}  // namespace

std::string_view name(ResizeFilter filter) noexcept {
  switch (filter) {
    case ResizeFilter::nearest:
      return "nearest";
    case ResizeFilter::box:
      return "box";
    case ResizeFilter::bilinear:
      return "bilinear";
    case ResizeFilter::hamming:
      return "hamming";
    case ResizeFilter::bicubic:
      return "bicubic";
    case ResizeFilter::lanczos:
      return "lanczos";
  }
  return "?";
}

Picture crop(const Picture& picture, const PixelRegion& region) {
  if (!is_inside(region, picture.width_px, picture.height_px)) {
    throw Error(ErrorCode::invalid_argument, "cannot crop a picture of " + std::to_string(picture.width_px) +
                                                 "x" + std::to_string(picture.height_px) +
                                                 ": the region is empty or not inside it");
  }
  return copy(part_of(picture, region));
}

Picture resize(const Picture& picture, std::int64_t width_px, std::int64_t height_px, ResizeFilter filter) {
  return resize_region(picture, width_px, height_px, filter, {0, 0, width_px, height_px});
}

Picture resize_region(const Picture& picture, std::int64_t width_px, std::int64_t height_px,
                      ResizeFilter filter, const PixelRegion& region) {
  const auto fail = [&](ErrorCode code, const std::string& reason) {
    refuse(code, picture, width_px, height_px, reason);
  };
  if (picture.width_px <= 0 || picture.height_px <= 0) fail(ErrorCode::invalid_argument, "it has no pixels");
  if (width_px <= 0 || height_px <= 0) fail(ErrorCode::invalid_argument, "sizes must be positive");
  if (width_px > kMaxEdge || height_px > kMaxEdge)
    fail(ErrorCode::limit_exceeded, "an edge is longer than 2^31-1");
  if (!is_inside(region, width_px, height_px)) {
    fail(ErrorCode::invalid_argument, "the region asked for is not inside it");
  }
  if (region.width_px > kMaxPixels / region.height_px)
    fail(ErrorCode::limit_exceeded, "more than 256 megapixels");

  if (filter == ResizeFilter::nearest && (width_px != picture.width_px || height_px != picture.height_px)) {
    return resize_nearest(picture, width_px, height_px, region);
  }
  return resize_weighted(picture, width_px, height_px, filter, region);
}

}  // namespace moa
