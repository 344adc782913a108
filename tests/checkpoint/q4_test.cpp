#include "checkpoint/q4.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "checkpoint/widen.hpp"

namespace moa {
namespace {

struct Matrix {
  std::vector<std::byte> blocks;
  std::vector<std::uint16_t> scales;
  std::vector<float> expected;
  std::span<const std::byte> scale_bytes() const { return std::as_bytes(std::span(scales)); }
};

Matrix random_matrix(int rows, int columns) {
  std::mt19937 random(7);
  Matrix matrix;
  for (int block = 0; block < rows * columns / 32; ++block) {
    matrix.scales.push_back(static_cast<std::uint16_t>(0x2000 + random() % 0x1000));
    for (int pair = 0; pair < 16; ++pair) {
      const int even = static_cast<int>(random() % 16);
      const int odd = static_cast<int>(random() % 16);
      matrix.blocks.push_back(static_cast<std::byte>(even | odd << 4));
      for (const int nibble : {even, odd}) {
        matrix.expected.push_back(static_cast<float>(nibble - 8) * widen_f16(matrix.scales.back()));
      }
    }
  }
  return matrix;
}

TEST(Q4, HoldsTheEvenColumnInTheLowNibble) {
  const std::vector<std::byte> blocks(16, std::byte{0xF0});
  const std::vector<std::uint16_t> scales{0x3800};  // 0.5
  std::vector<float> out(32);
  widen_q4(blocks, std::as_bytes(std::span(scales)), 0, 32, out.data());
  EXPECT_EQ(out[0], -4.0F);
  EXPECT_EQ(out[1], 3.5F);
  EXPECT_EQ(out[31], 3.5F);
}

TEST(Q4, ReadsAnyRangeAsTheWholeHasIt) {
  const Matrix matrix = random_matrix(3, 64);
  const auto total = static_cast<std::int64_t>(matrix.expected.size());
  for (std::int64_t first = 0; first <= total; first += 5) {
    for (std::int64_t count = 0; first + count <= total; count += 7) {
      std::vector<float> out(static_cast<std::size_t>(count) + 1, 99.0F);
      widen_q4(matrix.blocks, matrix.scale_bytes(), first, count, out.data());
      for (std::int64_t i = 0; i < count; ++i) {
        ASSERT_EQ(out[static_cast<std::size_t>(i)], matrix.expected[static_cast<std::size_t>(first + i)]);
      }
      ASSERT_EQ(out.back(), 99.0F) << "wrote behind the range";
    }
  }
}

}  // namespace
}  // namespace moa
