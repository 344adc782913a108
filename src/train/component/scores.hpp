// How near the items of a batch are to each other, and which of them belong together.
#pragma once

#include <ATen/ATen.h>

namespace moa::train {

// A row for each item that asks, a column for each of its possible answers: the items of the other side, of
// which the partner stands on the diagonal, then what is nobody's partner.
struct Scores {
  at::Tensor values;         // [items, answers]; scores, or cosines
  at::Tensor together = {};  // true for right answers; undefined: the diagonal alone
  at::Tensor left_out = {};  // true for what is neither a right answer nor a wrong one; undefined: nothing

  // The items of the other side as those that ask: [items, items].
  Scores turned() const;
  // True for wrong answers.
  at::Tensor wrong() const;
  // `x` with `value` where it is left out.
  at::Tensor filled(const at::Tensor& x, double value) const;
};

}  // namespace moa::train
