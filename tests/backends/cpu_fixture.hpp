// What the tests of the cpu interpreter share: random values, every level that this machine has, comparison.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <moa/error.hpp>
#include "backends/cpu/cpu_backend.hpp"

namespace moa {

inline std::vector<float> random_values(std::int64_t count, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

inline Parameter random_parameter(const std::string& name, Shape shape, unsigned seed, float scale = 1) {
  const std::int64_t count = shape.elements();
  return Parameter::from_values(name, std::move(shape), random_values(count, seed, scale));
}

// Values as rows: through a picture whose pixels are the rows.
inline Rows rows_from(Interpreter& ops, const std::vector<float>& values, std::int64_t items,
                      std::int64_t tokens, std::int64_t width) {
  std::vector<float> planes(values.size());
  for (std::int64_t item = 0; item < items; ++item) {
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (std::int64_t c = 0; c < width; ++c) {
        planes[static_cast<std::size_t>((item * width + c) * tokens + t)] =
            values[static_cast<std::size_t>((item * tokens + t) * width + c)];
      }
    }
  }
  return ops.rows_of(ops.pixels(planes, items, width, tokens, 1));
}

// Values as rows of items of any lengths: looked up in a table that holds them.
inline Rows rows_from(Interpreter& ops, const std::vector<float>& values, const Sequences& sequences,
                      std::int64_t width) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(sequences.rows()));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i);
  const Parameter table = Parameter::from_values("rows", {sequences.rows(), width}, values);
  return ops.embedding(ops.tokens(ids, {}, sequences), TokenField::id, table);
}

inline void expect_near(const std::vector<float>& found, const std::vector<double>& expected,
                        double tolerance, const std::string& what = "") {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double worst = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = std::abs(found[i] - expected[i]);
    if (!(error <= worst)) {
      worst = error;
      at = i;
    }
  }
  EXPECT_LE(worst, tolerance) << what << ": element " << at;
}

template <typename Call>
void expect_error(ErrorCode code, Call call) {
  try {
    call();
    ADD_FAILURE() << "no error, expected " << name(code);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

// "amx_model" is the amx kernels on modelled tiles.
inline const cpu::Kernels& kernels_at(const std::string& level) {
#if defined(__x86_64__)
  if (level == "amx_model") return cpu::amx_model_kernels();
#endif
  return cpu::kernels_of(level);
}

// Runs a test once for every level that this processor has.
class CpuLevel : public testing::TestWithParam<std::string> {
 protected:
  CpuLevel() : backend({.threads = 2}, kernels_at(GetParam())), ops(backend.interpreter()) {}
  CpuBackend backend;
  std::unique_ptr<Interpreter> ops;
};

inline std::vector<std::string> levels() {
  std::vector<std::string> names;
  for (const cpu::Kernels* kernels : cpu::available_kernels()) names.emplace_back(kernels->level);
  return names;
}

#define MOA_AT_EVERY_LEVEL(Fixture)                                      \
  INSTANTIATE_TEST_SUITE_P(Levels, Fixture, testing::ValuesIn(levels()), \
                           [](const testing::TestParamInfo<std::string>& level) { return level.param; })

// A level that this processor has, or the modelled amx where that can run, and a precision.
struct CpuRun {
  std::string level;
  Precision precision;
};

inline std::vector<CpuRun> runs_in(const std::vector<Precision>& precisions) {
  std::vector<CpuRun> runs;
  std::vector<std::string> names = levels();
  for (const Precision precision : precisions) {
    for (const std::string& level : names) runs.push_back({level, precision});
    const bool model_runs = std::find(names.begin(), names.end(), "avx512_bf16") != names.end();
    if (model_runs && precision != Precision::f32) runs.push_back({"amx_model", precision});
  }
  return runs;
}

#define MOA_IN_PRECISIONS(Fixture, ...)                                                             \
  INSTANTIATE_TEST_SUITE_P(Runs, Fixture, testing::ValuesIn(runs_in({__VA_ARGS__})),                \
                           [](const testing::TestParamInfo<CpuRun>& run) {                          \
                             return run.param.level + "_" + std::string(name(run.param.precision)); \
                           })

}  // namespace moa
