#include "base/thread_pool.hpp"

#include <sched.h>

#include <atomic>
#include <chrono>
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

constexpr std::chrono::microseconds kSpin{50};

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// Whether `condition` came true within kSpin.
template <typename Condition>
bool spin_until(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i) {
      if (condition()) return true;
      pause_briefly();
    }
  } while (std::chrono::steady_clock::now() < end);
  return condition();
}

}  // namespace

int available_threads() noexcept {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  const unsigned count = std::thread::hardware_concurrency();
  return count == 0 ? 1 : static_cast<int>(count);
}

// Workers and callers look out for each other for kSpin before they sleep: a forward pass is some hundred
// pieces of work close together, and waking a thread that sleeps takes as long as a small one of them.
//
// Whoever sleeps announces it first (`sleeping`, `caller_sleeps`) and looks once more; whoever changes what
// is slept for does so first and then looks whether somebody sleeps. All of it is sequentially consistent, so
// one of the two sees the other.
struct ThreadPool::State {
  std::mutex turn;  // one parallel_for at a time
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable idle;
  std::atomic<Job*> job{nullptr};
  std::atomic<std::uint64_t> generation{0};
  std::atomic<int> inside{0};  // workers that may see `job`
  std::atomic<int> sleeping{0};
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;

  void run_worker() {
    std::uint64_t seen = 0;
    for (;;) {
      const auto called = [&] { return generation != seen || stop; };
      if (!spin_until(called)) {
        std::unique_lock lock(mutex);
        ++sleeping;
        wake.wait(lock, called);
        --sleeping;
      }
      if (stop) return;
      seen = generation;
      // A job is taken back before its caller waits for `inside` to be 0: who enters later finds none.
      ++inside;
      if (Job* mine = job) mine->work();
      if (--inside == 0 && caller_sleeps) notify(idle);
    }
  }

  void run(Job& mine) {
    job = &mine;
    ++generation;
    if (sleeping > 0) notify(wake);
    mine.work();
    job = nullptr;
    const auto done = [&] { return inside == 0; };
    if (spin_until(done)) return;
    std::unique_lock lock(mutex);
    caller_sleeps = true;
    idle.wait(lock, done);
    caller_sleeps = false;
  }

  void end() {
    stop = true;
    notify(wake);
    for (std::thread& worker : workers) worker.join();
  }

  void notify(std::condition_variable& condition) {
    { const std::lock_guard between_a_sleepers_last_look_and_its_sleep(mutex); }
    condition.notify_all();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 1 || threads > 1024) {
    throw Error(ErrorCode::invalid_argument,
                "cannot start " + std::to_string(threads) + " threads: expected 1 to 1024");
  }
  try {
    for (int i = 1; i < threads; ++i)
      state_->workers.emplace_back([state = state_.get()] { state->run_worker(); });
  } catch (const std::exception& error) {  // of the system, or no memory
    state_->end();
    throw Error(ErrorCode::limit_exceeded,
                "cannot start " + std::to_string(threads) + " threads: " + error.what() + "; fewer may do");
  }
}

ThreadPool::~ThreadPool() {
  state_->end();
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
    state_->run(job);
  }
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace moa
