#include "cli/interrupt.hpp"

#include <csignal>

#include <moa/error.hpp>

namespace moa::cli {
namespace {

std::atomic<bool> raised{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal handler might not touch it

void on_signal(int) {
  raised.store(true, std::memory_order_relaxed);
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND;  // without SA_RESTART: a read from the terminal ends, too
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    sigaction(signal, nullptr, &inherited);
    // What the caller ignores stays ignored (nohup).
    if (inherited.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
}

const std::atomic<bool>& interrupted() noexcept {
  return raised;
}

void throw_if_interrupted() {
  if (raised.load(std::memory_order_relaxed)) throw Error(ErrorCode::cancelled, "interrupted by a signal");
}

}  // namespace moa::cli
