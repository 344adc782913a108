#include "nn/attention_pool.hpp"

namespace moa {

Rows AttentionPool::forward(Ops& ops, const Rows& x) const {
  const Rows q = ops.linear(ops.repeat_rows(x, probe), query, {.precision = ProductPrecision::f32});
  const Rows projected = ops.linear(x, keys_values);
  const Rows k = ops.columns(projected, 0, width);
  const Rows v = ops.columns(projected, width, width);
  // One row an item from here on, and the end of its tower: f32 costs nothing.
  constexpr ProductPrecision kExact = ProductPrecision::f32;
  const Rows y = ops.linear(ops.attention(q, k, v, {.heads = heads}), out, {.precision = kExact});
  const Rows hidden =
      ops.linear(ops.layer_norm(y, norm), mlp_in, {.activation = activation, .precision = kExact});
  return ops.linear(hidden, mlp_out, {.residual = &y, .precision = kExact});
}

}  // namespace moa
