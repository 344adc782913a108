// The nearest of what would have been right.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace moa {

// "; did you mean --format?" if one of `known` is a likely slip away from `word`, otherwise nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace moa
