// Batch norms at inference: fixed factors and offsets, folded into the convolution before them.
// Ioffe and Szegedy 2015 (arXiv 1502.03167).
#pragma once

#include <cstdint>

#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

// (x - mean) / sqrt(variance + eps) * weight + bias, per channel; each [channels].
struct BatchNorm {
  Parameter weight;
  Parameter bias;
  Parameter mean;
  Parameter variance;
  double eps = 1e-5;
};

// "weight", "bias", "running_mean" and "running_var" below `scope`.
BatchNorm take_batch_norm(const WeightScope& scope, std::int64_t channels, double eps);

// norm(convolution(x)) as one convolution. It is computed when it is read, row by row, so a tower that is
// never asked costs nothing.
Convolution folded(const Convolution& convolution, const BatchNorm& norm);

}  // namespace moa
