// An epoch of pairs that can be reached by their number, in an order drawn anew.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "train/pair_source.hpp"
#include "train/random.hpp"

namespace moa::train {

class ShuffledStream final : public PairStream {
 public:
  // `pair` gives pair i of `count`; what it throws is that pair's error.
  using Pair = std::function<RawPair(std::uint64_t index)>;
  ShuffledStream(std::uint64_t count, Random random, Pair pair);

  std::optional<RawPair> next() override;
  void skip(std::uint64_t count) override;

 private:
  std::vector<std::uint64_t> order_;
  std::uint64_t at_ = 0;
  Pair pair_;
};

}  // namespace moa::train
