// How many items go into one forward pass of a tower: enough to fill the machine, little enough that a wide
// model's activations stay below a few hundred MB, and no more than two cores do in some seconds, for that is
// how long an interruption waits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "embed/engine.hpp"

namespace moa {

constexpr std::int64_t kPixelsPerPass = std::int64_t{32} * 224 * 224;
constexpr std::int64_t kTokensPerPass = 4096;
constexpr std::int64_t kMultiplyAddsPerPass = std::int64_t{1} << 39;

// The work of an item: tokens of a text, pixels of a picture.
inline std::int64_t work_of(const PreparedText& text, const ModelFacts& /*model*/) {
  return static_cast<std::int64_t>(text.ids.size());
}
inline std::int64_t work_of(const PreparedImage& picture, const ModelFacts& model) {
  const ImageTowerFacts* tower = model.image();
  const std::int64_t most = tower == nullptr ? 0 : tower->most_at_once;
  const std::int64_t least_work = most == 0 ? 0 : kPixelsPerPass / most;
  return std::max(static_cast<std::int64_t>(picture.values.size()) / 3, least_work);
}

// How much work goes into a pass of one tower.
class PassSize {
 public:
  explicit PassSize(std::int64_t most) : most_(most) {}

  // Whether an item of `more` work still goes into a pass that has `total`. One may exceed the size alone.
  bool takes(std::int64_t total, std::int64_t more) const { return total == 0 || total + more <= now_; }
  // What the work of a pass cost.
  void learn(std::int64_t work, std::int64_t multiply_adds) {
    const std::int64_t each = multiply_adds / std::max<std::int64_t>(work, 1);
    now_ = std::min(most_, kMultiplyAddsPerPass / std::max<std::int64_t>(each, 1));
  }

 private:
  std::int64_t most_;
  std::int64_t now_ = 0;  // so that one item goes alone until it is known what work costs
};

}  // namespace moa
