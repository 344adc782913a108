// Rows put together and left out, item by item.
#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuItems : public CpuLevel {};

TEST_P(CpuItems, ConcatenatesItemByItem) {
  const Rows a = rows_from(*ops, {1, 2, 3, 4, 5, 6}, Sequences(std::vector<std::int64_t>{2, 1}), 2);
  const Rows b = rows_from(*ops, {7, 8, 9, 10, 11, 12}, Sequences(std::vector<std::int64_t>{1, 2}), 2);
  const Rows both = ops->concatenate(a, b);
  EXPECT_EQ(ops->read(both), (std::vector<float>{1, 2, 3, 4, 7, 8, 5, 6, 9, 10, 11, 12}));
  EXPECT_EQ(ops->read(ops->last_row(both)), (std::vector<float>{7, 8, 11, 12}));
}

TEST_P(CpuItems, DropsTheRowsThatFollowAToken) {
  const Sequences texts(std::vector<std::int64_t>{3, 3});
  const Tokens tokens = ops->tokens(std::vector<std::int32_t>{5, 0, 0, 0, 6, 7}, {}, texts);
  const Rows x = rows_from(*ops, {1, 2, 3, 4, 5, 6, 7, 8}, Sequences(std::vector<std::int64_t>{4, 4}), 1);
  const Rows kept = ops->drop_rows_after(x, tokens, 0);
  EXPECT_EQ(ops->read(kept), (std::vector<float>{1, 2, 5, 7, 8}));
  EXPECT_EQ(ops->read(ops->last_row(kept)), (std::vector<float>{2, 8}));
}

TEST_P(CpuItems, RefusesItemsThatContradictEachOther) {
  const Rows one = rows_from(*ops, {1, 2, 3, 4}, 1, 2, 2);
  const Rows two = rows_from(*ops, {1, 2, 3, 4}, 2, 1, 2);
  const Rows narrow = rows_from(*ops, {1, 2}, 1, 2, 1);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->concatenate(one, two); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->concatenate(one, narrow); });
  const Tokens tokens =
      ops->tokens(std::vector<std::int32_t>{1, 2}, {}, Sequences(std::vector<std::int64_t>{2}));
  expect_error(ErrorCode::shape_mismatch, [&] { ops->drop_rows_after(one, tokens, 0); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->drop_rows_after(two, tokens, 0); });
}

MOA_AT_EVERY_LEVEL(CpuItems);

}  // namespace
}  // namespace moa
