// Row by row: norms, softmax, activations, sums. Sums over a row run in kWidth chains, then over the lanes.
#pragma once

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/kernels/lanes.hpp"
#include "backends/cpu/kernels/math.hpp"

namespace moa::cpu {

template <class V>
inline float sum_of(const float* x, std::int64_t width) {
  Floats<V> sum = splat<V>(0.0F);
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) { sum = sum + load<V>(x + at, count); });
  return sum_lanes<V>(sum);
}

// The sum of (x - mean)².
template <class V>
inline float squares_about(const float* x, std::int64_t width, float mean) {
  Floats<V> sum = splat<V>(0.0F);
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    const Floats<V> difference = load<V>(x + at, count, mean) - splat<V>(mean);
    sum = V::fma(difference, difference, sum);
  });
  return sum_lanes<V>(sum);
}

template <class V>
void layer_norm(ConstMatrix x, std::int64_t rows, std::int64_t width, const float* weight, const float* bias,
                float eps, Matrix out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* from = x.data + row * x.stride;
    float* to = out.data + row * out.stride;
    const float mean = sum_of<V>(from, width) / static_cast<float>(width);
    const float variance = squares_about<V>(from, width, mean) / static_cast<float>(width);
    const Floats<V> factor = splat<V>(1.0F / __builtin_sqrtf(variance + eps));
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      const Floats<V> normal = (load<V>(from + at, count) - splat<V>(mean)) * factor;
      store<V>(to + at, V::fma(normal, load<V>(weight + at, count), load<V>(bias + at, count)), count);
    });
  }
}

template <class V>
void activation(ConstMatrix x, std::int64_t rows, std::int64_t width, Activation kind, Matrix out) {
  with_activation(kind, [&](auto its) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
        const Floats<V> value =
            activate<V, decltype(its)::kKind>(load<V>(x.data + row * x.stride + at, count));
        store<V>(out.data + row * out.stride + at, value, count);
      });
    }
  });
}

template <class V>
void add(ConstMatrix a, ConstMatrix b, std::int64_t rows, std::int64_t width, Matrix out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      const Floats<V> sum =
          load<V>(a.data + row * a.stride + at, count) + load<V>(b.data + row * b.stride + at, count);
      store<V>(out.data + row * out.stride + at, sum, count);
    });
  }
}

template <class V>
void multiply(ConstMatrix a, ConstMatrix b, std::int64_t rows, std::int64_t width, Matrix out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      const Floats<V> product =
          load<V>(a.data + row * a.stride + at, count) * load<V>(b.data + row * b.stride + at, count);
      store<V>(out.data + row * out.stride + at, product, count);
    });
  }
}

// to[0, width) = softmax(scale x); to[width, padded) = 0.
template <class V>
inline void softmax_row(const float* x, std::int64_t width, std::int64_t padded, float scale, float* to) {
  const float lowest = -__builtin_inff();
  Floats<V> most = splat<V>(lowest);
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    Floats<V> scaled = load<V>(x + at, count) * splat<V>(scale);
    store<V>(to + at, scaled, count);
    most = V::maximum(most, load<V>(to + at, count, lowest));
  });
  const float largest = largest_lane<V>(most);
  Floats<V> sum = splat<V>(0.0F);
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    const Floats<V> power = exp<V>(load<V>(to + at, count, lowest) - splat<V>(largest));
    store<V>(to + at, power, count);
    sum = sum + power;
  });
  const Floats<V> share = splat<V>(1.0F / sum_lanes<V>(sum));
  for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
    store<V>(to + at, load<V>(to + at, count) * share, count);
  });
  for (std::int64_t i = width; i < padded; ++i) to[i] = 0;
}

template <class V>
void softmax(ConstMatrix x, std::int64_t rows, std::int64_t width, float scale, Matrix out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    softmax_row<V>(x.data + row * x.stride, width, width, scale, out.data + row * out.stride);
  }
}

template <class V>
void l2_normalize(ConstMatrix x, std::int64_t rows, std::int64_t width, float eps, Matrix out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* from = x.data + row * x.stride;
    const float length = __builtin_sqrtf(squares_about<V>(from, width, 0.0F));
    const Floats<V> divisor = splat<V>(length < eps ? eps : length);
    for_vectors<V>(width, [&](std::int64_t at, std::int64_t count) {
      store<V>(out.data + row * out.stride + at, load<V>(from + at, count) / divisor, count);
    });
  }
}

// Four vectors of columns at a time: as many sums wait for each other as an addition takes.
template <class V>
void mean(ConstMatrix x, std::int64_t rows, std::int64_t width, float* out) {
  constexpr int kVectors = 4;
  const Floats<V> count_of_rows = splat<V>(static_cast<float>(rows));
  std::int64_t at = 0;
  for (; at + kVectors * V::kWidth <= width; at += kVectors * V::kWidth) {
    Floats<V> sums[kVectors];
    for (int i = 0; i < kVectors; ++i) sums[i] = splat<V>(0.0F);
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = x.data + row * x.stride + at;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) sums[i] = sums[i] + load<V>(from + i * V::kWidth);
    }
    for (int i = 0; i < kVectors; ++i) store<V>(out + at + i * V::kWidth, sums[i] / count_of_rows);
  }
  for_vectors<V>(width - at, [&](std::int64_t rest, std::int64_t count) {
    Floats<V> sum = splat<V>(0.0F);
    for (std::int64_t row = 0; row < rows; ++row) {
      sum = sum + load<V>(x.data + row * x.stride + at + rest, count);
    }
    store<V>(out + at + rest, sum / count_of_rows, count);
  });
}

}  // namespace moa::cpu
