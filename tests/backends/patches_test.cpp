#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuPatches : public CpuLevel {};

TEST_P(CpuPatches, BecomeRowsInTheirOrder) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<PatchGrid> grids = {{1, 2}, {3, 1}};
  const Patches patches = ops->patches(values, 2, grids);
  EXPECT_EQ(ops->read(ops->rows_of(patches)), values);
  EXPECT_EQ(ops->read(ops->last_row(ops->rows_of(patches))), (std::vector<float>{3, 4, 9, 10}));
}

// torch.nn.functional.interpolate(g, size=…, mode="bilinear", align_corners=False, antialias=True) of a 3 x 3
// grid, for three pictures at once.
TEST_P(CpuPatches, GetTheGridOfPositionsResizedToEachPicture) {
  const Parameter grid = Parameter::from_values("grid", {10, 1}, {99, 1, 5, 2, 8, 3, 9, 4, 7, 12});
  const std::vector<PatchGrid> grids = {{2, 5}, {3, 3}, {1, 1}};
  const Patches patches = ops->patches(std::vector<float>(20, 100), 1, grids);
  const std::vector<float> found =
      ops->read(ops->add_position_grid(ops->rows_of(patches), patches, {grid, 1, 3, 3}));
  const std::vector<double> expected = {103.625, 103.875, 104.25,  104.475, 104.625, 105.5,      105.5,
                                        105.5,   108.725, 110.875, 101,     105,     102,        108,
                                        103,     109,     104,     107,     112,     105.6530612};
  expect_near(found, expected, 1e-5);
}

// As above, of torch 2.15 on a CPU, which is the reference's: see repeats_first_row.
TEST_P(CpuPatches, OnePatchWideHaveTheFirstRowsPositionInEveryRowUnlessAsHighAsTheTable) {
  const Parameter grid = Parameter::from_values("grid", {9, 1}, {1, 5, 2, 8, 3, 9, 4, 7, 12});
  const std::vector<PatchGrid> grids = {{2, 1}, {3, 1}, {5, 1}, {1, 4}};
  const Patches patches = ops->patches(std::vector<float>(14, 100), 1, grids);
  const std::vector<float> found =
      ops->read(ops->add_position_grid(ops->rows_of(patches), patches, {grid, 0, 3, 3}));
  const std::vector<double> expected = {104.1785736, 104.1785736, 103,         106.1428604, 107.5714264,
                                        103,         103,         103,         103,         103,
                                        104.8571396, 104.7678604, 105.8928604, 107.8571396};
  expect_near(found, expected, 1e-5);
}

TEST_P(CpuPatches, RefusesEmptyPicturesAndOtherRows) {
  const std::vector<PatchGrid> empty = {{2, 1}, {0, 4}};
  expect_error(ErrorCode::invalid_argument, [&] { ops->patches(std::vector<float>(4), 2, empty); });
  const std::vector<PatchGrid> grids = {{2, 1}, {1, 1}};
  expect_error(ErrorCode::shape_mismatch, [&] { ops->patches(std::vector<float>(5), 2, grids); });
  const Patches patches = ops->patches(std::vector<float>(6), 2, grids);
  const Parameter grid = Parameter::from_values("grid", {4, 2}, std::vector<float>(8));
  const Rows one_a_picture = ops->first_row(ops->rows_of(patches));
  expect_error(ErrorCode::shape_mismatch, [&] {
    ops->add_position_grid(one_a_picture, patches, {grid, 0, 2, 2});
  });
  expect_error(ErrorCode::out_of_range, [&] {
    ops->add_position_grid(ops->rows_of(patches), patches, {grid, 0, 3, 2});
  });
}

MOA_AT_EVERY_LEVEL(CpuPatches);

}  // namespace
}  // namespace moa
