// What the machine could do: its rate of multiply-adds with nothing else to wait for.
#pragma once

#include "base/thread_pool.hpp"
#include "tensor/precision.hpp"

namespace moa::bench {

// GFLOP/s of all threads together, the best of several short runs, with what cpu_level() has for the
// precision. Not measured for amx; of the levels that widen bf16 and int8 it is f32's.
double peak_gflops(ThreadPool& threads, Precision precision);

}  // namespace moa::bench
