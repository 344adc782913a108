#include "tensor/position_grid.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace moa {
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

}  // namespace

std::vector<float> resized_bicubic(const std::vector<float>& cells, const GridSize& from,
                                   const GridSize& to_size) {
  const std::int64_t channels = static_cast<std::int64_t>(cells.size()) / (from.height * from.width);
  const std::vector<Taps> rows = bicubic_taps(from.height, to_size.height);
  const std::vector<Taps> columns = bicubic_taps(from.width, to_size.width);
  std::vector<float> out(rows.size() * columns.size() * static_cast<std::size_t>(channels));
  float* to = out.data();
  for (const Taps& row : rows) {
    for (const Taps& column : columns) {
      for (std::int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (std::size_t y = 0; y < 4; ++y) {
          float line = 0;
          for (std::size_t x = 0; x < 4; ++x) {
            const std::int64_t cell = row.cells[y] * from.width + column.cells[x];
            line += column.weights[x] * cells[static_cast<std::size_t>(cell * channels + c)];
          }
          sum += row.weights[y] * line;
        }
        *to++ = sum;
      }
    }
  }
  return out;
}

}  // namespace moa
