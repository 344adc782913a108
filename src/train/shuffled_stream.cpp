#include "train/shuffled_stream.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace moa::train {

ShuffledStream::ShuffledStream(std::uint64_t count, Random random, Pair pair) : pair_(std::move(pair)) {
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), std::uint64_t{0});
  for (std::uint64_t i = count; i > 1; --i) std::swap(order_[i - 1], order_[random.below(i)]);
}

std::optional<RawPair> ShuffledStream::next() {
  if (at_ == order_.size()) return std::nullopt;
  return pair_(order_[at_++]);
}

void ShuffledStream::skip(std::uint64_t count) {
  at_ = std::min<std::uint64_t>(order_.size(), at_ + count);
}

}  // namespace moa::train
