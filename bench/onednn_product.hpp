// The same product by oneDNN, for comparison.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace moa::bench {

// A function that computes y[rows, columns] = x[rows, depth] wᵀ + b, with the weights already in the form
// that oneDNN prefers for this number of rows. It keeps references to nothing.
std::function<void()> onednn_product(const std::vector<float>& x, const std::vector<float>& w,
                                     const std::vector<float>& b, std::int64_t rows, std::int64_t depth,
                                     std::int64_t columns);
// The seconds that oneDNN takes to make the primitive for a number of rows that it has not seen.
double onednn_primitive_seconds(std::int64_t rows, std::int64_t depth, std::int64_t columns);

}  // namespace moa::bench
