// Attention of one head: for a tile of query rows the scores against all keys, their softmax, and the
// product with the values, so that no more scores than a tile's ever exist.
#pragma once

#include "backends/cpu/kernels/pack.hpp"
#include "backends/cpu/kernels/product.hpp"
#include "backends/cpu/kernels/rows.hpp"

namespace moa::cpu {

// Scratch: the keys as panels, the values padded to whole vectors, one tile's scores and one tile's result.
template <class V>
struct AttentionScratch {
  std::int64_t keys, values, scores;

  AttentionScratch(std::int64_t tokens, std::int64_t head_dim)
      : keys(round_up<V>(tokens, kPanelColumns<V>) * head_dim),
        values(tokens * round_up<V>(head_dim, V::kWidth)),
        scores(V::kTileRows * round_up<V>(tokens, kPanelColumns<V>)) {}
  std::int64_t total() const { return keys + values + scores; }
};

template <class V>
std::int64_t attention_scratch(std::int64_t tokens, std::int64_t head_dim) {
  return AttentionScratch<V>(tokens, head_dim).total();
}

// The values with rows of whole vectors: in place if they have them already.
template <class V>
inline ConstMatrix whole_vectors(ConstMatrix v, std::int64_t tokens, std::int64_t head_dim, float* space) {
  if (head_dim % V::kWidth == 0) return v;
  const std::int64_t stride = round_up<V>(head_dim, V::kWidth);
  for (std::int64_t row = 0; row < tokens; ++row) {
    for_vectors<V>(head_dim, [&](std::int64_t at, std::int64_t count) {
      store<V>(space + row * stride + at, load<V>(v.data + row * v.stride + at, count));
    });
  }
  return {space, stride};
}

// line = scale line + bias, a score for each key.
template <class V>
inline void add_bias(float* line, const float* bias, std::int64_t keys, float scale) {
  for_vectors<V>(keys, [&](std::int64_t at, std::int64_t count) {
    store<V>(line + at, V::fma(load<V>(line + at, count), splat<V>(scale), load<V>(bias + at, count)), count);
  });
}

template <class V>
void attention(const AttentionTask& task) {
  const AttentionScratch<V> sizes(task.tokens, task.head_dim);
  const std::int64_t tokens = task.causal ? task.end : task.tokens;  // later keys are seen by nobody here
  float* const keys = task.scratch;
  for (std::int64_t key = 0; key < tokens; key += kPanelColumns<V>) {
    pack<V, kPanelColumns<V>>({task.k.data + key * task.k.stride, task.k.stride},
                              smaller<V>(kPanelColumns<V>, tokens - key), task.head_dim,
                              keys + key * task.head_dim);
  }
  const ConstMatrix values = whole_vectors<V>(task.v, tokens, task.head_dim, keys + sizes.keys);
  const Matrix scores{keys + sizes.keys + sizes.values, round_up<V>(task.tokens, kPanelColumns<V>)};

  for (std::int64_t row = task.begin; row < task.end; row += V::kTileRows) {
    const std::int64_t rows = smaller<V>(V::kTileRows, task.end - row);
    const std::int64_t visible = task.causal ? row + rows : tokens;
    const ConstMatrix q{task.q.data + row * task.q.stride, task.q.stride};
    for (std::int64_t key = 0; key < visible; key += kPanelColumns<V>) {
      const std::int64_t columns = smaller<V>(kPanelColumns<V>, visible - key);
      tile_of_vectors<V, F32Dot<V>>(rows, columns, q, {keys + key * task.head_dim, kPanelColumns<V>},
                                    task.head_dim, false, {}, {scores.data + key, scores.stride});
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      float* const line = scores.data + i * scores.stride;
      const std::int64_t seen = task.causal ? row + i + 1 : tokens;
      if (task.bias != nullptr) add_bias<V>(line, task.bias - (row + i), seen, task.scale);
      softmax_row<V>(line, seen, visible, task.bias == nullptr ? task.scale : 1.0F, line);
    }
    for (std::int64_t column = 0; column < task.head_dim; column += kPanelColumns<V>) {
      const std::int64_t columns = smaller<V>(kPanelColumns<V>, task.head_dim - column);
      tile_of_columns<V, F32Dot<V>>(rows, columns, scores, {values.data + column, values.stride}, visible,
                                    false, {},
                                    {task.out.data + row * task.out.stride + column, task.out.stride});
    }
  }
}

}  // namespace moa::cpu
