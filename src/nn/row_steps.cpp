#include "nn/row_steps.hpp"

namespace moa {
namespace {

Rows apply(Ops& ops, const Rows& x, const Dense& step) {
  return ops.linear(x, step.layer, {.activation = step.activation, .precision = ProductPrecision::f32});
}
Rows apply(Ops& ops, const Rows& x, const LayerNorm& step) {
  return ops.layer_norm(x, step);
}
Rows apply(Ops& ops, const Rows& x, const UnitLength& step) {
  return ops.l2_normalize(x, step.eps);
}

}  // namespace

Rows apply(Ops& ops, Rows x, std::span<const RowStep> steps) {
  for (const RowStep& step : steps) {
    x = std::visit([&](const auto& kind) { return apply(ops, x, kind); }, step);
  }
  return x;
}

std::int64_t width_after(std::span<const RowStep> steps, std::int64_t width) {
  for (const RowStep& step : steps) {
    if (const auto* dense = std::get_if<Dense>(&step)) width = dense->layer.weight.shape()[0];
  }
  return width;
}

}  // namespace moa
