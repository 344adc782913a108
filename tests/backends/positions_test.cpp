#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuPositions : public CpuLevel {
 protected:
  const Parameter table =
      Parameter::from_values("table", {6, 2}, {0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51});
  const Sequences two_items{std::vector<std::int64_t>{2, 3}};
};

TEST_P(CpuPositions, StartAnewForEachItem) {
  const Rows x = rows_from(*ops, std::vector<float>(10, 1), two_items, 2);
  EXPECT_EQ(ops->read(ops->add_positions(x, table, 1)),
            (std::vector<float>{11, 12, 21, 22, 11, 12, 21, 22, 31, 32}));
}

TEST_P(CpuPositions, AfterThePadAreCountedOverTheOtherTokens) {
  const Rows x = rows_from(*ops, std::vector<float>(10, 1), two_items, 2);
  const Tokens tokens = ops->tokens(std::vector<std::int32_t>{0, 5, 7, 1, 7}, {}, two_items);
  EXPECT_EQ(ops->read(ops->add_positions_after(x, tokens, table, 1)),
            (std::vector<float>{21, 22, 31, 32, 21, 22, 11, 12, 31, 32}));
  expect_error(ErrorCode::out_of_range, [&] { ops->add_positions_after(x, tokens, table, 3); });
}

TEST_P(CpuPositions, OfAGridOfThePicturesSizeAreAddedAsTheyStand) {
  const Tensor x = ops->pixels(std::vector<float>(8, 100), 1, 2, 1, 4);
  const Rows rows = ops->rows_of(ops->add_position_grid(x, {table, 1, 1, 4}));
  EXPECT_EQ(ops->read(rows), (std::vector<float>{110, 111, 120, 121, 130, 131, 140, 141}));
}

// torch.nn.functional.interpolate(g, size=(2, 5), mode="bicubic", align_corners=False) of a 3 x 3 grid.
TEST_P(CpuPositions, OfAGridOfAnotherSizeAreResizedBicubically) {
  const Parameter grid = Parameter::from_values("grid", {9, 1}, {1, 5, 2, 8, 3, 9, 4, 7, 6});
  const Tensor x = ops->pixels(std::vector<float>(2 * 10, 0), 2, 1, 2, 5);
  const std::vector<float> found = ops->read(ops->rows_of(ops->add_position_grid(x, {grid, 0, 3, 3})));
  const std::vector<double> expected = {2.56531250, 3.42975000, 4.40625000, 4.08970312, 3.62278125,
                                        5.06871875, 5.42535937, 6.02343750, 6.63839062, 7.01240625,
                                        2.56531250, 3.42975000, 4.40625000, 4.08970312, 3.62278125,
                                        5.06871875, 5.42535937, 6.02343750, 6.63839062, 7.01240625};
  expect_near(found, expected, 2e-6);
}

TEST_P(CpuPositions, RefusesATableOfAnotherWidthOrTooShort) {
  const Tensor x = ops->pixels(std::vector<float>(12), 1, 3, 2, 2);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->add_position_grid(x, {table, 0, 2, 2}); });
  const Tensor narrow = ops->pixels(std::vector<float>(8), 1, 2, 2, 2);
  expect_error(ErrorCode::out_of_range, [&] { ops->add_position_grid(narrow, {table, 3, 2, 2}); });
}

MOA_AT_EVERY_LEVEL(CpuPositions);

}  // namespace
}  // namespace moa
