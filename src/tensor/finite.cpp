#include "tensor/finite.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <moa/error.hpp>

namespace moa {

std::vector<float> finite_numbers(const Parameter& weight, std::string_view attempt) {
  std::vector<float> numbers = weight.read();
  const auto bad = std::ranges::find_if_not(numbers, [](float x) { return std::isfinite(x); });
  if (bad != numbers.end()) {
    refuse_infinite(weight, (bad - numbers.begin()) / weight.shape().elements_per_row(), attempt);
  }
  return numbers;
}

void refuse_infinite(const Parameter& weight, std::int64_t row, std::string_view attempt) {
  throw Error(ErrorCode::corrupt_data, "cannot " + std::string(attempt) + " '" + weight.name() +
                                           "': found a weight in row " + std::to_string(row) +
                                           " that is NaN or infinite, expected numbers");
}

}  // namespace moa
