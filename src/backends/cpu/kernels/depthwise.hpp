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

template <class V>
void depthwise(const DepthwiseTask& task) {
  for (std::int64_t y = task.begin; y < task.end; ++y) {
    const std::int64_t in_y = y * task.stride - task.top;
    const TapRange<V> vertical(in_y, task.kernel_height, task.in_height);
    for (std::int64_t x = 0; x < task.out_width; ++x) {
      const std::int64_t in_x = x * task.stride - task.left;
      const TapRange<V> horizontal(in_x, task.kernel_width, task.in_width);
      const std::int64_t pixel = (y * task.out_width + x) * task.channels;
      for_vectors<V>(task.channels, [&](std::int64_t channel, std::int64_t count) {
        Floats<V> sum = splat<V>(0.0F);
        for (std::int64_t i = vertical.first; i < vertical.end; ++i) {
          const float* from = task.in + ((in_y + i) * task.in_width + in_x) * task.channels + channel;
          const float* weights = task.weights + i * task.kernel_width * task.channels + channel;
          for (std::int64_t j = horizontal.first; j < horizontal.end; ++j) {
            sum = V::fma(load<V>(from + j * task.channels, count),
                         load<V>(weights + j * task.channels, count), sum);
          }
        }
        if (task.epilogue.bias != nullptr) sum = sum + load<V>(task.epilogue.bias + channel, count);
        sum = activate<V>(task.epilogue.activation, sum);
        if (task.epilogue.residual.data != nullptr) {
          sum = sum + load<V>(task.epilogue.residual.data + pixel + channel, count);
        }
        store<V>(task.out + pixel + channel, sum, count);
      });
    }
  }
}

}  // namespace moa::cpu
