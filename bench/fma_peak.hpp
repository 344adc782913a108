// What the machine could do: its rate of f32 multiply-adds with nothing else to wait for.
#pragma once

#include "base/thread_pool.hpp"

namespace moa::bench {

// GFLOP/s of all threads together, the best of several short runs.
double fma_peak_gflops(ThreadPool& threads);

}  // namespace moa::bench
