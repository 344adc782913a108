// What happens to a tile of sums before it leaves the first-level cache: scales, bias, activation, residual.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/math.hpp"

namespace moa::cpu {

// Turns `rows` x `columns` sums into numbers, in place. `row` and `column` are the first ones' in the task.
// What belongs to a column is loaded once for all rows.
template <class V, class Dot, Activation kActivation>
inline void finish(const ProductTask& task, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns, Matrix sums) {
  const Epilogue& e = task.epilogue;
  const ConstMatrix residual{
      e.residual.data == nullptr ? nullptr : e.residual.data + row * e.residual.stride + column,
      e.residual.stride};
  for_vectors<V>(columns, [&](std::int64_t at, auto count) {
    typename Dot::ColumnScales scales;
    if constexpr (Dot::kScaled) scales = Dot::column_scales(task.scales, column + at, count);
    Floats<V> bias = splat<V>(0.0F);
    if (e.bias != nullptr) bias = load<V>(e.bias + column + at, count);
    for (std::int64_t i = 0; i < rows; ++i) {
      float* const to = sums.data + i * sums.stride + at;
      Floats<V> x = load<V>(to, count);
      if constexpr (Dot::kScaled) x = Dot::scaled(x, scales, task.scales.row[row + i]);
      if (e.bias != nullptr) x = x + bias;
      x = activate<V, kActivation>(x);
      if (residual.data != nullptr) x = x + load<V>(residual.data + i * residual.stride + at, count);
      store<V>(to, x, count);
    }
  });
}

// The same with the task's own activation.
template <class V, class Dot>
inline void finish(const ProductTask& task, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns, Matrix sums) {
  const Epilogue& e = task.epilogue;
  const bool nothing = e.bias == nullptr && e.activation == Activation::none && e.residual.data == nullptr;
  if (!Dot::kScaled && nothing) return;
  with_activation(e.activation, [&](auto kind) {
    finish<V, Dot, decltype(kind)::kKind>(task, row, rows, column, columns, sums);
  });
}

}  // namespace moa::cpu
