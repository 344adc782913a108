#include <atomic>
#include <cstdlib>

#include "backends/cpu_fixture.hpp"

namespace moa {
namespace {

// Counts what an interpreter asks of a parameter.
class CountingSource final : public ParameterSource {
 public:
  void read(std::int64_t, std::int64_t count, float* out) const override {
    elements_read += count;
    std::fill_n(out, count, 1.0F);
  }
  void drop_pages() const override { ++drops; }
  mutable std::atomic<std::int64_t> elements_read = 0;
  mutable std::atomic<int> drops = 0;
};

TEST(CpuBackend, KeepsAWeightPreparedFromItsSecondUseOnAndDropsItsPages) {
  const auto source = std::make_shared<CountingSource>();
  const Linear layer{Parameter("w", {4, 3}, DType::f16, source), {}};
  CpuBackend backend;
  for (int use = 1; use <= 4; ++use) {
    const auto ops = backend.interpreter();
    EXPECT_EQ(ops->read(ops->linear(rows_from(*ops, {1, 2, 3}, 1, 1, 3), layer)),
              std::vector<float>(4, 6.0F));
    EXPECT_EQ(source->elements_read, use == 1 ? 12 : 24);
    EXPECT_EQ(source->drops, use == 1 ? 1 : 2);
    EXPECT_EQ(backend.memory().prepared_bytes > 0, use > 1);
  }
}

TEST(CpuBackend, ReadsOnlyTheRowsOfATableThatAreLookedUp) {
  const auto source = std::make_shared<CountingSource>();
  const Parameter table("table", {1000, 8}, DType::q4, source);
  CpuBackend backend;
  const auto ops = backend.interpreter();
  ops->embedding(ops->tokens(std::vector<std::int32_t>{5, 7}, {}, Sequences::uniform(1, 2)), TokenField::id,
                 table);
  EXPECT_EQ(source->elements_read, 16);
}

TEST(CpuBackend, StackedWeightsGiveTheirPartsSideBySide) {
  const Parameter a = random_parameter("a", {70, 20}, 60);
  const Parameter b = random_parameter("b", {33, 20}, 61);
  const std::vector<float> x = random_values(2 * 20, 62);
  CpuBackend backend;
  const auto ops = backend.interpreter();
  const Rows in = rows_from(*ops, x, 1, 2, 20);
  const Rows both = ops->linear(in, {Parameter::stacked({a, b}), {}});
  EXPECT_EQ(ops->read(ops->columns(both, 0, 70)), ops->read(ops->linear(in, {a, {}})));
  EXPECT_EQ(ops->read(ops->columns(both, 70, 33)), ops->read(ops->linear(in, {b, {}})));
}

TEST(CpuBackend, UsesTheMemoryOfOneForwardForTheNext) {
  const Linear layer{random_parameter("w", {256, 256}, 63), {}};
  CpuBackend backend;
  const std::vector<float> x = random_values(300 * 256, 64);
  std::int64_t after_first = 0;
  for (int i = 0; i < 5; ++i) {
    const auto ops = backend.interpreter();
    Rows rows = rows_from(*ops, x, 1, 300, 256);
    for (int layers = 0; layers < 4; ++layers) rows = ops->linear(rows, layer);
    if (i == 0) after_first = backend.memory().activation_bytes;
  }
  EXPECT_EQ(backend.memory().activation_bytes, after_first);
  EXPECT_EQ(backend.memory().prepared_bytes, 256 * 256 * 4);
  backend.trim();
  EXPECT_EQ(backend.memory().activation_bytes, 0);
}

TEST(CpuBackend, CountsTheMultiplyAddsOfItsForwards) {
  CpuBackend backend;
  const auto ops = backend.interpreter();
  const Rows x = rows_from(*ops, random_values(2 * 5 * 8, 66), 2, 5, 8);
  ops->linear(x, {random_parameter("w", {12, 8}, 67), {}});
  const std::int64_t product = 2 * 5 * 12 * 8;
  EXPECT_EQ(backend.multiply_adds(), product);
  ops->attention(x, x, x, {.heads = 2});
  const std::int64_t attention = 2 * (2 * 5 * 5) * 8;
  EXPECT_EQ(backend.multiply_adds(), product + attention);
  ops->convolution(ops->pixels(random_values(3 * 8 * 8, 68), 1, 3, 8, 8),
                   {random_parameter("c", {4, 3, 2, 2}, 69), {}}, {.stride = 2});
  EXPECT_EQ(backend.multiply_adds(), product + attention + 4 * 4 * 4 * 3 * 2 * 2);
}

TEST(CpuBackend, RefusesValuesOfAnotherInterpreter) {
  CpuBackend backend;
  const auto first = backend.interpreter();
  const auto second = backend.interpreter();
  const Rows x = rows_from(*first, {1, 2}, 1, 1, 2);
  expect_error(ErrorCode::internal, [&] { second->add(x, x); });
  expect_error(ErrorCode::internal, [&] { second->read(Rows()); });
}

TEST(CpuBackend, ComputesNothingForAnEmptyBatch) {
  CpuBackend backend;
  const auto ops = backend.interpreter();
  const Tokens none = ops->tokens({}, {}, Sequences());
  Rows x = ops->embedding(none, TokenField::id, random_parameter("table", {3, 4}, 65));
  x = ops->linear(ops->add_positions(x, random_parameter("p", {3, 4}, 66)),
                  {random_parameter("w", {4, 4}, 67), {}});
  x = ops->mean_rows(ops->attention(x, x, x, {}));
  EXPECT_TRUE(ops->read(x).empty());
}

TEST(CpuBackend, RefusesImpossibleThreads) {
  expect_error(ErrorCode::invalid_argument, [] { CpuBackend({.threads = -1}); });
  expect_error(ErrorCode::invalid_argument, [] { CpuBackend({.threads = 5000}); });
}

TEST(CpuLevels, UnknownAndAbsentLevelsAreRefused) {
  expect_error(ErrorCode::invalid_argument, [] { cpu::kernels_of("sse9"); });
  expect_error(ErrorCode::invalid_argument, [] { cpu::kernels_of(""); });
  const std::vector<std::string> present = levels();
  for (const char* level : {"avx2", "avx512", "avx512_bf16", "amx"}) {
    if (std::find(present.begin(), present.end(), level) != present.end()) continue;
    expect_error(ErrorCode::unsupported, [&] { cpu::kernels_of(level); });
  }
}

// ctest runs this one again in processes with MOA_CPU_LEVEL set, since a process chooses once.
TEST(CpuLevels, TheBestIsChosenUnlessTheEnvironmentForcesOne) {
  const char* forced = std::getenv("MOA_CPU_LEVEL");
  if (forced == nullptr) {
    EXPECT_EQ(cpu_level(), levels().back());
  } else if (std::string(forced) == "portable") {
    EXPECT_EQ(cpu_level(), "portable");
  } else {
    expect_error(ErrorCode::invalid_argument, [] { cpu_level(); });
    expect_error(ErrorCode::invalid_argument, [] { CpuBackend(); });
  }
}

TEST(CpuLevels, PortableRunsEverywhere) {
  EXPECT_EQ(cpu::kernels_of("portable").level, std::string("portable"));
}

}  // namespace
}  // namespace moa
