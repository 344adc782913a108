// Turning a matrix's rows into a panel's columns.
#pragma once

#include "backends/cpu/kernels/product.hpp"

namespace moa::cpu {

// Transposes kWidth x kWidth numbers in registers: log2(kWidth) rounds, each interleaving row i with row
// i + kWidth / 2.
template <class V>
inline void transpose(Floats<V>* rows) {
  constexpr int kHalf = V::kWidth / 2;
#pragma GCC unroll 4
  for (int round = 1; round < V::kWidth; round *= 2) {
    Floats<V> next[V::kWidth];
#pragma GCC unroll 16
    for (int i = 0; i < kHalf; ++i) {
      next[2 * i] = V::interleave_low(rows[i], rows[i + kHalf]);
      next[2 * i + 1] = V::interleave_high(rows[i], rows[i + kHalf]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < V::kWidth; ++i) rows[i] = next[i];
  }
}

// `lanes` rows of w become `lanes` columns of the panel, the other lanes of their vector zero.
template <class V, std::int64_t kColumns>
inline void pack_vector(ConstMatrix w, std::int64_t lanes, std::int64_t depth, float* panel) {
  for_vectors<V>(depth, [&](std::int64_t at, std::int64_t count) {
    Floats<V> block[V::kWidth];
#pragma GCC unroll 16
    for (int i = 0; i < V::kWidth; ++i) {
      block[i] = i < lanes ? load<V>(w.data + i * w.stride + at, count) : splat<V>(0.0F);
    }
    transpose<V>(block);
    for (std::int64_t i = 0; i < count; ++i) store<V>(panel + (at + i) * kColumns, block[i]);
  });
}

template <class V, std::int64_t kColumns>
void pack(ConstMatrix w, std::int64_t columns, std::int64_t depth, float* panel) {
  for (std::int64_t column = 0; column < kColumns; column += V::kWidth) {
    const std::int64_t left = columns - column;
    const std::int64_t lanes = left < 0 ? 0 : smaller<V>(V::kWidth, left);
    pack_vector<V, kColumns>({w.data + column * w.stride, w.stride}, lanes, depth, panel + column);
  }
}

}  // namespace moa::cpu
