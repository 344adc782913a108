// Threads that share out independent pieces of work.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace moa {

// How many threads to use where nobody says: the CPUs this process may run on.
int available_threads() noexcept;

// A fixed set of threads. `parallel_for` may be called from any thread, also by several at once; a call made
// from inside a piece of work runs inline. Pieces are handed out in order but finish in any order, so a piece
// must not depend on another.
class ThreadPool {
 public:
  // `threads` counts the calling thread; 1 starts none. Error: invalid_argument below 1 or above 1024.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept;

  // Runs piece(0) … piece(count - 1) and returns when all are done. The first exception thrown by a piece is
  // rethrown here, after the pieces under way have ended; pieces not yet begun are dropped.
  void parallel_for(std::size_t count, const std::function<void(std::size_t)>& piece);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace moa
