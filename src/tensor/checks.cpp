#include "tensor/checks.hpp"

#include <string>
#include <vector>

#include <moa/error.hpp>

namespace moa {

void expect_table(const Parameter& table, std::int64_t width) {
  const Shape& shape = table.shape();
  if (shape.rank() == 2 && (width == 0 || shape[1] == width)) return;
  throw Error(ErrorCode::shape_mismatch, "cannot look up rows of '" + table.name() + "': found " +
                                             to_string(shape) + ", expected [entries, " +
                                             (width == 0 ? "width" : std::to_string(width)) + "]");
}

Sequences sequences_of(std::span<const PatchGrid> grids) {
  std::vector<std::int64_t> lengths;
  for (const PatchGrid& grid : grids) {
    if (grid.height < 1 || grid.width < 1) {
      throw Error(ErrorCode::invalid_argument, "cannot take patches: found a picture without any");
    }
    lengths.push_back(grid.patches());
  }
  return Sequences(lengths);
}

}  // namespace moa
