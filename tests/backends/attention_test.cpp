#include <algorithm>
#include <array>
#include <cstdlib>
#include <functional>

#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

class CpuAttention : public CpuLevel {};

// softmax(q kᵀ scale) v in doubles; q, k and v are the thirds of `qkv`'s rows.
std::vector<double> attend(const std::vector<float>& qkv, const Sequences& sequences, std::int64_t heads,
                           std::int64_t head_dim, double scale, bool causal,
                           const std::function<double(std::int64_t head, std::int64_t distance)>& bias = {}) {
  const std::int64_t width = heads * head_dim;
  std::vector<double> out(static_cast<std::size_t>(sequences.rows() * width));
  const auto at = [&](std::int64_t row, std::int64_t part, std::int64_t column) {
    return static_cast<double>(qkv[static_cast<std::size_t>(row * 3 * width + part * width + column)]);
  };
  for (std::int64_t item = 0; item < sequences.items(); ++item) {
    for (std::int64_t column = 0; column < width; column += head_dim) {
      for (std::int64_t row = sequences.begin(item); row < sequences.end(item); ++row) {
        const std::int64_t end = causal ? row + 1 : sequences.end(item);
        double sum = 0;
        for (std::int64_t key = sequences.begin(item); key < end; ++key) {
          double score = 0;
          for (std::int64_t d = 0; d < head_dim; ++d)
            score += at(row, 0, column + d) * at(key, 1, column + d);
          const double added = bias ? bias(column / head_dim, key - row) : 0;
          const double power = std::exp(score * scale + added);
          sum += power;
          for (std::int64_t d = 0; d < head_dim; ++d) {
            out[static_cast<std::size_t>(row * width + column + d)] += power * at(key, 2, column + d);
          }
        }
        for (std::int64_t d = 0; d < head_dim; ++d) {
          out[static_cast<std::size_t>(row * width + column + d)] /= sum;
        }
      }
    }
  }
  return out;
}

Rows attend(Interpreter& ops, const Rows& qkv, std::int64_t width, const AttentionOptions& options) {
  return ops.attention(ops.columns(qkv, 0, width), ops.columns(qkv, width, width),
                       ops.columns(qkv, 2 * width, width), options);
}

TEST_P(CpuAttention, AgreesWithDoubles) {
  const Sequences sequences(std::vector<std::int64_t>{1, 2, 6, 7, 16, 50, 77, 13});
  for (const std::int64_t head_dim : {1, 8, 12, 16, 24, 64, 72, 80, 88}) {
    for (const Mask mask : {Mask::none, Mask::causal}) {
      const std::int64_t width = 3 * head_dim;
      const std::vector<float> qkv = random_values(sequences.rows() * 3 * width, 20);
      const double scale = 1 / std::sqrt(static_cast<double>(head_dim));
      expect_near(ops->read(attend(*ops, rows_from(*ops, qkv, sequences, 3 * width), width,
                                   {.heads = 3, .mask = mask})),
                  attend(qkv, sequences, 3, head_dim, scale, mask == Mask::causal), 5e-6,
                  std::to_string(head_dim));
    }
  }
}

TEST_P(CpuAttention, AgreesWithDoublesOnLongItems) {
  const Sequences sequences(std::vector<std::int64_t>{577, 253, 252});
  const std::vector<float> qkv = random_values(sequences.rows() * 48, 21);
  for (const Mask mask : {Mask::none, Mask::causal}) {
    expect_near(ops->read(attend(*ops, rows_from(*ops, qkv, sequences, 48), 16,
                                 {.heads = 1, .scale = 0.4, .mask = mask})),
                attend(qkv, sequences, 1, 16, 0.4, mask == Mask::causal), 5e-6);
  }
}

// The distances at which the bucket changes, as the reference computes it for 32 buckets up to 128.
std::int64_t bucket(std::int64_t distance) {
  constexpr std::array<std::int64_t, 16> kFirst = {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91};
  const std::int64_t size = std::abs(distance);
  const auto above = std::upper_bound(kFirst.begin(), kFirst.end(), size);
  return (above - kFirst.begin() - 1) + (distance > 0 ? 16 : 0);
}

TEST_P(CpuAttention, RelativePositionsAddToTheScoresOfEachHead) {
  constexpr std::int64_t kHeads = 3;
  const Sequences sequences(std::vector<std::int64_t>{1, 5, 300, 77});
  const std::vector<float> qkv = random_values(sequences.rows() * kHeads * 8 * 3, 24);
  const RelativeBias bias{random_parameter("bias", {32, kHeads}, 25)};
  const std::vector<float> table = bias.table.read();
  const std::vector<double> expected =
      attend(qkv, sequences, kHeads, 8, 0.4, false, [&](std::int64_t head, std::int64_t distance) {
        return table[static_cast<std::size_t>(bucket(distance) * kHeads + head)];
      });
  const Rows rows = rows_from(*ops, qkv, sequences, kHeads * 8 * 3);
  expect_near(
      ops->read(attend(*ops, rows, kHeads * 8, {.heads = kHeads, .scale = 0.4, .relative_bias = &bias})),
      expected, 5e-6);
}

TEST_P(CpuAttention, RefusesRelativePositionsOfAnotherNumberOfHeads) {
  const Rows x = rows_from(*ops, std::vector<float>(12), 1, 2, 6);
  const RelativeBias bias{random_parameter("bias", {32, 3}, 25)};
  expect_error(ErrorCode::shape_mismatch,
               [&] { ops->attention(x, x, x, {.heads = 2, .relative_bias = &bias}); });
}

TEST_P(CpuAttention, LargeScoresDoNotOverflow) {
  // Scores of thousands: the softmax is 1 at the largest.
  const Sequences one(std::vector<std::int64_t>{2});
  const Rows qkv = rows_from(*ops, {100, 100, 1, 100, -100, 2}, one, 3);
  expect_near(ops->read(attend(*ops, qkv, 1, {.heads = 1})), {1, 1}, 1e-6);
}

TEST_P(CpuAttention, NanStaysInItsItem) {
  const Sequences sequences(std::vector<std::int64_t>{3, 4, 5});
  std::vector<float> qkv = random_values(12 * 24, 22);
  qkv[4 * 24 + 9] = NAN;  // a key of the second item
  const std::vector<float> out =
      ops->read(attend(*ops, rows_from(*ops, qkv, sequences, 24), 8, {.heads = 1}));
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(std::isnan(out[i]), i / 8 >= 3 && i / 8 < 7) << i;
  }
}

TEST_P(CpuAttention, RefusesHeadsThatDoNotDivideTheWidth) {
  const Rows x = rows_from(*ops, std::vector<float>(6), 1, 1, 6);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->attention(x, x, x, {.heads = 4}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->attention(x, x, x, {.heads = 0}); });
}

TEST_P(CpuAttention, RefusesQueriesAndKeysOfDifferentItems) {
  const Rows x = rows_from(*ops, std::vector<float>(8), 1, 2, 4);
  const Rows y = rows_from(*ops, std::vector<float>(8), 2, 1, 4);
  expect_error(ErrorCode::shape_mismatch, [&] { ops->attention(x, y, y, {}); });
  expect_error(ErrorCode::shape_mismatch, [&] { ops->attention(x, ops->columns(x, 0, 2), x, {}); });
}

TEST_P(CpuAttention, AQueryOfItsOwnNumberOfRowsSeesAllKeysOfItsItem) {
  const Sequences sequences(std::vector<std::int64_t>{3, 20, 1});
  const Rows qkv = rows_from(*ops, random_values(sequences.rows() * 72, 23), sequences, 72);
  const std::vector<float> all = ops->read(ops->first_row(attend(*ops, qkv, 24, {.heads = 3})));
  const Rows first = ops->first_row(ops->columns(qkv, 0, 24));
  EXPECT_EQ(
      ops->read(ops->attention(first, ops->columns(qkv, 24, 24), ops->columns(qkv, 48, 24), {.heads = 3})),
      all);
  expect_error(ErrorCode::shape_mismatch, [&] {
    ops->attention(first, ops->columns(qkv, 24, 24), ops->columns(qkv, 48, 24),
                   {.heads = 3, .mask = Mask::causal});
  });
}

TEST_P(CpuAttention, SeveralItemsOfQueriesMayAskTheSameKeys) {
  const Sequences keyed(std::vector<std::int64_t>{5, 300});
  const Rows kv = rows_from(*ops, random_values(keyed.rows() * 48, 24), keyed, 48);
  const Sequences asking(std::vector<std::int64_t>{3, 1, 7, 2, 4, 260});
  const std::vector<float> q = random_values(asking.rows() * 24, 25);
  const auto attend_to = [&](const Rows& queries, const Rows& keys) {
    return ops->read(
        ops->attention(queries, ops->columns(keys, 0, 24), ops->columns(keys, 24, 24), {.heads = 2}));
  };
  const std::vector<float> together = attend_to(rows_from(*ops, q, asking, 24), kv);
  // Query items 0 to 2 belong to the first item of keys, 3 to 5 to the second.
  const std::vector<float> values = ops->read(kv);
  for (std::int64_t item = 0; item < asking.items(); ++item) {
    const std::int64_t of = item / 3;
    const auto rows = [](const std::vector<float>& all, const Sequences& sequences, std::int64_t i,
                         std::int64_t width) {
      return std::vector<float>(all.begin() + sequences.begin(i) * width,
                                all.begin() + sequences.end(i) * width);
    };
    const Sequences one_query(std::vector<std::int64_t>{asking.length(item)});
    const Sequences one_key(std::vector<std::int64_t>{keyed.length(of)});
    EXPECT_EQ(attend_to(rows_from(*ops, rows(q, asking, item, 24), one_query, 24),
                        rows_from(*ops, rows(values, keyed, of, 48), one_key, 48)),
              rows(together, asking, item, 24))
        << item;
  }
  const Rows five = rows_from(*ops, std::vector<float>(5 * 24), 5, 1, 24);
  expect_error(ErrorCode::shape_mismatch, [&] { attend_to(five, kv); });
}

MOA_AT_EVERY_LEVEL(CpuAttention);

}  // namespace
}  // namespace moa
