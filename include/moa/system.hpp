// What this build of moa is, and what it found on this machine.
#pragma once

#include <string>
#include <vector>

#include <moa/export.hpp>

namespace moa {

struct SystemInfo {
  std::string version;    // of moa, "0.1.0"
  std::string cpu_level;  // "portable", "avx2", "avx512", "avx512_bf16", "amx": the instruction set used
  int threads = 0;        // used where nobody says how many
  std::vector<std::string> architectures;  // that models may be of, each with a line about it
};

// Errors: invalid_argument or unsupported if MOA_CPU_LEVEL names a level that does not exist or that the
// processor lacks.
MOA_API SystemInfo system_info();

}  // namespace moa
