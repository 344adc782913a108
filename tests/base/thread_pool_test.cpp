#include "base/thread_pool.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/expect_error.hpp"

namespace moa {
namespace {

TEST(ThreadPool, RunsEveryPieceOnce) {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const std::size_t count : {0u, 1u, 2u, 3u, 1000u}) {
      std::vector<std::atomic<int>> runs(count);
      pool.parallel_for(count, [&](std::size_t i) { ++runs[i]; });
      for (const auto& run : runs) EXPECT_EQ(run.load(), 1);
    }
  }
}

TEST(ThreadPool, RethrowsTheFirstErrorAndStaysUsable) {
  ThreadPool pool(3);
  std::atomic<int> runs = 0;
  EXPECT_THROW(pool.parallel_for(10'000,
                                 [&](std::size_t) {
                                   ++runs;
                                   throw std::runtime_error("broken piece");
                                 }),
               std::runtime_error);
  EXPECT_LE(runs.load(), 3);  // pieces not yet begun are dropped
  runs = 0;
  pool.parallel_for(100, [&](std::size_t) { ++runs; });
  EXPECT_EQ(runs.load(), 100);
}

TEST(ThreadPool, RunsACallFromInsideAPieceInline) {
  ThreadPool pool(2);
  std::atomic<int> runs = 0;
  pool.parallel_for(4, [&](std::size_t) {
    const std::thread::id outer = std::this_thread::get_id();
    pool.parallel_for(5, [&](std::size_t) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      ++runs;
    });
  });
  EXPECT_EQ(runs.load(), 20);
}

TEST(ThreadPool, ServesSeveralCallersAtOnce) {
  ThreadPool pool(3);
  std::vector<std::atomic<std::int64_t>> sums(4);
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&, caller] {
      for (int round = 0; round < 50; ++round) {
        pool.parallel_for(100, [&](std::size_t i) { sums[caller] += static_cast<std::int64_t>(i); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const auto& sum : sums) EXPECT_EQ(sum.load(), 50 * 4950);
}

#if !defined(__SANITIZE_ADDRESS__)  // which maps more than the limit by itself
TEST(ThreadPool, ThreadsThatCannotBeStartedAreAnErrorAndNoneIsLeft) {
  const auto start_with_little = [] {
    const rlimit little{std::size_t{256} << 20, RLIM_INFINITY};
    if (::setrlimit(RLIMIT_AS, &little) != 0) std::exit(3);
    try {
      const ThreadPool pool(1024);  // each has a stack of 8 MiB
    } catch (const Error& error) {
      std::exit(error.code() == ErrorCode::limit_exceeded ? 0 : 2);
    }
    std::exit(1);
  };
  EXPECT_EXIT(start_with_little(), testing::ExitedWithCode(0), "");
}
#endif

TEST(ThreadPool, RefusesImpossibleNumbersOfThreads) {
  for (const int threads : {0, -1, 1025}) MOA_EXPECT_ERROR(ThreadPool{threads}, invalid_argument);
  EXPECT_GE(available_threads(), 1);
}

}  // namespace
}  // namespace moa
