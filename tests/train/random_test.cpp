#include "train/random.hpp"

#include <set>

#include <gtest/gtest.h>

namespace moa::train {
namespace {

TEST(Random, AKeyNamesAStream) {
  Random a({7, 1, 2});
  Random b({7, 1, 2});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.next(), b.next());
}

TEST(Random, NeighbouringKeysGiveUnrelatedStreams) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t index = 0; index < 20; ++index) {
      firsts.insert(Random({seed, index}).next());
      firsts.insert(Random({seed, index, 0}).next());
    }
  }
  EXPECT_EQ(firsts.size(), 800u);
}

TEST(Random, IsUniform) {
  Random random({1});
  int counts[10] = {};
  double sum = 0;
  for (int i = 0; i < 100'000; ++i) {
    ++counts[random.below(10)];
    const double value = random.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 400);
}

}  // namespace
}  // namespace moa::train
