// Choosing parameters by their names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moa {

// Whether `name` is what `pattern` says, in which `*` stands for any characters, also none. All else stands
// for itself.
bool fits(std::string_view pattern, std::string_view name) noexcept;
bool fits_any(const std::vector<std::string>& patterns, std::string_view name) noexcept;

}  // namespace moa
