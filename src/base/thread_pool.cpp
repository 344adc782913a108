#include "base/thread_pool.hpp"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <moa/error.hpp>

namespace moa {
namespace {

thread_local bool inside_piece = false;

// One call of parallel_for. It lives on the caller's stack, which waits until no worker is inside it.
struct Job {
  const std::function<void(std::size_t)>* piece;
  std::size_t count;
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;

  void work() {
    const bool outer = inside_piece;
    inside_piece = true;
    for (std::size_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        (*piece)(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next.store(count);
      }
    }
    inside_piece = outer;
  }
};

}  // namespace

int available_threads() noexcept {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

struct ThreadPool::State {
  std::mutex turn;  // one parallel_for at a time
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable idle;
  Job* job = nullptr;
  std::uint64_t generation = 0;
  int working = 0;
  bool stop = false;
  std::vector<std::thread> workers;

  void run_worker() {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stop || generation != seen; });
      if (stop) return;
      seen = generation;
      if (job == nullptr) continue;
      Job& mine = *job;
      ++working;
      lock.unlock();
      mine.work();
      lock.lock();
      if (--working == 0) idle.notify_all();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 1 || threads > 1024) {
    throw Error(ErrorCode::invalid_argument,
                "cannot start " + std::to_string(threads) + " threads: expected 1 to 1024");
  }
  for (int i = 1; i < threads; ++i)
    state_->workers.emplace_back([state = state_.get()] { state->run_worker(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

int ThreadPool::threads() const noexcept {
  return static_cast<int>(state_->workers.size()) + 1;
}

void ThreadPool::parallel_for(std::size_t count, const std::function<void(std::size_t)>& piece) {
  Job job{&piece, count, {}, {}, {}};
  if (count <= 1 || inside_piece || state_->workers.empty()) {
    job.work();
  } else {
    const std::lock_guard turn(state_->turn);
    {
      const std::lock_guard lock(state_->mutex);
      state_->job = &job;
      ++state_->generation;
    }
    state_->wake.notify_all();
    job.work();
    std::unique_lock lock(state_->mutex);
    state_->job = nullptr;
    state_->idle.wait(lock, [&] { return state_->working == 0; });
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace moa
