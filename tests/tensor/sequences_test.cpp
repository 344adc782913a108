#include "tensor/sequences.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

TEST(Sequences, LayItemsBackToBack) {
  const Sequences sequences(std::vector<std::int64_t>{3, 1, 4});
  EXPECT_EQ(sequences.items(), 3);
  EXPECT_EQ(sequences.rows(), 8);
  EXPECT_EQ(sequences.begin(1), 3);
  EXPECT_EQ(sequences.end(1), 4);
  EXPECT_EQ(sequences.length(2), 4);
}

TEST(Sequences, MayBeUniformOrEmpty) {
  EXPECT_EQ(Sequences::uniform(2, 5), Sequences(std::vector<std::int64_t>{5, 5}));
  EXPECT_EQ(Sequences().items(), 0);
  EXPECT_EQ(Sequences().rows(), 0);
}

TEST(Sequences, RefuseItemsWithoutRows) {
  MOA_EXPECT_ERROR(Sequences(std::vector<std::int64_t>{2, 0}), invalid_argument);
  MOA_EXPECT_ERROR(Sequences(std::vector<std::int64_t>{-1}), invalid_argument);
}

}  // namespace
}  // namespace moa
