// Numbers in words: the shortest digits that read back as the same number.
#pragma once

#include <charconv>
#include <string>

namespace moa {

// "0.3", "256", "1e-05".
inline std::string shortest_digits(double value) {
  char text[32];
  const auto [end, failed] = std::to_chars(text, text + sizeof text, value);
  return failed == std::errc() ? std::string(text, end) : "nan";
}

}  // namespace moa
