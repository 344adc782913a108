// Batch norms at inference: fixed factors and offsets, folded into the convolution before them.
#pragma once

#include <cstdint>

#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

// "weight", "bias", "running_mean" and "running_var" below `scope`.
BatchNorm take_batch_norm(const WeightScope& scope, std::int64_t channels, double eps);

// norm(convolution(x)) as one convolution. It is computed when it is read, row by row, so a tower that is
// never asked costs nothing; whoever learns computes it anew of the checkpoint's own tensors (ParameterView).
Convolution folded(const Convolution& convolution, const BatchNorm& norm);

}  // namespace moa
