#include "embed/vector_memory.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace moa {
namespace {

const KnownVector kOne{{1.0F, 2.0F}, true};

TEST(VectorMemory, GivesBackWhatWasPutIn) {
  VectorMemory memory(10000);
  EXPECT_FALSE(memory.find("a"));
  memory.insert("a", kOne);
  const std::optional<KnownVector> found = memory.find("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->vector, kOne.vector);
  EXPECT_TRUE(found->truncated);
  EXPECT_FALSE(memory.find("b"));
}

TEST(VectorMemory, ForgetsWhatWasNotAskedForTheLongest) {
  VectorMemory memory(600);  // three of these
  for (const char* key : {"a", "b", "c"}) memory.insert(key, kOne);
  EXPECT_TRUE(memory.find("a"));
  memory.insert("d", kOne);
  EXPECT_TRUE(memory.find("a"));
  EXPECT_FALSE(memory.find("b"));
  EXPECT_TRUE(memory.find("d"));
}

TEST(VectorMemory, KeepsNothingThatIsLargerThanItself) {
  VectorMemory memory(600);
  memory.insert("a", kOne);
  memory.insert("large", {std::vector<float>(1000), false});
  EXPECT_FALSE(memory.find("large"));
  EXPECT_TRUE(memory.find("a"));
  VectorMemory none(0);
  none.insert("a", kOne);
  EXPECT_FALSE(none.find("a"));
}

TEST(VectorMemory, ManyThreadsMayUseIt) {
  VectorMemory memory(2000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&memory] {
      for (int i = 0; i < 500; ++i) {
        const std::string key = std::to_string(i % 20);
        memory.insert(key, {{static_cast<float>(i % 20)}, false});
        const std::optional<KnownVector> found = memory.find(key);
        EXPECT_TRUE(!found || found->vector.front() == static_cast<float>(i % 20));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace moa
