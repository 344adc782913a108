// Matrix products with packed weights.
//
// Every output is one chain of multiply-adds over the depth, from 0 upwards: the same chain whatever tile it
// falls into and wherever the depth is interrupted to keep weights in cache (the partial sum then waits in
// `out`, unrounded). That makes a row's bits independent of the other rows.
//
// `Dot` says what a word of 32 bits holds and how it is multiplied (dot.hpp); operands, and sums while they
// are under way, travel as floats whatever they are.
#pragma once

#include "backends/cpu/kernels/dot.hpp"
#include "backends/cpu/kernels/finish.hpp"
#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"

namespace moa::cpu {

// A tile of V::kTileRows x V::kTileVectors vectors of sums lives in registers.
template <class V>
constexpr std::int64_t kPanelColumns = V::kTileVectors* V::kWidth;

// The words of depth that are computed in one go: with 64 columns a panel's part is 128 KiB, so that a few of
// them stay in the second-level cache while the rows pass.
constexpr std::int64_t kDepthBlock = 512;

// With few rows much of the time goes into reading weights, so they pass one panel after another, each read
// while the one before it is multiplied. With fewer still, there is nothing to hide reading behind; with
// many, a task's panels stay in cache while the rows pass.
constexpr std::int64_t kLeastTilesOfFewRows = 3;
constexpr std::int64_t kMostTilesOfFewRows = 12;

// Weights that will be needed next, fetched into the second-level cache while a tile is computed: `lines`
// cache lines from `next` on for every kStride words of depth.
struct Ahead {
  static constexpr std::int64_t kStride = 8;
  const float* next = nullptr;
  std::int64_t lines = 0;

  void fetch() {
    for (std::int64_t i = 0; i < lines; ++i, next += 16) __builtin_prefetch(next, 0, 2);
  }
};

// sums[rows, kVectors vectors] (+)= a[rows, depth] x b[depth, kVectors vectors]; resumes what is in `out`.
template <class V, class Dot, int kRows, int kVectors>
inline void tile(ConstMatrix a, ConstMatrix b, std::int64_t depth, bool resume, Ahead ahead, Matrix out) {
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
  for (std::int64_t begin = 0; begin < depth; begin += Ahead::kStride) {
    ahead.fetch();
    const std::int64_t end = smaller<V>(begin + Ahead::kStride, depth);
    for (std::int64_t d = begin; d < end; d += Dot::kTogether, from += Dot::kTogether * b.stride) {
#pragma GCC unroll 2
      for (int part = 0; part < Dot::kParts; ++part) {
        Floats<V> columns[kVectors][Dot::kTogether];
#pragma GCC unroll 16
        for (int j = 0; j < kVectors; ++j) {
#pragma GCC unroll 4
          for (int k = 0; k < Dot::kTogether; ++k) {
            columns[j][k] = Dot::part(load<V>(from + k * b.stride + j * V::kWidth), part);
          }
        }
#pragma GCC unroll 16
        for (int i = 0; i < kRows; ++i) {
          Floats<V> value[Dot::kTogether];
#pragma GCC unroll 4
          for (int k = 0; k < Dot::kTogether; ++k) value[k] = splat<V>(rows[i][(d + k) * Dot::kParts + part]);
#pragma GCC unroll 16
          for (int j = 0; j < kVectors; ++j) sums[i][j] = Dot::add(value, columns[j], sums[i][j]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
    for (int j = 0; j < kVectors; ++j) store<V>(out.data + i * out.stride + j * V::kWidth, sums[i][j]);
  }
}

template <class V, class Dot, int kVectors>
inline void tile_of_rows(std::int64_t rows, ConstMatrix a, ConstMatrix b, std::int64_t depth, bool resume,
                         Ahead ahead, Matrix out) {
  static_assert(V::kTileRows == 6);
  switch (rows) {
    case 1:
      return tile<V, Dot, 1, kVectors>(a, b, depth, resume, ahead, out);
    case 2:
      return tile<V, Dot, 2, kVectors>(a, b, depth, resume, ahead, out);
    case 3:
      return tile<V, Dot, 3, kVectors>(a, b, depth, resume, ahead, out);
    case 4:
      return tile<V, Dot, 4, kVectors>(a, b, depth, resume, ahead, out);
    case 5:
      return tile<V, Dot, 5, kVectors>(a, b, depth, resume, ahead, out);
    default:
      return tile<V, Dot, 6, kVectors>(a, b, depth, resume, ahead, out);
  }
}

// Computes whole vectors only: `out` must have room for columns rounded up to V::kWidth, and so must `b`.
template <class V, class Dot>
inline void tile_of_vectors(std::int64_t rows, std::int64_t columns, ConstMatrix a, ConstMatrix b,
                            std::int64_t depth, bool resume, Ahead ahead, Matrix out) {
  const std::int64_t vectors = (columns + V::kWidth - 1) / V::kWidth;
  if constexpr (V::kTileVectors == 4) {
    if (vectors == 4) return tile_of_rows<V, Dot, 4>(rows, a, b, depth, resume, ahead, out);
    if (vectors == 3) return tile_of_rows<V, Dot, 3>(rows, a, b, depth, resume, ahead, out);
  }
  if (vectors == 2) return tile_of_rows<V, Dot, 2>(rows, a, b, depth, resume, ahead, out);
  return tile_of_rows<V, Dot, 1>(rows, a, b, depth, resume, ahead, out);
}

// Any number of columns up to a panel's: an incomplete last vector goes through memory of its own.
template <class V, class Dot>
inline void tile_of_columns(std::int64_t rows, std::int64_t columns, ConstMatrix a, ConstMatrix b,
                            std::int64_t depth, bool resume, Ahead ahead, Matrix out) {
  if (columns % V::kWidth == 0)
    return tile_of_vectors<V, Dot>(rows, columns, a, b, depth, resume, ahead, out);
  alignas(64) float block[V::kTileRows * kPanelColumns<V>];
  const Matrix whole{block, kPanelColumns<V>};
  for (std::int64_t i = 0; resume && i < rows; ++i) {
    for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
      store<V>(whole.data + i * whole.stride + at, load<V>(out.data + i * out.stride + at, count));
    });
  }
  tile_of_vectors<V, Dot>(rows, columns, a, b, depth, resume, ahead, whole);
  for (std::int64_t i = 0; i < rows; ++i) {
    for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
      store<V>(out.data + i * out.stride + at, load<V>(whole.data + i * whole.stride + at), count);
    });
  }
}

template <class V, class Dot>
void product(const ProductTask& task) {
  const std::int64_t panel_size = task.depth * kPanelColumns<V>;
  // Tiles of about equal height: 8 rows are 4 and 4, since a tile of 2 would wait for its weights.
  const std::int64_t tiles = (task.rows + V::kTileRows - 1) / V::kTileRows;
  const bool few = kLeastTilesOfFewRows <= tiles && tiles <= kMostTilesOfFewRows;
  const std::int64_t together = few ? kPanelColumns<V> : task.columns;
  for (std::int64_t depth = 0; depth < task.depth; depth += kDepthBlock) {
    const std::int64_t depth_here = smaller<V>(kDepthBlock, task.depth - depth);
    const bool last = depth + depth_here == task.depth;
    const std::int64_t fetched = Ahead::kStride * kPanelColumns<V> / 16;  // lines for a stride of the depth
    const std::int64_t share = few ? (fetched + tiles - 1) / tiles : 0;
    const std::int64_t share_size = (depth_here + Ahead::kStride - 1) / Ahead::kStride * share * 16;
    for (std::int64_t first = 0; first < task.columns; first += together) {
      const std::int64_t end = smaller<V>(first + together, task.columns);
      const float* next =
          task.panels + depth * kPanelColumns<V> + (first / kPanelColumns<V> + 1) * panel_size;
      for (std::int64_t index = 0; index < tiles; ++index) {
        const std::int64_t row = task.rows * index / tiles;
        const std::int64_t rows = task.rows * (index + 1) / tiles - row;
        const ConstMatrix a{task.a.data + row * task.a.stride + depth * Dot::kParts, task.a.stride};
        for (std::int64_t column = first; column < end; column += kPanelColumns<V>) {
          const float* panel = task.panels + column * task.depth + depth * kPanelColumns<V>;
          const std::int64_t columns = smaller<V>(kPanelColumns<V>, task.columns - column);
          const Matrix out{task.out.data + row * task.out.stride + column, task.out.stride};
          tile_of_columns<V, Dot>(rows, columns, a, {panel, kPanelColumns<V>}, depth_here, depth > 0,
                                  {next + index * share_size, share}, out);
          if (last) finish<V, Dot>(task, row, rows, column, columns, out);
        }
      }
    }
  }
}

}  // namespace moa::cpu
