#include "backends/cpu/peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

namespace moa {
namespace {

// One loop: `run` does kRounds times `operations` operations.
struct Loop {
  void (*run)();
  double operations;
};

constexpr int kRounds = 20'000;
constexpr int kRepeats = 20;
constexpr int kChains = 12;  // more than latency x units of any processor so far

using Vector4 = float __attribute__((vector_size(16)));

// Multiply and add are separate here, as in the portable kernels.
void run_portable() {
  Vector4 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector4& chain : chains) {
      chain = chain * chain + chain;
      asm volatile("" : "+m"(chains[0]));
    }
  }
}

constexpr Loop kPortable = {run_portable, 2.0 * 4 * kChains};

#if defined(__x86_64__)
using Vector8 = float __attribute__((vector_size(32)));
using Vector16 = float __attribute__((vector_size(64)));

// The asm keeps each chain in a register and the loop from being folded.
__attribute__((target("avx2,fma"))) void run_avx2() {
  Vector8 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector8& chain : chains) asm volatile("vfmadd231ps %0, %0, %0" : "+x"(chain));
  }
}

// What the kernels do for 64 products: twice pairs of bytes, their sum, fours of pairs, and the sum.
__attribute__((target("avx2"))) void run_avx2_int8() {
  Vector8 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector8& chain : chains) {
      Vector8 products;
      Vector8 others;
      asm volatile(
          "vpmaddubsw %0, %0, %1\n vpmaddubsw %0, %0, %2\n vpaddw %2, %1, %1\n vpmaddwd %1, %1, %1\n"
          "vpaddd %1, %0, %0"
          : "+x"(chain), "=&x"(products), "=&x"(others));
    }
  }
}

__attribute__((target("avx512f"))) void run_avx512() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector16& chain : chains) asm volatile("vfmadd231ps %0, %0, %0" : "+v"(chain));
  }
}

__attribute__((target("avx512f"))) void run_avx512_bf16() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector16& chain : chains) asm volatile("vdpbf16ps %0, %0, %0" : "+v"(chain));
  }
}

__attribute__((target("avx512f"))) void run_avx512_int8() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (Vector16& chain : chains) asm volatile("vpdpbusd %0, %0, %0" : "+v"(chain));
  }
}

constexpr int kTiles = 6;  // accumulators; the other two of the eight are what is multiplied

// Eight tiles of 16 rows of 64 bytes (Intel's manual, volume 1, section 18.3: LDTILECFG).
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

void prepare_tiles() {
  const TileConfig config;
  asm volatile("ldtilecfg %0" : : "m"(config));
  asm volatile(
      "tilezero %%tmm0\n tilezero %%tmm1\n tilezero %%tmm2\n tilezero %%tmm3\n"
      "tilezero %%tmm4\n tilezero %%tmm5\n tilezero %%tmm6\n tilezero %%tmm7" ::);
}

void run_amx_bf16() {
  prepare_tiles();
  for (int round = 0; round < kRounds; ++round) {
    asm volatile(
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm0\n tdpbf16ps %%tmm7, %%tmm6, %%tmm1\n tdpbf16ps %%tmm7, %%tmm6, "
        "%%tmm2\n"
        "tdpbf16ps %%tmm7, %%tmm6, %%tmm3\n tdpbf16ps %%tmm7, %%tmm6, %%tmm4\n tdpbf16ps %%tmm7, %%tmm6, "
        "%%tmm5" ::);
  }
  asm volatile("tilerelease" ::);
}

void run_amx_int8() {
  prepare_tiles();
  for (int round = 0; round < kRounds; ++round) {
    asm volatile(
        "tdpbssd %%tmm7, %%tmm6, %%tmm0\n tdpbssd %%tmm7, %%tmm6, %%tmm1\n tdpbssd %%tmm7, %%tmm6, %%tmm2\n"
        "tdpbssd %%tmm7, %%tmm6, %%tmm3\n tdpbssd %%tmm7, %%tmm6, %%tmm4\n tdpbssd %%tmm7, %%tmm6, "
        "%%tmm5" ::);
  }
  asm volatile("tilerelease" ::);
}

Loop loop_of(std::string_view level, Precision precision) {
  const bool is_f32 = precision == Precision::f32;
  const bool is_bf16 = precision == Precision::bf16;
  if (level == "amx" && !is_f32) {
    return is_bf16 ? Loop{run_amx_bf16, 2.0 * 16 * 16 * 32 * kTiles}
                   : Loop{run_amx_int8, 2.0 * 16 * 16 * 64 * kTiles};
  }
  if (level == "avx512_bf16" && !is_f32) {
    return is_bf16 ? Loop{run_avx512_bf16, 2.0 * 32 * kChains} : Loop{run_avx512_int8, 2.0 * 64 * kChains};
  }
  if (level == "avx512" || level == "avx512_bf16" || level == "amx") return {run_avx512, 2.0 * 16 * kChains};
  if (level == "avx2") {
    return precision == Precision::int8 ? Loop{run_avx2_int8, 2.0 * 64 * kChains}
                                        : Loop{run_avx2, 2.0 * 8 * kChains};
  }
  return kPortable;
}
#else
Loop loop_of(std::string_view, Precision) {
  return kPortable;
}
#endif

}  // namespace

double peak_operations(std::string_view level, Precision precision, ThreadPool& threads) {
  using Clock = std::chrono::steady_clock;
  const Loop loop = loop_of(level, precision);
  const auto count = static_cast<std::size_t>(threads.threads());
  double best_s = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const Clock::time_point start = Clock::now();
    threads.parallel_for(count, [&](std::size_t) {
      for (int i = 0; i < 10; ++i) loop.run();
    });
    best_s = std::min(best_s, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return loop.operations * kRounds * 10 * static_cast<double>(count) / best_s;
}

}  // namespace moa
