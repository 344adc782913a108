// How a caller ends long work early.
#pragma once

#include <atomic>

namespace moa {

// The flag that a caller may hand in and raise, from any thread or a signal handler; null: never raised.
using CancelFlag = const std::atomic<bool>*;

inline bool is_raised(CancelFlag cancelled) {
  return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
}

// Error cancelled once it is raised: for places between two long steps whose work is then dropped.
void stop_if_raised(CancelFlag cancelled);

}  // namespace moa
