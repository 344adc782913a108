// Steps that a pooled vector takes on its way into the common space: projections, norms.
#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "tensor/ops.hpp"

namespace moa {

// activation(layer(x))
struct Dense {
  Linear layer;
  Activation activation = Activation::none;
};

// x / max(|x|, eps)
struct UnitLength {
  double eps = 1e-12;
};

using RowStep = std::variant<Dense, LayerNorm, UnitLength>;

// All steps, in order.
Rows apply(Ops& ops, Rows x, std::span<const RowStep> steps);
// How wide rows of `width` are after the steps.
std::int64_t width_after(std::span<const RowStep> steps, std::int64_t width);

}  // namespace moa
