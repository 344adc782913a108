#include "fma_peak.hpp"

#include <algorithm>

#include "backends/cpu/level.hpp"
#include "stopwatch.hpp"

namespace moa::bench {
namespace {

constexpr int kRounds = 200'000;
constexpr int kChains = 12;  // more than latency x units of any processor so far

#if defined(__x86_64__)
using Vector16 = float __attribute__((vector_size(64)));
using Vector8 = float __attribute__((vector_size(32)));

// The empty asm keeps each chain in a register and the loop from being folded.
__attribute__((target("avx512f"))) void run_avx512() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) asm volatile("vfmadd231ps %0, %0, %0" : "+v"(chains[i]));
  }
}

__attribute__((target("avx512f,avx512bf16"))) void run_avx512_bf16() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) asm volatile("vdpbf16ps %0, %0, %0" : "+v"(chains[i]));
  }
}

__attribute__((target("avx512f,avx512vnni"))) void run_avx512_vnni() {
  Vector16 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) asm volatile("vpdpbusd %0, %0, %0" : "+v"(chains[i]));
  }
}

__attribute__((target("avx2,fma"))) void run_avx2() {
  Vector8 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) asm volatile("vfmadd231ps %0, %0, %0" : "+x"(chains[i]));
  }
}
#endif

using Vector4 = float __attribute__((vector_size(16)));

// Multiply and add are separate here, as in the portable kernels.
void run_portable() {
  Vector4 chains[kChains] = {};
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) {
      chains[i] = chains[i] * chains[i] + chains[i];
      asm volatile("" : "+m"(chains[0]));
    }
  }
}

}  // namespace

double peak_gflops(ThreadPool& threads, Precision precision) {
  void (*run)() = run_portable;
  double lanes = 4;
#if defined(__x86_64__)
  if (cpu_level().starts_with("avx512") || cpu_level() == "amx") {
    run = run_avx512;
    lanes = 16;
    if (cpu_level() != "avx512" && precision == Precision::bf16) {
      run = run_avx512_bf16;
      lanes = 32;
    } else if (cpu_level() != "avx512" && precision == Precision::int8) {
      run = run_avx512_vnni;
      lanes = 64;
    }
  } else if (cpu_level() == "avx2") {
    run = run_avx2;
    lanes = 8;
  }
#endif
  const auto count = static_cast<std::size_t>(threads.threads());
  double best = 1e30;
  for (int repeat = 0; repeat < 20; ++repeat) {
    best = std::min(best, seconds([&] { threads.parallel_for(count, [&](std::size_t) { run(); }); }));
  }
  return 2.0 * lanes * kChains * kRounds * static_cast<double>(count) / best / 1e9;
}

}  // namespace moa::bench
