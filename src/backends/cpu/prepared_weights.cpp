#include "backends/cpu/prepared_weights.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <moa/error.hpp>

#include "tensor/finite.hpp"

namespace moa::cpu {
namespace {

// So many products of 255 * -128 fit into the 32 bits of a sum.
constexpr std::int64_t kMostInt8Depth = 65536;

void expect_finite(bool finite, const Parameter& weight, std::int64_t row) {
  if (!finite) refuse_infinite(weight, row, "prepare");
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

// What a matrix of this depth is prepared in.
Precision precision_of(std::int64_t depth, Precision asked) {
  return asked == Precision::int8 && depth > kMostInt8Depth ? Precision::f32 : asked;
}

// Memory for weights in words, seen as what is in them.
template <typename Number>
Number* as(std::vector<float>& words) {
  return reinterpret_cast<Number*>(words.data());
}

}  // namespace

std::pair<std::shared_ptr<PreparedWeights::Entry>, bool> PreparedWeights::entry_of(const Parameter& original,
                                                                                   Form form,
                                                                                   Precision precision) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Entry>& place = entries_[{original.identity(), form, precision}];
  const bool is_new = !place;
  if (is_new) {
    place = std::make_shared<Entry>();
    place->original = original;
  }
  return {place, is_new};
}

const PreparedMatrix& PreparedWeights::prepared(Entry& entry,
                                                const std::function<PreparedMatrix()>& prepare) {
  std::call_once(entry.once, [&] {
    entry.weights = prepare();
    entry.original.drop_pages();
  });
  return entry.weights;
}

const PreparedMatrix& PreparedWeights::prepared(const Parameter& original, Form form, Precision precision,
                                                const std::function<PreparedMatrix()>& prepare) {
  return prepared(*entry_of(original, form, precision).first, prepare);
}

PreparedMatrix PreparedWeights::pack(const Parameter& weight, std::int64_t depth, Precision precision,
                                     Order order, const RowReader& read) {
  precision = precision_of(depth, precision);
  const Products& products = kernels_.products(precision);
  const std::int64_t rows = weight.shape()[0];
  const std::int64_t width = products.panel_columns;
  const std::int64_t words = products.depth_words(depth);
  const Panels to = laid_out(memory_.take(columns_size(weight, rows, precision)), rows, words, precision);
  threads_.parallel_for(static_cast<std::size_t>((rows + width - 1) / width), [&](std::size_t index) {
    const std::int64_t first = static_cast<std::int64_t>(index) * width;
    pack_panel(weight, {depth, words, order}, precision, first, std::min(width, rows - first), read,
               panel_of(to, first, words));
  });
  return {precision, words, to.words, to.scales, to.corrections};
}

PreparedWeights::Panels PreparedWeights::laid_out(float* memory, std::int64_t columns, std::int64_t words,
                                                  Precision precision) const {
  const Products& products = kernels_.products(precision);
  if (precision != Precision::int8) return {memory, nullptr, nullptr};
  const std::int64_t whole = products.whole_columns(columns);
  float* const scales = memory + whole * words;
  return {memory, scales,
          products.zero_point == 0 ? nullptr : reinterpret_cast<std::int32_t*>(scales + whole)};
}

PreparedWeights::Panels PreparedWeights::panel_of(const Panels& panels, std::int64_t column,
                                                  std::int64_t words) {
  return {panels.words + column * words, panels.scales == nullptr ? nullptr : panels.scales + column,
          panels.corrections == nullptr ? nullptr : panels.corrections + column};
}

void PreparedWeights::pack_panel(const Parameter& weight, const Depth& depth, Precision precision,
                                 std::int64_t first, std::int64_t count, const RowReader& read,
                                 const Panels& to) const {
  const Products& products = kernels_.products(precision);
  if (precision == Precision::f32) {
    std::vector<float> space;
    const ConstMatrix source = read(first, count, space);
    for (std::int64_t row = 0; row < count; ++row) {
      const float* from = source.data + row * source.stride;
      expect_finite(kernels_.is_finite(from, depth.numbers), weight, first + row);
    }
    products.pack(source, count, depth.words, to.words);
    return;
  }
  std::vector<float> narrow(static_cast<std::size_t>(count * depth.words));
  if (precision == Precision::bf16) {
    narrow_to_bf16(weight, depth, first, count, read, as<std::uint16_t>(narrow));
  } else {
    narrow_to_int8(weight, depth, first, count, read, narrow.data(), to.scales);
    for (std::int64_t row = 0; to.corrections != nullptr && row < count; ++row) {
      const std::int8_t* values = as<std::int8_t>(narrow) + row * depth.words * 4;
      to.corrections[row] =
          static_cast<std::int32_t>(products.zero_point) * std::accumulate(values, values + depth.numbers, 0);
    }
  }
  products.pack({narrow.data(), depth.words}, count, depth.words, to.words);
}

std::int64_t PreparedWeights::columns_size(const Parameter& weight, std::int64_t columns,
                                           Precision precision) const {
  const Products& products = kernels_.products(precision);
  const std::int64_t beside = precision == Precision::int8 ? 2 : 0;  // a scale, and room for a correction
  return products.whole_columns(columns) * (products.depth_words(weight.shape().elements_per_row()) + beside);
}

PreparedMatrix PreparedWeights::pack_columns(const Parameter& weight, std::int64_t first,
                                             std::int64_t columns, Precision precision, float* memory) const {
  const Products& products = kernels_.products(precision);
  const std::int64_t depth = weight.shape().elements_per_row();
  const std::int64_t words = products.depth_words(depth);
  const std::int64_t width = products.panel_columns;
  const Panels to = laid_out(memory, columns, words, precision);
  const auto read = rows_of(weight);
  for (std::int64_t column = 0; column < columns; column += width) {
    pack_panel(weight, {depth, words, Order::as_stored}, precision, first + column,
               std::min(width, columns - column), read, panel_of(to, column, words));
  }
  return {precision, words, to.words, to.scales, to.corrections, first};
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
    const auto bind = kernels_.int8.bind_int8;
    for (std::int64_t row = 0; row < count; ++row) {
      weight.read_rows_int8(first + row, 1, integers(row), scales + row);
      expect_finite(std::isfinite(scales[row]), weight, first + row);
      if (bind != nullptr) scales[row] = bind(integers(row), depth.numbers, scales[row]);
    }
    return;
  }
  const auto to_int8 =
      kernels_.int8.to_bound_int8 != nullptr ? kernels_.int8.to_bound_int8 : kernels_.to_int8;
  std::vector<float> space;
  const ConstMatrix source = read(first, count, space);
  for (std::int64_t row = 0; row < count; ++row) {
    const float* from = source.data + row * source.stride;
    expect_finite(kernels_.is_finite(from, depth.numbers), weight, first + row);
    scales[row] = to_int8(from, depth.numbers, integers(row));
  }
}

PreparedMatrix PreparedWeights::pack_matrix(const Parameter& weight, Precision precision) {
  return pack(weight, weight.shape().elements_per_row(), precision, Order::as_stored, rows_of(weight));
}

const PreparedMatrix& PreparedWeights::matrix(const Parameter& weight, Precision precision) {
  return prepared(weight, Form::matrix, precision, [&] { return pack_matrix(weight, precision); });
}

const PreparedMatrix* PreparedWeights::matrix_used_before(const Parameter& weight, Precision precision) {
  const auto [entry, is_new] = entry_of(weight, Form::matrix, precision);
  if (is_new && precision_of(weight.shape().elements_per_row(), precision) == precision) return nullptr;
  return &prepared(*entry, [&] { return pack_matrix(weight, precision); });
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
                    const std::vector<float> stored = finite_numbers(weight, "prepare");
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
                    const std::vector<float> stored = finite_numbers(values, "prepare");
                    float* copy = memory_.take(static_cast<std::int64_t>(stored.size()));
                    std::copy(stored.begin(), stored.end(), copy);
                    return PreparedMatrix{.panels = copy};
                  })
      .panels;
}

}  // namespace moa::cpu
