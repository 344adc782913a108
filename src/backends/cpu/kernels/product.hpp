// Matrix products with packed weights.
//
// Every output is one chain of multiply-adds over the depth, from 0 upwards: the same chain whatever tile it
// falls into and wherever the depth is interrupted to keep weights in cache (the partial sum then waits in
// `out`, unrounded). That makes a row's bits independent of the other rows.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/math.hpp"

namespace moa::cpu {

// A tile of V::kTileRows x V::kTileVectors vectors of sums lives in registers.
template <class V>
constexpr std::int64_t kPanelColumns = V::kTileVectors* V::kWidth;

// The depth that is computed in one go: with 64 columns a panel's part is 128 KiB, so that a few of them stay
// in the second-level cache while the rows pass.
constexpr std::int64_t kDepthBlock = 512;

// sums[rows, kVectors vectors] (+)= a[rows, depth] x b[depth, kVectors vectors]; resumes what is in `out`.
template <class V, int kRows, int kVectors>
inline void tile(ConstMatrix a, ConstMatrix b, std::int64_t depth, bool resume, Matrix out) {
  Floats<V> sums[kRows][kVectors];
  const float* rows[kRows];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    rows[i] = a.data + i * a.stride;
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; ++j) {
      sums[i][j] = resume ? load<V>(out.data + i * out.stride + j * V::kWidth) : splat<V>(0.0F);
    }
  }
  const float* from = b.data;
  for (std::int64_t d = 0; d < depth; ++d, from += b.stride) {
    Floats<V> columns[kVectors];
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; ++j) columns[j] = load<V>(from + j * V::kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Floats<V> value = splat<V>(rows[i][d]);
#pragma GCC unroll 16
      for (int j = 0; j < kVectors; ++j) sums[i][j] = V::fma(value, columns[j], sums[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; ++j) store<V>(out.data + i * out.stride + j * V::kWidth, sums[i][j]);
  }
}

template <class V, int kVectors>
inline void tile_of_rows(std::int64_t rows, ConstMatrix a, ConstMatrix b, std::int64_t depth, bool resume,
                         Matrix out) {
  static_assert(V::kTileRows == 6);
  switch (rows) {
    case 1:
      return tile<V, 1, kVectors>(a, b, depth, resume, out);
    case 2:
      return tile<V, 2, kVectors>(a, b, depth, resume, out);
    case 3:
      return tile<V, 3, kVectors>(a, b, depth, resume, out);
    case 4:
      return tile<V, 4, kVectors>(a, b, depth, resume, out);
    case 5:
      return tile<V, 5, kVectors>(a, b, depth, resume, out);
    default:
      return tile<V, 6, kVectors>(a, b, depth, resume, out);
  }
}

// Computes whole vectors only: `out` must have room for columns rounded up to V::kWidth, and so must `b`.
template <class V>
inline void tile_of_vectors(std::int64_t rows, std::int64_t columns, ConstMatrix a, ConstMatrix b,
                            std::int64_t depth, bool resume, Matrix out) {
  const std::int64_t vectors = (columns + V::kWidth - 1) / V::kWidth;
  if constexpr (V::kTileVectors == 4) {
    if (vectors == 4) return tile_of_rows<V, 4>(rows, a, b, depth, resume, out);
    if (vectors == 3) return tile_of_rows<V, 3>(rows, a, b, depth, resume, out);
  }
  if (vectors == 2) return tile_of_rows<V, 2>(rows, a, b, depth, resume, out);
  return tile_of_rows<V, 1>(rows, a, b, depth, resume, out);
}

// Any number of columns up to a panel's: an incomplete last vector goes through memory of its own.
template <class V>
inline void tile_of_columns(std::int64_t rows, std::int64_t columns, ConstMatrix a, ConstMatrix b,
                            std::int64_t depth, bool resume, Matrix out) {
  if (columns % V::kWidth == 0) return tile_of_vectors<V>(rows, columns, a, b, depth, resume, out);
  alignas(64) float block[V::kTileRows * kPanelColumns<V>];
  const Matrix whole{block, kPanelColumns<V>};
  for (std::int64_t i = 0; resume && i < rows; ++i) {
    for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
      store<V>(whole.data + i * whole.stride + at, load<V>(out.data + i * out.stride + at, count));
    });
  }
  tile_of_vectors<V>(rows, columns, a, b, depth, resume, whole);
  for (std::int64_t i = 0; i < rows; ++i) {
    for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
      store<V>(out.data + i * out.stride + at, load<V>(whole.data + i * whole.stride + at), count);
    });
  }
}

// Applies the epilogue to `columns` sums in place.
template <class V>
inline void finish_row(std::int64_t columns, const float* bias, Activation activation, const float* residual,
                       float* row) {
  if (bias == nullptr && activation == Activation::none && residual == nullptr) return;
  for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
    Floats<V> x = load<V>(row + at, count);
    if (bias != nullptr) x = x + load<V>(bias + at, count);
    x = activate<V>(activation, x);
    if (residual != nullptr) x = x + load<V>(residual + at, count);
    store<V>(row + at, x, count);
  });
}

template <class V>
void product(const ProductTask& task) {
  const std::int64_t panel_size = task.depth * kPanelColumns<V>;
  // Tiles of about equal height: 8 rows are 4 and 4, since a tile of 2 would wait for its weights.
  const std::int64_t tiles = (task.rows + V::kTileRows - 1) / V::kTileRows;
  for (std::int64_t depth = 0; depth < task.depth; depth += kDepthBlock) {
    const std::int64_t depth_here = smaller<V>(kDepthBlock, task.depth - depth);
    const bool last = depth + depth_here == task.depth;
    for (std::int64_t index = 0; index < tiles; ++index) {
      const std::int64_t row = task.rows * index / tiles;
      const std::int64_t rows = task.rows * (index + 1) / tiles - row;
      const ConstMatrix a{task.a.data + row * task.a.stride + depth, task.a.stride};
      const float* panel = task.panels + depth * kPanelColumns<V>;
      for (std::int64_t column = 0; column < task.columns; column += kPanelColumns<V>, panel += panel_size) {
        const std::int64_t columns = smaller<V>(kPanelColumns<V>, task.columns - column);
        const Matrix out{task.out.data + row * task.out.stride + column, task.out.stride};
        tile_of_columns<V>(rows, columns, a, {panel, kPanelColumns<V>}, depth_here, depth > 0, out);
        if (!last) continue;
        const Epilogue& e = task.epilogue;
        for (std::int64_t i = 0; i < rows; ++i) {
          const float* residual =
              e.residual.data == nullptr ? nullptr : e.residual.data + (row + i) * e.residual.stride + column;
          finish_row<V>(columns, e.bias == nullptr ? nullptr : e.bias + column, e.activation, residual,
                        out.data + i * out.stride);
        }
      }
    }
  }
}

}  // namespace moa::cpu
