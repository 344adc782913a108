#include "backends/cpu/prepared_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <moa/error.hpp>

namespace moa::cpu {
namespace {

// So many products of 255 * -128 fit into the 32 bits of a sum.
constexpr std::int64_t kMostInt8Depth = 65536;

void expect_finite(bool finite, const Parameter& weight, std::int64_t row) {
  if (finite) return;
  throw Error(ErrorCode::corrupt_data, "cannot prepare '" + weight.name() + "': found a weight in row " +
                                           std::to_string(row) +
                                           " that is NaN or infinite, expected numbers");
}

// Rows of a matrix [out, in], in place where they are stored as f32.
auto rows_of(const Parameter& matrix) {
  return [matrix](std::int64_t first, std::int64_t count, std::vector<float>& space) -> ConstMatrix {
    const std::int64_t width = matrix.shape().elements_per_row();
    if (const float* in_place = matrix.rows_in_place(first, count)) return {in_place, width};
    space.resize(static_cast<std::size_t>(count * width));
    matrix.read_rows(first, count, space.data());
    return {space.data(), width};
  };
}

// Memory for weights in words, seen as what is in them.
template <typename Number>
Number* as(std::vector<float>& words) {
  return reinterpret_cast<Number*>(words.data());
}

}  // namespace

const PreparedMatrix& PreparedWeights::prepared(const Parameter& original, Form form, Precision precision,
                                                const std::function<PreparedMatrix()>& prepare) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& place = entries_[{original.identity(), form, precision}];
    if (!place) {
      place = std::make_shared<Entry>();
      place->original = original;
    }
    entry = place;
  }
  std::call_once(entry->once, [&] {
    entry->weights = prepare();
    original.drop_pages();
  });
  return entry->weights;
}

PreparedMatrix PreparedWeights::pack(const Parameter& weight, std::int64_t depth, Precision precision,
                                     Order order, const RowReader& read) {
  if (precision == Precision::int8 && depth > kMostInt8Depth) precision = Precision::f32;
  const Products& products = kernels_.products(precision);
  const std::int64_t rows = weight.shape()[0];
  const std::int64_t width = products.panel_columns;
  const std::int64_t panels = (rows + width - 1) / width;
  const std::int64_t words = products.depth_words(depth);
  float* const packed = memory_.take(panels * width * words);
  const bool is_int8 = precision == Precision::int8;
  float* const scales = is_int8 ? memory_.take(panels * width) : nullptr;
  std::int32_t* const corrections = is_int8 && products.zero_point != 0
                                        ? reinterpret_cast<std::int32_t*>(memory_.take(panels * width))
                                        : nullptr;
  threads_.parallel_for(static_cast<std::size_t>(panels), [&](std::size_t index) {
    const auto panel = static_cast<std::int64_t>(index);
    const std::int64_t first = panel * width;
    const std::int64_t count = std::min(width, rows - first);
    float* const to = packed + panel * width * words;
    if (precision == Precision::f32) return pack_panel(weight, depth, first, count, read, to);
    std::vector<float> narrow(static_cast<std::size_t>(count * words));
    if (precision == Precision::bf16) {
      narrow_to_bf16(weight, {depth, words, order}, first, count, read, as<std::uint16_t>(narrow));
    } else {
      auto* integers = as<std::int8_t>(narrow);
      narrow_to_int8(weight, {depth, words, order}, first, count, read, narrow.data(), scales + first);
      for (std::int64_t row = 0; corrections != nullptr && row < count; ++row) {
        const std::int8_t* values = integers + row * words * 4;
        corrections[first + row] =
            static_cast<std::int32_t>(products.zero_point) * std::accumulate(values, values + depth, 0);
      }
    }
    products.pack({narrow.data(), words}, count, words, to);
  });
  return {precision, words, packed, scales, corrections};
}

void PreparedWeights::pack_panel(const Parameter& weight, std::int64_t depth, std::int64_t first,
                                 std::int64_t count, const RowReader& read, float* panel) const {
  std::vector<float> space;
  const ConstMatrix source = read(first, count, space);
  for (std::int64_t row = 0; row < count; ++row) {
    expect_finite(kernels_.is_finite(source.data + row * source.stride, depth), weight, first + row);
  }
  kernels_.f32.pack(source, count, depth, panel);
}

void PreparedWeights::pack_columns(const Parameter& weight, std::int64_t first, std::int64_t columns,
                                   float* panels) const {
  const std::int64_t depth = weight.shape().elements_per_row();
  const std::int64_t width = kernels_.f32.panel_columns;
  const auto read = rows_of(weight);
  for (std::int64_t column = 0; column < columns; column += width) {
    pack_panel(weight, depth, first + column, std::min(width, columns - column), read,
               panels + column * depth);
  }
}

bool PreparedWeights::is_first_use(const Parameter& weight) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Entry>& place = entries_[{weight.identity(), Form::matrix, Precision::f32}];
  if (place) return false;
  place = std::make_shared<Entry>();
  place->original = weight;
  return true;
}

void PreparedWeights::narrow_to_bf16(const Parameter& weight, const Depth& depth, std::int64_t first,
                                     std::int64_t count, const RowReader& read, std::uint16_t* out) const {
  const std::int64_t stride = depth.words * 2;
  if (depth.order == Order::as_stored && weight.read_rows_bf16(first, 1, out)) {
    for (std::int64_t row = 0; row < count; ++row) {
      std::uint16_t* to = out + row * stride;
      weight.read_rows_bf16(first + row, 1, to);
      constexpr std::uint16_t kInfinity = 0x7F80;  // all exponent bits: infinity, or NaN
      const bool finite = std::none_of(to, to + depth.numbers,
                                       [](std::uint16_t bits) { return (bits & kInfinity) == kInfinity; });
      expect_finite(finite, weight, first + row);
    }
    return;
  }
  std::vector<float> space;
  const ConstMatrix source = read(first, count, space);
  for (std::int64_t row = 0; row < count; ++row) {
    const float* from = source.data + row * source.stride;
    expect_finite(kernels_.is_finite(from, depth.numbers), weight, first + row);
    kernels_.to_bf16(from, depth.numbers, out + row * stride);
  }
}

void PreparedWeights::narrow_to_int8(const Parameter& weight, const Depth& depth, std::int64_t first,
                                     std::int64_t count, const RowReader& read, float* out,
                                     float* scales) const {
  const auto integers = [&](std::int64_t row) {
    return reinterpret_cast<std::int8_t*>(out + row * depth.words);
  };
  if (depth.order == Order::as_stored && weight.read_rows_int8(first, 1, integers(0), scales)) {
    const auto bound = kernels_.int8.bound_int8_pairs;
    for (std::int64_t row = 0; row < count; ++row) {
      weight.read_rows_int8(first + row, 1, integers(row), scales + row);
      expect_finite(std::isfinite(scales[row]), weight, first + row);
      if (bound != nullptr) scales[row] = bound(out + row * depth.words, depth.words, scales[row]);
    }
    return;
  }
  const auto to_int8 =
      kernels_.int8.to_int8_pairs != nullptr ? kernels_.int8.to_int8_pairs : kernels_.to_int8;
  std::vector<float> space;
  const ConstMatrix source = read(first, count, space);
  for (std::int64_t row = 0; row < count; ++row) {
    const float* from = source.data + row * source.stride;
    expect_finite(kernels_.is_finite(from, depth.numbers), weight, first + row);
    scales[row] = to_int8(from, depth.numbers, integers(row));
  }
}

const PreparedMatrix& PreparedWeights::matrix(const Parameter& weight, Precision precision) {
  return prepared(weight, Form::matrix, precision, [&] {
    const std::int64_t depth = weight.shape().elements_per_row();
    return pack(weight, depth, precision, Order::as_stored, rows_of(weight));
  });
}

const PreparedMatrix& PreparedWeights::convolution(const Parameter& weight, Precision precision) {
  return prepared(weight, Form::convolution, precision, [&] {
    const std::int64_t channels = weight.shape()[1];
    const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
    const std::int64_t depth = channels * taps;
    return pack(weight, depth, precision, taps == 1 ? Order::as_stored : Order::turned,
                [&](std::int64_t first, std::int64_t count, std::vector<float>& space) -> ConstMatrix {
                  std::vector<float> stored(static_cast<std::size_t>(count * depth));
                  weight.read_rows(first, count, stored.data());
                  space.resize(stored.size());
                  for (std::int64_t row = 0; row < count; ++row) {
                    const float* from = stored.data() + row * depth;
                    float* to = space.data() + row * depth;
                    for (std::int64_t tap = 0; tap < taps; ++tap) {
                      for (std::int64_t c = 0; c < channels; ++c)
                        to[tap * channels + c] = from[c * taps + tap];
                    }
                  }
                  return {space.data(), depth};
                });
  });
}

const float* PreparedWeights::depthwise(const Parameter& weight) {
  return prepared(weight, Form::depthwise, Precision::f32,
                  [&] {
                    const std::int64_t channels = weight.shape()[0];
                    const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
                    const std::vector<float> stored = weight.read();
                    float* turned = memory_.take(channels * taps);
                    for (std::int64_t c = 0; c < channels; ++c) {
                      for (std::int64_t tap = 0; tap < taps; ++tap) {
                        turned[tap * channels + c] = stored[static_cast<std::size_t>(c * taps + tap)];
                      }
                    }
                    return PreparedMatrix{.panels = turned};
                  })
      .panels;
}

const float* PreparedWeights::vector(const Parameter& values) {
  if (!values) return nullptr;
  return prepared(values, Form::vector, Precision::f32,
                  [&] {
                    const std::vector<float> stored = values.read();
                    float* copy = memory_.take(static_cast<std::int64_t>(stored.size()));
                    std::copy(stored.begin(), stored.end(), copy);
                    return PreparedMatrix{.panels = copy};
                  })
      .panels;
}

}  // namespace moa::cpu
