// base: what every room stands on: errors, files, threads, hashing, UTF-8. It knows nothing of tensors,
// models or media. This header: arithmetic on sizes that come from outside, which refuses to overflow.
#pragma once

#include <cstdint>
#include <string>

#include <moa/error.hpp>

namespace moa {

// a * b; throws Error{code} with `what` if the product does not fit.
inline std::uint64_t checked_multiply(std::uint64_t a, std::uint64_t b, const char* what,
                                      ErrorCode code = ErrorCode::corrupt_data) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) throw Error(code, std::string(what) + ": size overflows");
  return product;
}

// a + b; throws Error{code} with `what` if the sum does not fit.
inline std::uint64_t checked_add(std::uint64_t a, std::uint64_t b, const char* what,
                                 ErrorCode code = ErrorCode::corrupt_data) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) throw Error(code, std::string(what) + ": size overflows");
  return sum;
}

}  // namespace moa
