// Operations that give rows and pixels their positions.
#include <algorithm>
#include <array>
#include <cmath>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"

namespace moa::cpu {

Rows CpuInterpreter::add_positions(const Rows& x, const Parameter& table, std::int64_t first) {
  const RowsValue& in = see(x);
  expect_table(table);
  expect_equal(table.shape()[1], in.width, "add positions of '" + table.name() + "'");
  std::int64_t longest = 0;
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    longest = std::max(longest, in.sequences.length(item));
  }
  const Block positions = engine_.blocks.take(longest * in.width);
  table.read_rows(first, longest, positions.get());
  auto out = new_rows(in.sequences, in.width);
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    const std::int64_t begin = in.sequences.begin(item);
    kernels_.add({in.matrix.data + begin * in.matrix.stride, in.matrix.stride}, {positions.get(), in.width},
                 in.sequences.length(item), in.width,
                 {out->matrix.data + begin * out->matrix.stride, out->matrix.stride});
  }
  return Rows(std::move(out));
}

Rows CpuInterpreter::add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                                         std::int32_t pad) {
  const RowsValue& in = see(x);
  const TokensValue& ids = see(tokens);
  expect_table(table);
  expect_equal(table.shape()[1], in.width, "add positions of '" + table.name() + "'");
  expect_equal(in.rows(), ids.sequences.rows(), "add positions to as many tokens");
  auto out = new_rows(in.sequences, in.width);
  const Block position = engine_.blocks.take(in.width);
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    std::int64_t before = 0;
    for (std::int64_t row = in.sequences.begin(item); row < in.sequences.end(item); ++row) {
      const bool is_pad = ids.ids[static_cast<std::size_t>(row)] == pad;
      if (!is_pad) ++before;
      table.read_rows(is_pad ? pad : pad + before, 1, position.get());
      kernels_.add({in.matrix.data + row * in.matrix.stride, 0}, {position.get(), 0}, 1, in.width,
                   {out->matrix.data + row * out->matrix.stride, 0});
    }
  }
  return Rows(std::move(out));
}

namespace {

// Where a point between cells is read from: four cells and their weights.
struct Taps {
  std::array<std::int64_t, 4> cells;
  std::array<float, 4> weights;
};

// One for each of `out` points along an axis of `in` cells. Keys 1981, equation 4, with A = -0.75.
std::vector<Taps> bicubic_taps(std::int64_t in, std::int64_t out) {
  constexpr double kA = -0.75;
  const auto near = [](double t) { return ((kA + 2) * t - (kA + 3)) * t * t + 1; };         // t <= 1
  const auto far = [](double t) { return ((kA * t - 5 * kA) * t + 8 * kA) * t - 4 * kA; };  // 1 < t < 2
  std::vector<Taps> taps(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const double at =
        (static_cast<double>(i) + 0.5) * static_cast<double>(in) / static_cast<double>(out) - 0.5;
    const double cell = std::floor(at);
    const double t = at - cell;
    Taps& tap = taps[static_cast<std::size_t>(i)];
    for (std::size_t k = 0; k < 4; ++k) {
      const auto index = static_cast<std::int64_t>(cell) - 1 + static_cast<std::int64_t>(k);
      tap.cells[k] = std::clamp<std::int64_t>(index, 0, in - 1);
    }
    tap.weights = {static_cast<float>(far(t + 1)), static_cast<float>(near(t)),
                   static_cast<float>(near(1 - t)), static_cast<float>(far(2 - t))};
  }
  return taps;
}

// `grid` [height * width, channels] resized to the size that the taps are for.
std::vector<float> resized(const std::vector<float>& grid, std::int64_t width, std::int64_t channels,
                           const std::vector<Taps>& rows, const std::vector<Taps>& columns) {
  std::vector<float> out(rows.size() * columns.size() * static_cast<std::size_t>(channels));
  float* to = out.data();
  for (const Taps& row : rows) {
    for (const Taps& column : columns) {
      for (std::int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (std::size_t y = 0; y < 4; ++y) {
          float line = 0;
          for (std::size_t x = 0; x < 4; ++x) {
            const std::int64_t cell = row.cells[y] * width + column.cells[x];
            line += column.weights[x] * grid[static_cast<std::size_t>(cell * channels + c)];
          }
          sum += row.weights[y] * line;
        }
        *to++ = sum;
      }
    }
  }
  return out;
}

}  // namespace

Tensor CpuInterpreter::add_position_grid(const Tensor& x, const PositionGrid& grid) {
  const TensorValue& in = see(x);
  expect_table(grid.table);
  expect_equal(grid.table.shape()[1], in.channels, "add positions of '" + grid.table.name() + "'");
  if (grid.height < 1 || grid.width < 1) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + grid.table.name() +
                                               "': found a grid of " +
                                               to_string(Shape{grid.height, grid.width}));
  }
  std::vector<float> positions(static_cast<std::size_t>(grid.height * grid.width * in.channels));
  grid.table.read_rows(grid.first, grid.height * grid.width, positions.data());
  if (in.height != grid.height || in.width != grid.width) {
    positions = resized(positions, grid.width, in.channels, bicubic_taps(grid.height, in.height),
                        bicubic_taps(grid.width, in.width));
  }
  auto out = new_tensor(in.batch, in.height, in.width, in.channels);
  const std::int64_t picture = in.height * in.width * in.channels;
  for (std::int64_t item = 0; item < in.batch; ++item) {
    kernels_.add({in.block.get() + item * picture, in.channels}, {positions.data(), in.channels},
                 in.height * in.width, in.channels, {out->block.get() + item * picture, in.channels});
  }
  return Tensor(std::move(out));
}

}  // namespace moa::cpu
