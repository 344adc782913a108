// Numbers that stand in tables.
#pragma once

#include <charconv>
#include <string>

#include <moa/error.hpp>

#include "base/number_text.hpp"

namespace moa::train {

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
