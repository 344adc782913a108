#include "backends/cpu/prepared_weights.hpp"

#include <algorithm>
#include <numeric>

#include <moa/error.hpp>

namespace moa::cpu {
namespace {

// So many products of 255 * 127 fit into the 32 bits of a sum.
constexpr std::int64_t kMostInt8Depth = 66311;

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
                                     const RowReader& read) {
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
    std::vector<float> space;
    ConstMatrix source = read(first, count, space);
    std::vector<float> narrow(precision == Precision::f32 ? 0 : static_cast<std::size_t>(count * words));
    for (std::int64_t row = 0; row < count; ++row) {
      const float* from = source.data + row * source.stride;
      if (!kernels_.is_finite(from, depth)) {
        throw Error(ErrorCode::corrupt_data, "cannot prepare '" + weight.name() +
                                                 "': found a weight in row " + std::to_string(first + row) +
                                                 " that is NaN or infinite, expected numbers");
      }
      if (precision == Precision::bf16) {
        kernels_.to_bf16(from, depth, as<std::uint16_t>(narrow) + row * words * 2);
      } else if (is_int8) {
        std::int8_t* to = as<std::int8_t>(narrow) + row * words * 4;
        scales[first + row] = kernels_.to_int8(from, depth, to);
        if (corrections != nullptr) {
          corrections[first + row] =
              static_cast<std::int32_t>(products.zero_point) * std::accumulate(to, to + depth, 0);
        }
      }
    }
    if (precision != Precision::f32) source = {narrow.data(), words};
    products.pack(source, count, words, packed + panel * width * words);
  });
  return {precision, words, packed, scales, corrections};
}

const PreparedMatrix& PreparedWeights::matrix(const Parameter& weight, Precision precision) {
  return prepared(weight, Form::matrix, precision, [&] {
    const std::int64_t depth = weight.shape().elements_per_row();
    return pack(weight, depth, precision,
                [&](std::int64_t first, std::int64_t count, std::vector<float>& space) -> ConstMatrix {
                  if (const float* in_place = weight.rows_in_place(first, count)) return {in_place, depth};
                  space.resize(static_cast<std::size_t>(count * depth));
                  weight.read_rows(first, count, space.data());
                  return {space.data(), depth};
                });
  });
}

const PreparedMatrix& PreparedWeights::convolution(const Parameter& weight, Precision precision) {
  return prepared(weight, Form::convolution, precision, [&] {
    const std::int64_t channels = weight.shape()[1];
    const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
    const std::int64_t depth = channels * taps;
    return pack(weight, depth, precision,
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
