// Operations that give rows and pixels their positions.
#include <algorithm>

#include <moa/error.hpp>

#include "backends/cpu/interpreter.hpp"
#include "tensor/checks.hpp"
#include "tensor/position_grid.hpp"

namespace moa::cpu {

Rows CpuInterpreter::add_positions(const Rows& x, const Parameter& table, std::int64_t first) {
  const RowsValue& in = see(x);
  expect_table(table);
  expect_equal(table.shape()[1], in.width, "add positions of '" + table.name() + "'");
  const std::int64_t longest = in.sequences.longest();
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
    positions = resized_bicubic(positions, {grid.height, grid.width}, {in.height, in.width});
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
