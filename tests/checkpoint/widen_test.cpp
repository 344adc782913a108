#include "checkpoint/widen.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace moa {
namespace {

// IEEE 754-2019, 3.4, word by word.
double binary16(std::uint32_t bits) {
  const double sign = (bits >> 15) != 0 ? -1.0 : 1.0;
  const int exponent = static_cast<int>(bits >> 10 & 31);
  const double fraction = (bits & 1023) / 1024.0;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  return exponent == 0 ? sign * std::ldexp(fraction, -14) : sign * std::ldexp(1 + fraction, exponent - 15);
}

std::vector<std::uint16_t> every_16_bits() {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  return all;
}

TEST(Widen, IsExactForEveryF16) {
  const std::vector<std::uint16_t> all = every_16_bits();
  std::vector<float> out(all.size());
  widen(DType::f16, reinterpret_cast<const std::byte*>(all.data()), 65536, out.data());
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const double expected = binary16(bits);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(out[bits]),
              std::bit_cast<std::uint32_t>(widen_f16(static_cast<std::uint16_t>(bits))));
    EXPECT_EQ(std::signbit(out[bits]), (bits & 0x8000) != 0) << bits;
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(out[bits])) << bits;
    } else {
      EXPECT_EQ(static_cast<double>(out[bits]), expected) << bits;
    }
  }
}

TEST(Widen, IsExactForEveryBf16) {
  const std::vector<std::uint16_t> all = every_16_bits();
  std::vector<float> out(all.size());
  widen(DType::bf16, reinterpret_cast<const std::byte*>(all.data()), 65536, out.data());
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(out[bits]), bits << 16);
  }
}

TEST(Widen, ReadsEveryTypeAtAnyAlignment) {
  const auto first_of = [](DType dtype, const auto& value) {
    std::vector<std::byte> bytes(1 + 2 * sizeof(value));
    std::memcpy(bytes.data() + 1, &value, sizeof(value));
    std::memcpy(bytes.data() + 1 + sizeof(value), &value, sizeof(value));
    float out[2] = {};
    widen(dtype, bytes.data() + 1, 2, out);
    EXPECT_EQ(out[0], out[1]);
    return out[0];
  };
  EXPECT_EQ(first_of(DType::f32, 1.5F), 1.5F);
  EXPECT_EQ(first_of(DType::f64, -2.25), -2.25F);
  EXPECT_EQ(first_of(DType::f16, std::uint16_t{0x3C00}), 1.0F);
  EXPECT_EQ(first_of(DType::bf16, std::uint16_t{0xC000}), -2.0F);
  EXPECT_EQ(first_of(DType::i64, std::int64_t{-7}), -7.0F);
  EXPECT_EQ(first_of(DType::i32, std::int32_t{49407}), 49407.0F);
  EXPECT_EQ(first_of(DType::u8, std::uint8_t{255}), 255.0F);
}

TEST(Widen, WritesNothingForNoElements) {
  float out = 3;
  widen(DType::f32, nullptr, 0, &out);
  widen(DType::f16, nullptr, 0, &out);
  EXPECT_EQ(out, 3);
}

}  // namespace
}  // namespace moa
