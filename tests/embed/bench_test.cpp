#include <moa/bench.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "embed/bench_inputs.hpp"
#include "embed/pass_size.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kCheckpoint = fs::path(MOA_TEST_DATA) / "golden" / "clip" / "odd_sizes";

TEST(Bench, MeasuresBothTowers) {
  const Bench bench = Bench::load(kCheckpoint.string(), {.threads = 1});
  for (const Modality modality : {Modality::text, Modality::image}) {
    const BenchResult result = bench.measure({.modality = modality, .batch = 3, .seconds = 0.01});
    EXPECT_GE(result.passes, 3);
    EXPECT_GT(result.per_second, 0);
    EXPECT_GT(result.operations, 1e4);
    EXPECT_GT(result.peak_share, 0);
    EXPECT_LE(result.best_ms, result.p50_ms);
    EXPECT_LE(result.p50_ms, result.p95_ms);
  }
}

TEST(Bench, FilesThatFailDoNotCount) {
  const Bench bench = Bench::load(kCheckpoint.string(), {.threads = 1});
  const Input picture = Input::file(kCheckpoint / "picture0.png");
  const Input nothing = Input::file(kCheckpoint / "no such file");
  const std::vector<Input> files = {picture, nothing};
  const BenchResult result = bench.measure_files(files);
  EXPECT_NEAR(result.per_second, 1e3 / result.p50_ms, 0.01 * result.per_second);
  MOA_EXPECT_ERROR(bench.measure_files(std::span(files).last(1)), not_found);
}

TEST(Bench, RefusesWhatCannotBeMeasured) {
  const Bench bench = Bench::load(kCheckpoint.string(), {.threads = 1});
  MOA_EXPECT_ERROR(bench.measure({.batch = 0}), invalid_argument);
  MOA_EXPECT_ERROR(bench.measure({.modality = Modality::audio}), unsupported);
}

TEST(Bench, ABatchOfSeveralPassesCostsAnItemTheSame) {
  const Bench bench = Bench::load(kCheckpoint.string(), {.threads = 1});
  BenchOptions options{.modality = Modality::text, .batch = 32, .seconds = 0.001};
  const double in_one = bench.measure(options).operations;
  options.batch = 2000;
  EXPECT_NEAR(bench.measure(options).operations, in_one, 0.05 * in_one);
}

TEST(PassSize, TakesOneItemUntilItIsKnownWhatWorkCosts) {
  PassSize size(100);
  EXPECT_TRUE(size.takes(0, 1000));
  EXPECT_FALSE(size.takes(1, 1));
  size.learn(1, 1);
  EXPECT_TRUE(size.takes(60, 40));
  EXPECT_FALSE(size.takes(60, 41));
}

TEST(PassSize, TakesLessOfWorkThatCostsMore) {
  PassSize size(100);
  size.learn(1, kMultiplyAddsPerPass / 10);
  EXPECT_TRUE(size.takes(6, 4));
  EXPECT_FALSE(size.takes(6, 5));
}

TEST(BenchInputs, CaptionsAndPicturesDiffer) {
  EXPECT_EQ(std::set<std::string_view>(bench_captions().begin(), bench_captions().end()).size(),
            bench_captions().size());
  EXPECT_EQ(bench_picture(1, 9, 5), bench_picture(1, 9, 5));
  EXPECT_NE(bench_picture(1, 9, 5), bench_picture(2, 9, 5));
}

}  // namespace
}  // namespace moa
