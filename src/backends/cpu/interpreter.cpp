#include "backends/cpu/interpreter.hpp"

#include <algorithm>

#include <moa/error.hpp>

namespace moa::cpu {
namespace {

template <typename ValueType, typename HandleType>
const ValueType& see_as(const HandleType& handle, const void* owner) {
  const auto* value = dynamic_cast<const ValueType*>(handle.value().get());
  if (value == nullptr || value->owner != owner) {
    throw Error(ErrorCode::internal, "a value was used by an interpreter that did not make it");
  }
  return *value;
}

// Rows begin at whole cache lines, an odd number of them apart where rows are long: rows a multiple of 1 KiB
// apart would share few sets of the first-level cache, and a product reads several rows at once.
std::int64_t padded_stride(std::int64_t width) {
  const std::int64_t lines = (width + 15) / 16;
  return (lines % 16 == 0 ? lines + 1 : lines) * 16;
}

}  // namespace

Matrix from_row(Matrix matrix, std::int64_t row) {
  return {matrix.data + row * matrix.stride, matrix.stride};
}

void expect_equal(std::int64_t found, std::int64_t expected, const std::string& attempt) {
  if (found == expected) return;
  throw Error(ErrorCode::shape_mismatch, "cannot " + attempt + ": found " + std::to_string(found) +
                                             ", expected " + std::to_string(expected));
}

void expect_row(const Parameter& parameter, std::int64_t width, const char* attempt) {
  if (parameter && parameter.shape() == Shape{width}) return;
  throw Error(ErrorCode::shape_mismatch, std::string("cannot ") + attempt + " '" +
                                             (parameter ? parameter.name() : "(none)") + "': found " +
                                             (parameter ? to_string(parameter.shape()) : "nothing") +
                                             ", expected " + to_string(Shape{width}));
}

const RowsValue& CpuInterpreter::see_described(const Rows& x) const {
  return see_as<RowsValue>(x, this);
}
const RowsValue& CpuInterpreter::see(const Rows& x) {
  const RowsValue& value = see_described(x);
  if (value.compute) {
    const std::shared_ptr<RowsValue> computed = new_rows(value.sequences, value.width);
    in_parts(value.rows(), 3 * value.width, [&](std::int64_t begin, std::int64_t end) {
      value.compute(begin, end, from_row(computed->matrix, begin));
    });
    value.block = std::move(computed->block);
    value.matrix = computed->matrix;
    value.compute = nullptr;
  }
  return value;
}
const TensorValue& CpuInterpreter::see(const Tensor& x) const {
  return see_as<TensorValue>(x, this);
}
const TokensValue& CpuInterpreter::see(const Tokens& x) const {
  return see_as<TokensValue>(x, this);
}
const PatchesValue& CpuInterpreter::see(const Patches& x) const {
  return see_as<PatchesValue>(x, this);
}

std::shared_ptr<RowsValue> CpuInterpreter::new_rows(const Sequences& sequences, std::int64_t width) {
  auto value = std::make_shared<RowsValue>(this);
  const std::int64_t stride = padded_stride(width);
  value->block = engine_.blocks.take(sequences.rows() * stride);
  value->matrix = {value->block.get(), stride};
  value->width = width;
  value->sequences = sequences;
  return value;
}

std::shared_ptr<TensorValue> CpuInterpreter::new_tensor(std::int64_t batch, std::int64_t height,
                                                        std::int64_t width, std::int64_t channels) {
  auto value = std::make_shared<TensorValue>(this);
  value->block = engine_.blocks.take(batch * height * width * channels);
  value->batch = batch;
  value->height = height;
  value->width = width;
  value->channels = channels;
  return value;
}

void CpuInterpreter::in_parts(std::int64_t count, std::int64_t cost,
                              const std::function<void(std::int64_t, std::int64_t)>& piece) {
  // Waking a thread costs some ten microseconds, in which one thread passes over about this many floats.
  constexpr std::int64_t kWorthATask = 1 << 15;
  const std::int64_t most = 4 * static_cast<std::int64_t>(engine_.threads.threads());
  const std::int64_t tasks = std::clamp<std::int64_t>(count * cost / kWorthATask, 1, std::min(most, count));
  engine_.threads.parallel_for(static_cast<std::size_t>(tasks), [&](std::size_t index) {
    const auto task = static_cast<std::int64_t>(index);
    piece(count * task / tasks, count * (task + 1) / tasks);
  });
}

Tokens CpuInterpreter::tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                              const Sequences& sequences) {
  expect_equal(static_cast<std::int64_t>(ids.size()), sequences.rows(), "take token ids");
  if (!types.empty()) {
    expect_equal(static_cast<std::int64_t>(types.size()), sequences.rows(), "take token types");
  }
  auto value = std::make_shared<TokensValue>(this);
  value->ids.assign(ids.begin(), ids.end());
  value->types.assign(types.begin(), types.end());
  value->sequences = sequences;
  return Tokens(std::move(value));
}

Tensor CpuInterpreter::pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                              std::int64_t height_px, std::int64_t width_px) {
  const Shape shape{batch, channels, height_px, width_px};
  if (batch < 1 || channels < 1 || height_px < 1 || width_px < 1 ||
      shape.elements() != static_cast<std::int64_t>(values.size())) {
    throw Error(ErrorCode::shape_mismatch, "cannot take pixels: found " + std::to_string(values.size()) +
                                               " values, expected " + to_string(shape));
  }
  auto value = new_tensor(batch, height_px, width_px, channels);
  value->is_pixels = true;
  const std::int64_t plane = height_px * width_px;
  in_parts(batch * height_px, 4 * width_px * channels, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line) {
      const float* from = values.data() + line / height_px * channels * plane + line % height_px * width_px;
      float* to = value->block.get() + line * width_px * channels;
      for (std::int64_t x = 0; x < width_px; ++x) {
        for (std::int64_t c = 0; c < channels; ++c) to[x * channels + c] = from[c * plane + x];
      }
    }
  });
  return Tensor(std::move(value));
}

std::vector<float> CpuInterpreter::read(const Rows& x) {
  const RowsValue& rows = see(x);
  std::vector<float> values(static_cast<std::size_t>(rows.rows() * rows.width));
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    std::copy_n(rows.matrix.data + row * rows.matrix.stride, rows.width, values.data() + row * rows.width);
  }
  return values;
}

}  // namespace moa::cpu
