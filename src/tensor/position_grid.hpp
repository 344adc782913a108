// Position tables for pictures of another size than they were learned with.
#pragma once

#include <cstdint>
#include <vector>

namespace moa {

// In cells.
struct GridSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

// `cells` [height, width, channels] of `from`, resized as Ops::add_position_grid says for pictures: bicubic,
// A = -0.75. Both sizes are at least 1 x 1.
std::vector<float> resized_bicubic(const std::vector<float>& cells, const GridSize& from,
                                   const GridSize& to_size);

// Whether positions `from` one size resized bilinearly `to` another are the first row's in every row: in
// pictures one patch wide, unless they are as high as the table. The reference has them from torch's
// interpolate with antialias on a CPU, which finds the cells that a row is made of once for each line that it
// writes (basic_loop_aa_vertical in UpSampleKernel.cpp). A line lies across; with one column it lies down,
// and the first row's cells serve all of it. (With a number of threads that cuts a line in two, as 5 do with
// 768 channels of 256 rows, torch 2.15 begins anew there: a few hundred numbers of 200,000 are then others.)
constexpr bool repeats_first_row(const GridSize& from, const GridSize& to) {
  return to.width == 1 && to.height != from.height;
}

}  // namespace moa
