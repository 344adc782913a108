#include "nn/attention_pool.hpp"

namespace moa {

Rows AttentionPool::forward(Ops& ops, const Rows& x) const {
  const Rows q = ops.linear(ops.repeat_rows(x, probe), query);
  const Rows projected = ops.linear(x, keys_values);
  const Rows k = ops.columns(projected, 0, width);
  const Rows v = ops.columns(projected, width, width);
  const Rows y = ops.linear(ops.attention(q, k, v, {.heads = heads}), out);
  const Rows hidden = ops.linear(ops.layer_norm(y, norm), mlp_in, {.activation = activation});
  return ops.linear(hidden, mlp_out, {.residual = &y});
}

}  // namespace moa
