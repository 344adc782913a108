// Which precision to measure.
#pragma once

#include <cstdlib>
#include <string>

#include <moa/error.hpp>

#include "tensor/precision.hpp"

namespace moa::bench {

// The one that MOA_DTYPE names; f32 without it. Error: invalid_argument for a name that is none.
inline Precision precision_from_environment() {
  const char* wanted = std::getenv("MOA_DTYPE");
  if (wanted == nullptr || *wanted == '\0') return Precision::f32;
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    if (name(precision) == wanted) return precision;
  }
  throw Error(ErrorCode::invalid_argument,
              "MOA_DTYPE: found '" + std::string(wanted) + "', expected f32, bf16 or int8");
}

}  // namespace moa::bench
