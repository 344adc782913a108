#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuTexts : public CpuLevel {
 protected:
  const Parameter table = Parameter::from_values("table", {4, 2}, {0, 1, 10, 11, 20, 21, 30, 31});
  const Sequences two_items{std::vector<std::int64_t>{2, 3}};

  Tokens some_tokens() { return ops->tokens(std::vector<std::int32_t>{3, 1, 2, 3, 3}, {}, two_items); }
  Rows some_rows() { return ops->embedding(some_tokens(), TokenField::id, table); }
};

TEST_P(CpuTexts, EmbeddingLooksUpRowsByIdAndType) {
  EXPECT_EQ(ops->read(some_rows()), (std::vector<float>{30, 31, 10, 11, 20, 21, 30, 31, 30, 31}));
  const std::vector<std::int32_t> ids{0, 0};
  const std::vector<std::int32_t> types{1, 2};
  const Sequences one(std::vector<std::int64_t>{2});
  EXPECT_EQ(ops->read(ops->embedding(ops->tokens(ids, types, one), TokenField::type, table)),
            (std::vector<float>{10, 11, 20, 21}));
  EXPECT_EQ(ops->read(ops->embedding(ops->tokens(types, {}, one), TokenField::type, table)),
            (std::vector<float>{0, 1, 0, 1}));
}

TEST_P(CpuTexts, RefusesIdsOutsideTheTable) {
  const Sequences one(std::vector<std::int64_t>{1});
  for (const std::int32_t id : {-1, 4}) {
    const Tokens tokens = ops->tokens(std::vector<std::int32_t>{id}, {}, one);
    expect_error(ErrorCode::out_of_range, [&] { ops->embedding(tokens, TokenField::id, table); });
  }
}

TEST_P(CpuTexts, RefusesAsManyIdsAsThereAreNoRowsFor) {
  expect_error(ErrorCode::shape_mismatch, [&] { ops->tokens(std::vector<std::int32_t>{1}, {}, two_items); });
  expect_error(ErrorCode::shape_mismatch,
               [&] { ops->tokens(std::vector<std::int32_t>(5), std::vector<std::int32_t>(4), two_items); });
}

TEST_P(CpuTexts, RefusesPositionsPastTheTable) {
  expect_error(ErrorCode::out_of_range, [&] { ops->add_positions(some_rows(), table, 2); });
}

TEST_P(CpuTexts, PicksOneRowAnItem) {
  EXPECT_EQ(ops->read(ops->first_row(some_rows())), (std::vector<float>{30, 31, 20, 21}));
  EXPECT_EQ(ops->read(ops->last_row(some_rows())), (std::vector<float>{10, 11, 30, 31}));
}

TEST_P(CpuTexts, PicksTheRowOfAToken) {
  const Rows x = ops->add_positions(some_rows(), table, 0);
  const Tokens tokens = some_tokens();
  // The first row with the largest id: row 0 of the first item, row 1 of the second.
  EXPECT_EQ(ops->read(ops->row_where(x, tokens, {TokenRule::Kind::largest_id})),
            (std::vector<float>{30, 32, 40, 42}));
  // The second item has no 1: its row 0.
  EXPECT_EQ(ops->read(ops->row_where(x, tokens, {TokenRule::Kind::first_of, 1})),
            (std::vector<float>{20, 22, 20, 22}));
  EXPECT_EQ(ops->read(ops->row_where(x, tokens, {TokenRule::Kind::first_of, 3})),
            (std::vector<float>{30, 32, 40, 42}));
}

TEST_P(CpuTexts, RefusesTokensOfOtherItems) {
  const Rows x = some_rows();
  const Tokens other =
      ops->tokens(std::vector<std::int32_t>(5), {}, Sequences(std::vector<std::int64_t>{3, 2}));
  expect_error(ErrorCode::shape_mismatch, [&] { ops->row_where(x, other, {}); });
}

TEST_P(CpuTexts, MeansRowsWithinEachItem) {
  expect_near(ops->read(ops->mean_rows(some_rows())), {20, 21, 80.0 / 3, 83.0 / 3}, 1e-5);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->mean_rows(some_rows(), 2); });
  const Rows two_and_three = rows_from(*ops, {1, 2, 4, 6, 8}, Sequences({2, 3}), 1);
  expect_near(ops->read(ops->mean_rows(two_and_three, 1)), {2, 7}, 1e-6);
}

TEST_P(CpuTexts, PoolsRowsWithinEachItem) {
  EXPECT_EQ(ops->read(ops->pool_rows(some_rows(), RowPooling::max)), (std::vector<float>{30, 31, 30, 31}));
  expect_near(ops->read(ops->pool_rows(some_rows(), RowPooling::sum_by_root)),
              {40 / std::sqrt(2.0), 42 / std::sqrt(2.0), 80 / std::sqrt(3.0), 83 / std::sqrt(3.0)}, 1e-5);
  expect_near(ops->read(ops->pool_rows(some_rows(), RowPooling::mean_by_place)),
              {50.0 / 3, 53.0 / 3, 170.0 / 6, 176.0 / 6}, 1e-5);
}

TEST_P(CpuTexts, TheLargestOfRowsWithNanIsNan) {
  const Sequences one(std::vector<std::int64_t>{3});
  const Rows x = rows_from(*ops, {1, NAN, NAN, 4, 5, 3}, one, 2);
  const std::vector<float> largest = ops->read(ops->pool_rows(x, RowPooling::max));
  EXPECT_TRUE(std::isnan(largest[0]) && std::isnan(largest[1]));
}

TEST_P(CpuTexts, PrependsARowToEachItem) {
  const Parameter row = Parameter::from_values("class", {2}, {7, 8});
  const Rows x = ops->prepend_row(some_rows(), row);
  EXPECT_EQ(ops->read(x), (std::vector<float>{7, 8, 30, 31, 10, 11, 7, 8, 20, 21, 30, 31, 30, 31}));
  EXPECT_EQ(ops->read(ops->last_row(x)), (std::vector<float>{10, 11, 30, 31}));
}

TEST_P(CpuTexts, RepeatsATableForEachItem) {
  const Parameter queries = Parameter::from_values("queries", {2, 3}, {1, 2, 3, 4, 5, 6});
  const Rows x = ops->repeat_rows(some_rows(), queries);
  EXPECT_EQ(ops->read(x), (std::vector<float>{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(ops->read(ops->last_row(x)), (std::vector<float>{4, 5, 6, 4, 5, 6}));
}

MOA_AT_EVERY_LEVEL(CpuTexts);

}  // namespace
}  // namespace moa
