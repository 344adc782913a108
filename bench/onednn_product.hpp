// The same product by oneDNN, for comparison.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor/precision.hpp"

namespace moa::bench {

struct ProductSize {
  std::int64_t rows, depth, columns;
};

// A function that computes y[rows, columns] = x[rows, depth] wᵀ + b, y in f32, with x and w already in the
// precision (int8: u8 times s8, without scales) and the weights in the form that oneDNN prefers for this
// number of rows. It keeps references to nothing. Empty where oneDNN has none (bf16 below AVX-512).
std::function<void()> onednn_product(const std::vector<float>& x, const std::vector<float>& w,
                                     const std::vector<float>& b, const ProductSize& size,
                                     Precision precision);
// The seconds that oneDNN takes to make the primitive for a number of rows that it has not seen.
double onednn_primitive_seconds(std::int64_t rows, std::int64_t depth, std::int64_t columns);

}  // namespace moa::bench
