#include "backends/cpu/prepared_weights.hpp"

#include <algorithm>

namespace moa::cpu {

const float* PreparedWeights::prepared(const Parameter& original, Form form,
                                       const std::function<const float*()>& prepare) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& place = entries_[{original.identity(), form}];
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

const float* PreparedWeights::pack(std::int64_t rows, std::int64_t depth, const RowReader& read) {
  const std::int64_t width = kernels_.panel_columns;
  const std::int64_t panels = (rows + width - 1) / width;
  float* packed = memory_.take(panels * width * depth);
  threads_.parallel_for(static_cast<std::size_t>(panels), [&](std::size_t index) {
    const auto panel = static_cast<std::int64_t>(index);
    const std::int64_t count = std::min(width, rows - panel * width);
    std::vector<float> space;
    const ConstMatrix source = read(panel * width, count, space);
    kernels_.pack(source, count, depth, packed + panel * width * depth);
  });
  return packed;
}

const float* PreparedWeights::matrix(const Parameter& weight) {
  return prepared(weight, Form::matrix, [&] {
    const std::int64_t depth = weight.shape().elements_per_row();
    return pack(weight.shape()[0], depth,
                [&](std::int64_t first, std::int64_t count, std::vector<float>& space) -> ConstMatrix {
                  if (const float* in_place = weight.rows_in_place(first, count)) return {in_place, depth};
                  space.resize(static_cast<std::size_t>(count * depth));
                  weight.read_rows(first, count, space.data());
                  return {space.data(), depth};
                });
  });
}

const float* PreparedWeights::convolution(const Parameter& weight) {
  return prepared(weight, Form::convolution, [&] {
    const std::int64_t channels = weight.shape()[1];
    const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
    const std::int64_t depth = channels * taps;
    return pack(weight.shape()[0], depth,
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
  return prepared(weight, Form::depthwise, [&] {
    const std::int64_t channels = weight.shape()[0];
    const std::int64_t taps = weight.shape()[2] * weight.shape()[3];
    const std::vector<float> stored = weight.read();
    float* turned = memory_.take(channels * taps);
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        turned[tap * channels + c] = stored[static_cast<std::size_t>(c * taps + tap)];
      }
    }
    return turned;
  });
}

const float* PreparedWeights::vector(const Parameter& values) {
  if (!values) return nullptr;
  return prepared(values, Form::vector, [&] {
    const std::vector<float> stored = values.read();
    float* copy = memory_.take(static_cast<std::int64_t>(stored.size()));
    std::copy(stored.begin(), stored.end(), copy);
    return copy;
  });
}

}  // namespace moa::cpu
