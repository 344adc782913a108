#include "backends/cpu/peak.hpp"

#include <gtest/gtest.h>

#include <string>

#include "backends/cpu/level.hpp"

namespace moa {
namespace {

TEST(Peak, EveryLevelOfThisProcessorHasOneInEveryPrecision) {
  ThreadPool threads(1);
  for (const cpu::Kernels* kernels : cpu::available_kernels()) {
    const double f32 = peak_operations(kernels->level, Precision::f32, threads);
    EXPECT_GT(f32, 1e8) << kernels->level;
    for (const Precision precision : {Precision::bf16, Precision::int8}) {
      // A busy machine may spoil either; a level never computes narrow numbers at a much lower rate.
      EXPECT_GT(peak_operations(kernels->level, precision, threads), f32 / 4)
          << kernels->level << " " << name(precision);
    }
  }
}

}  // namespace
}  // namespace moa
