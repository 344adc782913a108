// The matrix tiles of AMX: eight registers of 16 rows of 64 bytes, each row 16 words. All eight are always
// whole here.
//   Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1 chapter 18; volume 2: TDPBF16PS,
//   TDPBUSD.
// Two implementations with one interface: the instructions, and a model of them in plain code, with which
// everything around them (packing, blocking, tails) is tested on processors without tiles.
#pragma once

#include <cstdint>

#include "backends/cpu/kernels/kernels.hpp"

namespace moa::cpu {

constexpr std::int64_t kTileSide = 16;  // rows, and words of a row

namespace {  // NOLINT(google-build-namespaces): each level's own (lanes.hpp)

// A thread's tiles while the object lives.
class HardwareTiles {
 public:
  HardwareTiles() {
    struct alignas(64) {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const whole;
    asm volatile("ldtilecfg %0" ::"m"(whole));
  }
  ~HardwareTiles() { asm volatile("tilerelease"); }
  HardwareTiles(const HardwareTiles&) = delete;
  HardwareTiles& operator=(const HardwareTiles&) = delete;

  template <int kTile>
  void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
  }
  // Rows `stride` words apart.
  template <int kTile>
  void load(const float* from, std::int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride * 4), "i"(kTile) : "memory");
  }
  template <int kTile>
  void store(float* to, std::int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride * 4), "i"(kTile) : "memory");
  }
  // sums[row][column] += Σ left[row][k] right[k][column] over words k, each a small product of its own.
  template <int kSums, int kLeft, int kRight>
  void add_bf16() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kLeft), "i"(kRight));
  }
  template <int kSums, int kLeft, int kRight>
  void add_int8() {  // unsigned times signed
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kLeft), "i"(kRight));
  }
};

class ModelledTiles {
 public:
  template <int kTile>
  void zero() {
    for (auto& row : tiles_[kTile]) {
      for (std::uint32_t& word : row) word = 0;
    }
  }
  template <int kTile>
  void load(const float* from, std::int64_t stride) {
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      __builtin_memcpy(tiles_[kTile][row], from + row * stride, sizeof tiles_[kTile][row]);
    }
  }
  template <int kTile>
  void store(float* to, std::int64_t stride) {
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      __builtin_memcpy(to + row * stride, tiles_[kTile][row], sizeof tiles_[kTile][row]);
    }
  }
  // As the manual has it: the first and the second numbers of the words are summed apart.
  template <int kSums, int kLeft, int kRight>
  void add_bf16() {
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      for (std::int64_t column = 0; column < kTileSide; ++column) {
        float first = 0;
        float second = 0;
        for (std::int64_t k = 0; k < kTileSide; ++k) {
          const std::uint32_t left = tiles_[kLeft][row][k];
          const std::uint32_t right = tiles_[kRight][k][column];
          first += number(left << 16) * number(right << 16);
          second += number(left & 0xFFFF0000U) * number(right & 0xFFFF0000U);
        }
        std::uint32_t& sum = tiles_[kSums][row][column];
        sum = __builtin_bit_cast(std::uint32_t, number(sum) + (first + second));
      }
    }
  }
  template <int kSums, int kLeft, int kRight>
  void add_int8() {
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      for (std::int64_t k = 0; k < kTileSide; ++k) {
        const std::uint32_t left = tiles_[kLeft][row][k];
        for (int shift = 0; shift < 32; shift += 8) {
          const auto value = static_cast<std::int32_t>(left >> shift & 0xFF);
          for (std::int64_t column = 0; column < kTileSide; ++column) {
            const auto weight = static_cast<std::int32_t>(tiles_[kRight][k][column] << (24 - shift)) >> 24;
            tiles_[kSums][row][column] += static_cast<std::uint32_t>(value * weight);
          }
        }
      }
    }
  }

 private:
  static float number(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

  std::uint32_t tiles_[8][kTileSide][kTileSide];
};

}  // namespace
}  // namespace moa::cpu
