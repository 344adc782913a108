// Pictures that keep their own shapes: their patches as rows, and positions resized to each picture's grid.
#include <algorithm>
#include <cmath>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"
#include "tensor/checks.hpp"
#include "tensor/position_grid.hpp"

namespace moa::cpu {
namespace {

// What a point of a resized axis is made of: neighbouring cells from `first` on, and their weights.
struct Window {
  std::int64_t first;
  std::vector<float> weights;
};

// One for each of `out` points along an axis of `in` cells: a triangle around the point's centre, one cell
// wide to either side, or as wide as the points are apart where there are fewer points than cells.
std::vector<Window> bilinear_windows(std::int64_t in, std::int64_t out) {
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double reach = std::max(scale, 1.0);
  std::vector<Window> windows(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    // Cut to whole cells, not rounded, as the reference does.
    const double first_edge = centre - reach + 0.5;
    const double end_edge = centre + reach + 0.5;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(first_edge));
    const auto end = std::min(in, static_cast<std::int64_t>(end_edge));
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t cell = first; cell < end; ++cell) {
      const double distance = std::abs(static_cast<double>(cell) - centre + 0.5) / reach;
      weights.push_back(std::max(0.0, 1.0 - distance));
      sum += weights.back();
    }
    Window& window = windows[static_cast<std::size_t>(i)];
    window.first = first;
    for (const double weight : weights) window.weights.push_back(static_cast<float>(weight / sum));
  }
  return windows;
}

// Σ weight · row over the rows of a window, `stride` numbers apart.
void add_up(const Window& window, const float* rows, std::int64_t stride, std::int64_t width, float* out) {
  std::fill_n(out, width, 0.0F);
  const float* row = rows + window.first * stride;
  for (const float weight : window.weights) {
    for (std::int64_t i = 0; i < width; ++i) out[i] += weight * row[i];
    row += stride;
  }
}

// The positions [grid.height * grid.width, width] resized to `to`: across first, then down.
std::vector<float> resized(const std::vector<float>& positions, const PositionGrid& grid, std::int64_t width,
                           const PatchGrid& to) {
  if (to.height == grid.height && to.width == grid.width) return positions;
  const std::vector<Window> across = bilinear_windows(grid.width, to.width);
  std::vector<Window> down = bilinear_windows(grid.height, to.height);
  if (repeats_first_row({grid.height, grid.width}, {to.height, to.width})) {
    std::ranges::fill(down, Window(down.front()));
  }
  std::vector<float> lines(static_cast<std::size_t>(grid.height * to.width * width));
  float* out = lines.data();
  for (std::int64_t y = 0; y < grid.height; ++y) {
    for (const Window& window : across) {
      add_up(window, positions.data() + y * grid.width * width, width, width, out);
      out += width;
    }
  }
  std::vector<float> result(static_cast<std::size_t>(to.patches() * width));
  out = result.data();
  for (const Window& window : down) {
    add_up(window, lines.data(), to.width * width, to.width * width, out);
    out += to.width * width;
  }
  return result;
}

}  // namespace

Patches CpuInterpreter::patches(std::span<const float> values, std::int64_t width,
                                std::span<const PatchGrid> grids) {
  auto rows = new_rows(sequences_of(grids), width);
  expect_equal(static_cast<std::int64_t>(values.size()), rows->rows() * width,
               "take patches of as many values");
  for (std::int64_t row = 0; row < rows->rows(); ++row) {
    std::copy_n(values.data() + row * width, width, rows->matrix.data + row * rows->matrix.stride);
  }
  auto out = std::make_shared<PatchesValue>(this);
  out->rows = Rows(std::move(rows));
  out->grids.assign(grids.begin(), grids.end());
  return Patches(std::move(out));
}

Rows CpuInterpreter::rows_of(const Patches& patches) {
  return see(patches).rows;
}

Rows CpuInterpreter::add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) {
  const RowsValue& in = see(x);
  const PatchesValue& pictures = see(patches);
  expect_table(grid.table);
  expect_equal(grid.table.shape()[1], in.width, "add positions of '" + grid.table.name() + "'");
  if (!(in.sequences == see(pictures.rows).sequences)) {
    throw Error(ErrorCode::shape_mismatch, "cannot add positions of '" + grid.table.name() + "': found " +
                                               std::to_string(in.rows()) + " rows and " +
                                               std::to_string(see(pictures.rows).rows()) +
                                               " patches, expected one for the other");
  }
  std::vector<float> positions(static_cast<std::size_t>(grid.height * grid.width * in.width));
  grid.table.read_rows(grid.first, grid.height * grid.width, positions.data());
  auto out = new_rows(in.sequences, in.width);
  in_parts(in.sequences.items(), positions.size(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const PatchGrid& own = pictures.grids[static_cast<std::size_t>(item)];
      const std::vector<float> fitted = resized(positions, grid, in.width, own);
      const std::int64_t row = in.sequences.begin(item);
      kernels_.add({in.matrix.data + row * in.matrix.stride, in.matrix.stride}, {fitted.data(), in.width},
                   own.patches(), in.width,
                   {out->matrix.data + row * out->matrix.stride, out->matrix.stride});
    }
  });
  return Rows(std::move(out));
}

}  // namespace moa::cpu
