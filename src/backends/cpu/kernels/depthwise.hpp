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

// Output pixels of line y from x on whose windows all have the taps `vertical` and `horizontal`.
template <class V>
struct DepthwisePixels {
  std::int64_t y, x;
  TapRange<V> vertical, horizontal;
};

// kPixels pixels' channels [channel, channel + kVectors * kWidth), of which `count` of a vector are there.
// Side by side, pixels share the loads of weights, and sums need not wait for each other. Every sum runs over
// the taps in the same order, so its bits do not depend on kPixels and kVectors.
template <class V, Activation kActivation, int kPixels, int kVectors, class Count>
inline void depthwise_sums(const DepthwiseTask& task, const DepthwisePixels<V>& at, std::int64_t channel,
                           Count count) {
  const std::int64_t step = task.stride * task.channels;
  const std::int64_t in_y = at.y * task.stride - task.top;
  const std::int64_t in_x = at.x * task.stride - task.left;
  Floats<V> sums[kPixels][kVectors];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sums[p][v] = splat<V>(0.0F);
  }
  for (std::int64_t i = at.vertical.first; i < at.vertical.end; ++i) {
    const float* from = task.in + ((in_y + i) * task.in_width + in_x) * task.channels + channel;
    const float* weights = task.weights + i * task.kernel_width * task.channels + channel;
    for (std::int64_t j = at.horizontal.first; j < at.horizontal.end; ++j) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t tap = j * task.channels + v * V::kWidth;
        const Floats<V> weight = load<V>(weights + tap, count);
#pragma GCC unroll 8
        for (int p = 0; p < kPixels; ++p) {
          sums[p][v] = V::fma(load<V>(from + tap + p * step, count), weight, sums[p][v]);
        }
      }
    }
  }
  const std::int64_t pixel = (at.y * task.out_width + at.x) * task.channels + channel;
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t to = pixel + p * task.channels + v * V::kWidth;
      Floats<V> value = sums[p][v];
      if (task.epilogue.bias != nullptr) {
        value = value + load<V>(task.epilogue.bias + channel + v * V::kWidth, count);
      }
      value = activate<V, kActivation>(value);
      if (task.epilogue.residual.data != nullptr) {
        value = value + load<V>(task.epilogue.residual.data + to, count);
      }
      store<V>(task.out + to, value, count);
    }
  }
}

template <class V, Activation kActivation, int kPixels, int kVectors>
inline void depthwise_pixels(const DepthwiseTask& task, const DepthwisePixels<V>& at) {
  constexpr std::integral_constant<std::int64_t, V::kWidth> kWhole{};
  constexpr std::int64_t kChannels = kVectors * V::kWidth;
  std::int64_t channel = 0;
  for (; channel + kChannels <= task.channels; channel += kChannels) {
    depthwise_sums<V, kActivation, kPixels, kVectors>(task, at, channel, kWhole);
  }
  for_vectors<V>(task.channels - channel, [&](std::int64_t first, auto count) {
    depthwise_sums<V, kActivation, kPixels, 1>(task, at, channel + first, count);
  });
}

template <class V, Activation kActivation>
inline void depthwise(const DepthwiseTask& task) {
  for (std::int64_t y = task.begin; y < task.end; ++y) {
    const TapRange<V> vertical(y * task.stride - task.top, task.kernel_height, task.in_height);
    for (std::int64_t x = 0; x < task.out_width;) {
      const std::int64_t in_x = x * task.stride - task.left;
      const DepthwisePixels<V> at{y, x, vertical, {in_x, task.kernel_width, task.in_width}};
      const auto inside = [&](std::int64_t pixels) {
        const std::int64_t last = in_x + (pixels - 1) * task.stride;
        return x + pixels <= task.out_width && in_x >= 0 && last + task.kernel_width <= task.in_width;
      };
      // Four to six sums at once: one waits four cycles for itself.
      if (inside(6)) {
        depthwise_pixels<V, kActivation, 6, 1>(task, at);
        x += 6;
      } else if (inside(3)) {
        depthwise_pixels<V, kActivation, 3, 2>(task, at);
        x += 3;
      } else {
        depthwise_pixels<V, kActivation, 1, 4>(task, at);
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
