#include "tensor/sequences.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {

Sequences::Sequences(std::span<const std::int64_t> lengths) {
  std::vector<std::int64_t> offsets{0};
  offsets.reserve(lengths.size() + 1);
  for (const std::int64_t length : lengths) {
    if (length < 1) {
      throw Error(ErrorCode::invalid_argument,
                  "an item of a batch has " + std::to_string(length) + " rows, expected at least 1");
    }
    offsets.push_back(offsets.back() + length);
  }
  offsets_ = std::make_shared<const std::vector<std::int64_t>>(std::move(offsets));
}

std::int64_t Sequences::longest() const {
  std::int64_t most = 0;
  for (std::int64_t item = 0; item < items(); ++item) most = std::max(most, length(item));
  return most;
}

Sequences Sequences::uniform(std::int64_t items, std::int64_t length) {
  return Sequences(std::vector<std::int64_t>(static_cast<std::size_t>(items), length));
}

}  // namespace moa
