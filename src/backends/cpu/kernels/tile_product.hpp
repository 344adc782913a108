// Products by tiles (tiles.hpp). A block of 2 x 2 tiles of sums is computed over the whole depth with two
// tiles of rows and two of weights at a time: each tile that is loaded is used twice. Panels are one tile
// wide, so that a tile of weights is one piece of memory; the depth is whole tiles, filled up with zeros.
// Rows of a tile that are not there are computed from whatever lies behind and forgotten, so rows have room
// for kTileBlock more (Products::tile_rows).
#pragma once

#include "backends/cpu/kernels/product.hpp"
#include "backends/cpu/kernels/table.hpp"
#include "backends/cpu/kernels/tiles.hpp"
#include "backends/cpu/kernels/vector16_dot.hpp"

namespace moa::cpu {

constexpr std::int64_t kTileBlock = 2 * kTileSide;

// 1 MiB: a task's rows, which every two panels pass, stay in the second-level cache, and panels come from
// behind it in one long stream.
constexpr std::int64_t kTileTaskWords = std::int64_t{1} << 18;

template <class Tiles, class Dot, int kSums, int kLeft, int kRight>
inline void add_tiles(Tiles& tiles) {
  if constexpr (Dot::kScaled) {
    tiles.template add_int8<kSums, kLeft, kRight>();
  } else {
    tiles.template add_bf16<kSums, kLeft, kRight>();
  }
}

// sums[32, 32] = a[.., depth] x the panels at `panel`, kRowTiles x kColumnTiles tiles of it.
template <class Tiles, class Dot, int kRowTiles, int kColumnTiles>
inline void tile_block(Tiles& tiles, ConstMatrix a, const float* panel, std::int64_t depth, Matrix sums) {
  // Sums in tiles 0 to 3, rows in 4 and 5, weights in 6 and 7.
  tiles.template zero<0>();
  if constexpr (kColumnTiles == 2) tiles.template zero<1>();
  if constexpr (kRowTiles == 2) tiles.template zero<2>();
  if constexpr (kRowTiles == 2 && kColumnTiles == 2) tiles.template zero<3>();
  const float* next_panel = panel + depth * kTileSide;
  for (std::int64_t d = 0; d < depth; d += kTileSide) {
    tiles.template load<6>(panel + d * kTileSide, kTileSide);
    if constexpr (kColumnTiles == 2) tiles.template load<7>(next_panel + d * kTileSide, kTileSide);
    tiles.template load<4>(a.data + d, a.stride);
    add_tiles<Tiles, Dot, 0, 4, 6>(tiles);
    if constexpr (kColumnTiles == 2) add_tiles<Tiles, Dot, 1, 4, 7>(tiles);
    if constexpr (kRowTiles == 2) {
      tiles.template load<5>(a.data + kTileSide * a.stride + d, a.stride);
      add_tiles<Tiles, Dot, 2, 5, 6>(tiles);
      if constexpr (kColumnTiles == 2) add_tiles<Tiles, Dot, 3, 5, 7>(tiles);
    }
  }
  float* const below = sums.data + kTileSide * sums.stride;
  tiles.template store<0>(sums.data, sums.stride);
  if constexpr (kColumnTiles == 2) tiles.template store<1>(sums.data + kTileSide, sums.stride);
  if constexpr (kRowTiles == 2) tiles.template store<2>(below, sums.stride);
  if constexpr (kRowTiles == 2 && kColumnTiles == 2) tiles.template store<3>(below + kTileSide, sums.stride);
}

template <class V, class Tiles, class Dot>
void tile_product(const ProductTask& task) {
  Tiles tiles;
  alignas(64) float block[kTileBlock * kTileBlock];
  for (std::int64_t column = 0; column < task.columns; column += kTileBlock) {
    const float* panel = task.panels + column * task.depth;
    const std::int64_t columns = smaller<V>(kTileBlock, task.columns - column);
    for (std::int64_t row = 0; row < task.rows; row += kTileBlock) {
      const ConstMatrix a{task.a.data + row * task.a.stride, task.a.stride};
      const std::int64_t rows = smaller<V>(kTileBlock, task.rows - row);
      const Matrix out{task.out.data + row * task.out.stride + column, task.out.stride};
      // Parts of tiles go through memory of their own.
      const bool is_whole = rows % kTileSide == 0 && columns % kTileSide == 0;
      const Matrix sums = is_whole ? out : Matrix{block, kTileBlock};
      const bool wide = columns > kTileSide;
      if (rows > kTileSide) {
        wide ? tile_block<Tiles, Dot, 2, 2>(tiles, a, panel, task.depth, sums)
             : tile_block<Tiles, Dot, 2, 1>(tiles, a, panel, task.depth, sums);
      } else {
        wide ? tile_block<Tiles, Dot, 1, 2>(tiles, a, panel, task.depth, sums)
             : tile_block<Tiles, Dot, 1, 1>(tiles, a, panel, task.depth, sums);
      }
      for (std::int64_t i = 0; !is_whole && i < rows; ++i) {
        for_vectors<V>(columns, [&](std::int64_t at, std::int64_t count) {
          store<V>(out.data + i * out.stride + at, load<V>(block + i * kTileBlock + at), count);
        });
      }
      finish<V, Dot>(task, row, rows, column, columns, out);
    }
  }
}

template <class V, class Tiles, class Dot>
constexpr Products tile_products() {
  return {
      .panel_columns = kTileSide,
      .tile_rows = kTileBlock,
      .task_words = kTileTaskWords,
      .described_rows = 3 * kTileBlock,
      .elements_per_word = Dot::kElements,
      .row_parts = Dot::kParts,
      .depth_step = kTileSide,
      .zero_point = Dot::kZeroPoint,
      .pack = pack<V, kTileSide>,
      .product = tile_product<V, Tiles, Dot>,
      .narrow = narrow<V, Dot, kTileSide>,
  };
}

// f32 and all that is no product of reduced numbers is as at avx512.
template <class Tiles>
constexpr Kernels tile_table_of(const char* level) {
  return table_of<Vector16>(level, tile_products<Vector16, Tiles, Bf16Dot16>(),
                            tile_products<Vector16, Tiles, Int8Dot16>());
}

}  // namespace moa::cpu
