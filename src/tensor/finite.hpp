// Weights that are numbers: what is made of one that is NaN or infinite would be none either.
#pragma once

#include <string_view>
#include <vector>

#include "tensor/parameter.hpp"

namespace moa {

// All numbers of `weight`. Error: corrupt_data naming it, and the row, if one is NaN or infinite; `attempt`
// is what cannot be done with it then, as in "prepare".
std::vector<float> finite_numbers(const Parameter& weight, std::string_view attempt);

// That error.
[[noreturn]] void refuse_infinite(const Parameter& weight, std::int64_t row, std::string_view attempt);

}  // namespace moa
