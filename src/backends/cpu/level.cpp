#include "backends/cpu/level.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include <moa/error.hpp>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace moa {
namespace cpu {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"portable", "avx2", "avx512", "avx512_bf16", "amx"};

#if defined(__x86_64__)
// Tiles for bf16 and int8, which a process must ask its kernel for (Linux:
// Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
#if defined(__linux__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kBf16 = 1u << 22;
  constexpr unsigned kTile = 1u << 24;
  constexpr unsigned kInt8 = 1u << 25;
  constexpr unsigned kAll = kBf16 | kTile | kInt8;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kAll) != kAll) return false;
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif

}  // namespace

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> available{&portable_kernels()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) available.push_back(&avx2_kernels());
  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    available.push_back(&avx512_kernels());
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vnni")) {
      available.push_back(&avx512_bf16_kernels());
      if (may_use_tiles()) available.push_back(&amx_kernels());
    }
  }
#endif
  return available;
}

const Kernels& kernels_of(std::string_view level) {
  for (const Kernels* kernels : available_kernels()) {
    if (level == kernels->level) return *kernels;
  }
  const std::string attempt = "cannot run at CPU level '" + std::string(level) + "'";
  if (std::ranges::find(kLevels, level) == kLevels.end()) {
    throw Error(ErrorCode::invalid_argument,
                attempt + ": expected portable, avx2, avx512, avx512_bf16 or amx");
  }
  throw Error(ErrorCode::unsupported,
              attempt + ": this processor has " + available_kernels().back()->level + " at best");
}

const Kernels& chosen_kernels() {
  static const Kernels& chosen = [&]() -> const Kernels& {
    const char* forced = std::getenv("MOA_CPU_LEVEL");
    if (forced == nullptr || *forced == '\0') return *available_kernels().back();
    try {
      return kernels_of(forced);
    } catch (const Error& error) {
      throw Error(error.code(), std::string("the environment variable MOA_CPU_LEVEL: ") + error.what());
    }
  }();
  return chosen;
}

}  // namespace cpu

std::string_view cpu_level() {
  return cpu::chosen_kernels().level;
}

}  // namespace moa
