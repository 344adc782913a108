// Numbers in tables: the shortest digits that read back as the same number.
#pragma once

#include <charconv>
#include <string>

#include <moa/error.hpp>

namespace moa::train {

inline std::string shortest_digits(double value) {
  char text[32];
  const auto [end, failed] = std::to_chars(text, text + sizeof text, value);
  return failed == std::errc() ? std::string(text, end) : "nan";
}

// Error: corrupt_data, with `where`, if `text` is no number.
template <typename Number>
Number parse_number(const std::string& text, const std::string& where) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    throw Error(ErrorCode::corrupt_data,
                "cannot read " + where + ": found '" + text + "', expected a number");
  return value;
}

}  // namespace moa::train
