// Which instruction-set level the kernels run at.
#pragma once

#include <string_view>
#include <vector>

#include "backends/cpu/kernels/kernels.hpp"

namespace moa {

// The level that this process uses: the best that the processor has, or the one that the environment variable
// MOA_CPU_LEVEL names: "portable", "avx2", "avx512" (with F, BW, VL and DQ), "avx512_bf16" (with BF16 and
// VNNI) or "amx" (with tiles for both). Chosen on first use. Errors: invalid_argument if MOA_CPU_LEVEL names
// no level; unsupported if the processor lacks it.
std::string_view cpu_level();

namespace cpu {

// Every level that this processor can run, the slowest first.
std::vector<const Kernels*> available_kernels();
// The kernels of a level. Errors: as cpu_level().
const Kernels& kernels_of(std::string_view level);
// The kernels of cpu_level().
const Kernels& chosen_kernels();

}  // namespace cpu
}  // namespace moa
