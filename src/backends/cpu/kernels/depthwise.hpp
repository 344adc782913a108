// Depthwise convolution, vectorised over channels, which lie innermost. Taps that fall outside the picture
// are left out.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/math.hpp"

namespace moa::cpu {

// The taps [first, end) of a kernel that fall inside [0, size) when it starts at `start`.
template <class V>
struct TapRange {
  std::int64_t first, end;

  TapRange(std::int64_t start, std::int64_t taps, std::int64_t size)
      : first(start < 0 ? -start : 0), end(smaller<V>(taps, size - start)) {}
};

// Output pixels [x, x + kPixels) of line y, whose windows all have the taps `vertical` and `horizontal`. Side
// by side, they share the loads of weights, and their sums need not wait for each other. Every sum runs over
// the taps in the same order, so its bits do not depend on kPixels.
template <class V, Activation kActivation, int kPixels>
inline void depthwise_pixels(const DepthwiseTask& task, std::int64_t y, std::int64_t x,
                             const TapRange<V>& vertical, const TapRange<V>& horizontal) {
  const std::int64_t step = task.stride * task.channels;
  const std::int64_t in_y = y * task.stride - task.top;
  const std::int64_t in_x = x * task.stride - task.left;
  const std::int64_t pixel = (y * task.out_width + x) * task.channels;
  for_vectors<V>(task.channels, [&](std::int64_t channel, auto count) {
    Floats<V> sums[kPixels];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) sums[p] = splat<V>(0.0F);
    for (std::int64_t i = vertical.first; i < vertical.end; ++i) {
      const float* from = task.in + ((in_y + i) * task.in_width + in_x) * task.channels + channel;
      const float* weights = task.weights + i * task.kernel_width * task.channels + channel;
      for (std::int64_t j = horizontal.first; j < horizontal.end; ++j) {
        const Floats<V> weight = load<V>(weights + j * task.channels, count);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p) {
          sums[p] = V::fma(load<V>(from + j * task.channels + p * step, count), weight, sums[p]);
        }
      }
    }
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p) {
      const std::int64_t at = pixel + p * task.channels + channel;
      Floats<V> value = sums[p];
      if (task.epilogue.bias != nullptr) value = value + load<V>(task.epilogue.bias + channel, count);
      value = activate<V, kActivation>(value);
      if (task.epilogue.residual.data != nullptr) {
        value = value + load<V>(task.epilogue.residual.data + at, count);
      }
      store<V>(task.out + at, value, count);
    }
  });
}

template <class V, Activation kActivation>
inline void depthwise(const DepthwiseTask& task) {
  constexpr int kPixels = 6;
  for (std::int64_t y = task.begin; y < task.end; ++y) {
    const TapRange<V> vertical(y * task.stride - task.top, task.kernel_height, task.in_height);
    for (std::int64_t x = 0; x < task.out_width;) {
      const std::int64_t in_x = x * task.stride - task.left;
      const std::int64_t last = in_x + (kPixels - 1) * task.stride;
      const TapRange<V> horizontal(in_x, task.kernel_width, task.in_width);
      if (x + kPixels <= task.out_width && in_x >= 0 && last + task.kernel_width <= task.in_width) {
        depthwise_pixels<V, kActivation, kPixels>(task, y, x, vertical, horizontal);
        x += kPixels;
      } else {
        depthwise_pixels<V, kActivation, 1>(task, y, x, vertical, horizontal);
        ++x;
      }
    }
  }
}

// The same with the task's own activation.
template <class V>
void depthwise(const DepthwiseTask& task) {
  with_activation(task.epilogue.activation, [&](auto kind) { depthwise<V, decltype(kind)::kKind>(task); });
}

}  // namespace moa::cpu
