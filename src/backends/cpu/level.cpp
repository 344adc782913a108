#include "backends/cpu/level.hpp"

#include <cstdlib>
#include <string>

#include <moa/error.hpp>

namespace moa {
namespace cpu {

std::vector<const Kernels*> available_kernels() {
  std::vector<const Kernels*> available{&portable_kernels()};
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) available.push_back(&avx2_kernels());
  if (has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    available.push_back(&avx512_kernels());
  }
#endif
  return available;
}

const Kernels& kernels_of(std::string_view level) {
  for (const Kernels* kernels : available_kernels()) {
    if (level == kernels->level) return *kernels;
  }
  const std::string attempt = "cannot run at CPU level '" + std::string(level) + "'";
  if (level != "avx2" && level != "avx512") {
    throw Error(ErrorCode::invalid_argument, attempt + ": expected portable, avx2 or avx512");
  }
  throw Error(ErrorCode::unsupported,
              attempt + ": this processor has " + available_kernels().back()->level + " at best");
}

const Kernels& chosen_kernels() {
  static const Kernels& chosen = [&]() -> const Kernels& {
    const char* forced = std::getenv("MOA_CPU_LEVEL");
    return forced == nullptr || *forced == '\0' ? *available_kernels().back() : kernels_of(forced);
  }();
  return chosen;
}

}  // namespace cpu

std::string_view cpu_level() {
  return cpu::chosen_kernels().level;
}

}  // namespace moa
