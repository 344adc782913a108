// A row's bits depend on its own item alone: not on the batch, the neighbours, or the number of threads.
#include <array>
#include <thread>

#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

constexpr std::int64_t kWidth = 48;

// A transformer block with everything in it: what a model makes of the operations.
struct Block {
  Linear qkv{random_parameter("qkv", {3 * kWidth, kWidth}, 40, 0.3F),
             random_parameter("qkv.b", {3 * kWidth}, 41)};
  Linear out{random_parameter("out", {kWidth, kWidth}, 42, 0.3F), random_parameter("out.b", {kWidth}, 43)};
  Linear up{random_parameter("up", {530, kWidth}, 44, 0.3F), random_parameter("up.b", {530}, 45)};
  Linear down{random_parameter("down", {kWidth, 530}, 46, 0.1F), random_parameter("down.b", {kWidth}, 47)};
  LayerNorm norm{random_parameter("norm", {kWidth}, 48), random_parameter("norm.b", {kWidth}, 49)};

  Rows forward(Ops& ops, const Rows& x, Mask mask) const {
    const Rows fused = ops.linear(ops.layer_norm(x, norm), qkv);
    const Rows mixed = ops.attention(ops.columns(fused, 0, kWidth), ops.columns(fused, kWidth, kWidth),
                                     ops.columns(fused, 2 * kWidth, kWidth), {.heads = 4, .mask = mask});
    const Rows y = ops.linear(mixed, out, {.residual = &x});
    const Rows wide = ops.linear(ops.layer_norm(y, norm), up, {.activation = Activation::quick_gelu});
    return ops.linear(wide, down, {.residual = &y});
  }
};

std::vector<float> run(CpuBackend& backend, const Block& block, const std::vector<float>& x,
                       const Sequences& sequences, Mask mask) {
  const auto ops = backend.interpreter();
  return ops->read(block.forward(*ops, rows_from(*ops, x, sequences, kWidth), mask));
}

class CpuInvariance : public testing::TestWithParam<CpuRun> {
 protected:
  CpuBackend backend_with(int threads) const {
    return CpuBackend({.precision = GetParam().precision, .threads = threads}, kernels_at(GetParam().level));
  }
  const Block block;
};

TEST_P(CpuInvariance, ItemsOfRandomBatchesEqualThemselvesAlone) {
  std::mt19937 random(50);
  CpuBackend one = backend_with(1);
  CpuBackend three = backend_with(3);
  for (int round = 0; round < 6; ++round) {
    std::vector<std::int64_t> lengths(1 + random() % 40);
    for (std::int64_t& length : lengths) length = 1 + static_cast<std::int64_t>(random() % 90);
    const Sequences sequences(lengths);
    const Mask mask = round % 2 == 0 ? Mask::none : Mask::causal;
    const std::vector<float> x = random_values(sequences.rows() * kWidth, random());
    const std::vector<float> batch = run(three, block, x, sequences, mask);
    for (std::int64_t item = 0; item < sequences.items(); ++item) {
      const auto begin = static_cast<std::ptrdiff_t>(sequences.begin(item) * kWidth);
      const auto end = static_cast<std::ptrdiff_t>(sequences.end(item) * kWidth);
      const Sequences alone(std::vector<std::int64_t>{sequences.length(item)});
      ASSERT_EQ(run(one, block, {x.begin() + begin, x.begin() + end}, alone, mask),
                std::vector<float>(batch.begin() + begin, batch.begin() + end))
          << "item " << item << " of " << sequences.items();
    }
  }
}

TEST_P(CpuInvariance, EveryNumberOfRowsGivesARowTheSameBits) {
  CpuBackend backend = backend_with(2);
  const Linear layer{random_parameter("w", {300, 600}, 51, 0.1F), random_parameter("b", {300}, 52)};
  const std::vector<float> x = random_values(200 * 600, 53);
  const auto product = [&](std::int64_t rows) {
    const auto ops = backend.interpreter();
    const std::vector<float> part(x.begin(), x.begin() + rows * 600);
    const Rows in = rows_from(*ops, part, Sequences::uniform(rows, 1), 600);
    return ops->read(ops->linear(in, layer, {.activation = Activation::gelu}));
  };
  const std::vector<float> all = product(200);
  for (std::int64_t rows = 1; rows < 200; ++rows) {
    ASSERT_EQ(product(rows), std::vector<float>(all.begin(), all.begin() + rows * 300)) << rows;
  }
}

// Where levels bound the rows of a task by what they hold.
TEST_P(CpuInvariance, RowsOfADeepProductAreCutIntoTasksWithoutATrace) {
  constexpr std::int64_t kRows = 300;
  constexpr std::int64_t kDepth = 3072;
  CpuBackend backend = backend_with(2);
  const Linear layer{random_parameter("w", {40, kDepth}, 61, 0.1F), random_parameter("b", {40}, 62)};
  const std::vector<float> x = random_values(kRows * kDepth, 63);
  const auto product = [&](std::int64_t first, std::int64_t rows) {
    const auto ops = backend.interpreter();
    const std::vector<float> part(x.begin() + first * kDepth, x.begin() + (first + rows) * kDepth);
    return ops->read(ops->linear(rows_from(*ops, part, Sequences::uniform(rows, 1), kDepth), layer, {}));
  };
  const std::vector<float> all = product(0, kRows);
  for (const std::int64_t first : {0, 157, 295}) {
    EXPECT_EQ(product(first, 5), std::vector<float>(all.begin() + first * 40, all.begin() + (first + 5) * 40))
        << first;
  }
}

TEST_P(CpuInvariance, ThreadsChangeNothing) {
  const Sequences sequences(std::vector<std::int64_t>{50, 7, 300, 77, 1, 8, 50, 50});
  const std::vector<float> x = random_values(sequences.rows() * kWidth, 54);
  const std::vector<float> values = random_values(2 * 8 * 40 * 40, 55);
  const Convolution stem{random_parameter("stem", {24, 8, 3, 3}, 56), {}};
  const Convolution deep{random_parameter("deep", {24, 1, 5, 5}, 57), {}};
  const auto pictures = [&](CpuBackend& backend) {
    const auto ops = backend.interpreter();
    const Tensor first = ops->convolution(ops->pixels(values, 2, 8, 40, 40), stem, {.stride = 2});
    const Tensor second =
        ops->convolution(first, deep, {.padding = {2, 2, 2, 2}, .groups = 24, .residual = &first});
    const Tensor gated = ops->scale_channels(ops->average_pool(second, 2), ops->mean_pixels(second));
    return ops->read(ops->rows_of(ops->activation(gated, Activation::silu)));
  };
  CpuBackend one = backend_with(1);
  const std::vector<float> expected = run(one, block, x, sequences, Mask::causal);
  const std::vector<float> expected_pictures = pictures(one);
  for (const int threads : {2, 3, 5}) {
    CpuBackend backend = backend_with(threads);
    EXPECT_EQ(run(backend, block, x, sequences, Mask::causal), expected) << threads;
    EXPECT_EQ(pictures(backend), expected_pictures) << threads;
  }
}

TEST_P(CpuInvariance, ForwardsAtTheSameTimeDoNotDisturbEachOther) {
  const Sequences sequences(std::vector<std::int64_t>{20, 7, 33});
  const std::vector<float> x = random_values(sequences.rows() * kWidth, 58);
  CpuBackend alone = backend_with(1);
  const std::vector<float> expected = run(alone, block, x, sequences, Mask::none);
  CpuBackend shared = backend_with(2);
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> callers;
  for (std::vector<float>& result : found) {
    callers.emplace_back([&] {
      for (int i = 0; i < 3; ++i) result = run(shared, block, x, sequences, Mask::none);
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const std::vector<float>& result : found) EXPECT_EQ(result, expected);
}

TEST_P(CpuInvariance, LaterTokensDoNotChangeEarlierOnesUnderACausalMask) {
  CpuBackend backend = backend_with(2);
  const std::vector<float> x = random_values(40 * kWidth, 59);
  const std::vector<float> whole = run(backend, block, x, Sequences::uniform(1, 40), Mask::causal);
  for (std::int64_t tokens = 1; tokens < 40; ++tokens) {
    const std::vector<float> part = run(backend, block, {x.begin(), x.begin() + tokens * kWidth},
                                        Sequences::uniform(1, tokens), Mask::causal);
    ASSERT_EQ(part, std::vector<float>(whole.begin(), whole.begin() + tokens * kWidth)) << tokens;
  }
}

TEST_P(CpuInvariance, TheFirstUseOfAWeightHasTheBitsOfLaterOnes) {
  for (const auto& [rows, depth, columns] :
       {std::array{1, 64, 96}, std::array{7, 33, 65}, std::array{160, 700, 300}, std::array{75, 1030, 513},
        std::array{200, 70, 300}}) {
    const Linear layer{random_parameter("w", {columns, depth}, 70), random_parameter("b", {columns}, 71)};
    const std::vector<float> x = random_values(static_cast<std::int64_t>(rows) * depth, 72);
    const std::vector<float> more = random_values(static_cast<std::int64_t>(rows) * columns, 73);
    CpuBackend backend = backend_with(2);
    const auto ops = backend.interpreter();
    const Rows residual = rows_from(*ops, more, 1, rows, columns);
    const auto apply = [&] {
      return ops->read(ops->linear(rows_from(*ops, x, 1, rows, depth), layer,
                                   {.activation = Activation::gelu, .residual = &residual}));
    };
    const std::vector<float> first = apply();
    EXPECT_EQ(first, apply());
  }
}

MOA_IN_PRECISIONS(CpuInvariance, Precision::f32, Precision::bf16, Precision::int8);

}  // namespace
}  // namespace moa
