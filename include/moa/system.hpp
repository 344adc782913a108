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

// A kind of model that this build can load.
struct ArchitectureInfo {
  std::string name;        // "siglip"
  std::string layout;      // of its files: "transformers", "open_clip", "openai" or "sentence_transformers"
  std::string model_type;  // in config.json; empty where the layout has no such field
  std::vector<std::string> towers;  // "text", "image"
  std::string summary;              // what it is, and which checkpoints are of it
};

// By name.
MOA_API std::vector<ArchitectureInfo> supported_architectures();

}  // namespace moa
