// Attention: torch's fused one where it has it, or decomposed.
#include <torch/version.h>

#include <cmath>
#include <limits>
#include <string>

#include <moa/error.hpp>

#include "backends/torch/interpreter.hpp"
#include "tensor/relative_position.hpp"

namespace moa {
namespace {

// Which keys each query sees: `seen`, boolean, or a number that is added to the score; undefined: all.
struct Scoring {
  at::Tensor bias;
  bool causal = false;
  double scale = 1;
};

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Scoring& scoring) {
#if TORCH_VERSION_MAJOR >= 2
  const bool only_causal = scoring.causal && !scoring.bias.defined();
  if (only_causal || !scoring.causal) {
    return at::scaled_dot_product_attention(
        q, k, v, scoring.bias.defined() ? std::optional<at::Tensor>(scoring.bias) : std::nullopt, 0.0,
        only_causal, scoring.scale);
  }
#endif
  at::Tensor scores = at::matmul(q * scoring.scale, k.transpose(-2, -1));
  if (scoring.bias.defined()) scores = scores + scoring.bias;
  if (scoring.causal) {
    const at::Tensor future = at::ones({q.size(-2), k.size(-2)}, q.options().dtype(at::kBool)).triu(1);
    scores = scores.masked_fill(future, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, -1), v);
}

}  // namespace

Rows TorchInterpreter::attention(const Rows& q, const Rows& k, const Rows& v,
                                 const AttentionOptions& options) {
  const RowsValue& query = see(q);
  const RowsValue& key = see(k);
  const RowsValue& value = see(v);
  const bool causal = options.mask == Mask::causal;
  const std::int64_t heads = options.heads;
  const std::int64_t items = key.sequences.items();
  const std::int64_t asking = items == 0 ? 0 : query.sequences.items() / items;  // share an item's keys
  if (!(value.sequences == key.sequences) || query.sequences.items() != asking * items ||
      (causal && !(query.sequences == key.sequences)) || key.width() != query.width() ||
      value.width() != query.width() || heads < 1 || query.width() % heads != 0) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot attend with " + std::to_string(heads) + " heads: found queries " +
                    to_string(Shape{query.sequences.rows(), query.width()}) + ", keys " +
                    to_string(Shape{key.sequences.rows(), key.width()}) + " and values " +
                    to_string(Shape{value.sequences.rows(), value.width()}) +
                    ", expected equal widths, a multiple of the heads, and as many items, or n times");
  }
  const std::int64_t head_dim = query.width() / heads;
  // [items, heads, rows, head_dim].
  const auto heads_of = [&](const RowsValue& x) {
    return x.box.reshape({x.box.size(0), x.box.size(1), heads, head_dim}).transpose(1, 2);
  };
  at::Tensor keys = heads_of(key);
  at::Tensor values = heads_of(value);
  at::Tensor seen = mask(key.sequences);
  if (asking > 1) {
    keys = keys.repeat_interleave(asking, 0);
    values = values.repeat_interleave(asking, 0);
    if (seen.defined()) seen = seen.repeat_interleave(asking, 0);
  }
  Scoring scoring;
  scoring.scale = options.scale == 0 ? 1.0 / std::sqrt(static_cast<double>(head_dim)) : options.scale;
  scoring.causal = causal;
  // A row never sees the padding behind it under a causal mask.
  if (seen.defined() && !causal) {
    scoring.bias = at::zeros(seen.sizes(), keys.options())
                       .masked_fill(at::logical_not(seen), -std::numeric_limits<double>::infinity())
                       .reshape({seen.size(0), 1, 1, seen.size(1)});
  }
  if (options.relative_bias != nullptr) {
    const at::Tensor relative = relative_bias(*options.relative_bias, heads, query.box.size(1), keys.size(2));
    scoring.bias = scoring.bias.defined() ? scoring.bias + relative : relative;
  }
  const at::Tensor found = attend(heads_of(query), keys, values, scoring);
  return rows(found.transpose(1, 2).reshape({query.box.size(0), query.box.size(1), query.width()}),
              query.sequences);
}

at::Tensor TorchInterpreter::relative_bias(const RelativeBias& bias, std::int64_t heads, std::int64_t queries,
                                           std::int64_t keys) {
  const Shape& shape = bias.table.shape();
  if (shape.rank() != 2 || shape[1] != heads || shape[0] < 4 || bias.max_distance <= shape[0] / 4) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot attend with the relative positions of '" + bias.table.name() + "': found " +
                    to_string(shape) + ", expected [4 or more buckets, " + std::to_string(heads) + "]");
  }
  std::vector<std::int64_t> buckets;
  for (std::int64_t query = 0; query < queries; ++query) {
    for (std::int64_t key = 0; key < keys; ++key) {
      buckets.push_back(bucket_of(key - query, shape[0], bias.max_distance));
    }
  }
  const at::Tensor values = weights_.of(bias.table).index_select(0, indices(buckets));
  return values.reshape({queries, keys, heads}).permute({2, 0, 1}).unsqueeze(0);
}

}  // namespace moa
