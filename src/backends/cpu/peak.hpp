// What the processor could do at most: the rate of its multiply-adds with nothing to wait for.
#pragma once

#include <string_view>

#include "base/thread_pool.hpp"
#include "tensor/precision.hpp"

namespace moa {

// Operations a second (a multiply-add is two) of all threads together, by loops that stay in registers, with
// the instructions that the kernels of `level` use for products of `precision`: f32's
// where the level has none of its own. The best of several runs; takes about 0.1 s. `level` must be one that
// this processor has.
double peak_operations(std::string_view level, Precision precision, ThreadPool& threads);

}  // namespace moa
