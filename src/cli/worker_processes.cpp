#include "cli/worker_processes.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <moa/error.hpp>

#include "base/component.hpp"
#include "cli/output.hpp"

namespace moa::cli {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kGrace{10};
constexpr std::size_t kMostMessage = 4000;  // fits into a pipe that nobody reads yet

[[noreturn]] void be_worker(int rank, int report, pid_t parent, const std::function<void(int)>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  std::signal(SIGINT, SIG_IGN);
  std::string message;
  const int code = without_exceptions(&message, "not enough memory", [&] {
    try {
      work(rank);
    } catch (const ClosedPipe&) {  // nobody wants the result: the end, and no error
    }
  });
  message.resize(std::min(message.size(), kMostMessage));
  if (code != 0 && ::write(report, message.data(), message.size()) < 0) ::_exit(code);
  std::fflush(nullptr);
  ::_exit(code);  // what the parent has still to tidy up is left alone
}

struct Worker {
  pid_t pid = 0;
  int report = -1;  // a pipe that brings the message of its error
  bool ended = false;
  std::optional<Error> error = {};
};

std::string read_all(int file) {
  std::string text(kMostMessage, '\0');
  const ssize_t count = ::read(file, text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return text;
}

class Workers {
 public:
  Workers() = default;
  ~Workers() {
    signal(SIGKILL);
    for (const Worker& worker : all_) {
      if (!worker.ended) ::waitpid(worker.pid, nullptr, 0);
      ::close(worker.report);
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void start(const std::function<void(int)>& work) {
    const auto fail = [](int reason) {
      throw Error(ErrorCode::io_error,
                  "cannot start another process: " + std::generic_category().message(reason));
    };
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail(errno);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) be_worker(static_cast<int>(all_.size()), ends[1], parent, work);
    const int reason = errno;
    ::close(ends[1]);
    if (pid < 0) {
      ::close(ends[0]);
      fail(reason);
    }
    all_.push_back({.pid = pid, .report = ends[0]});
  }

  // Whether any goes on; looks without waiting.
  bool look() {
    for (std::size_t rank = 0; rank < all_.size(); ++rank) {
      Worker& worker = all_[rank];
      int status = 0;
      if (worker.ended || ::waitpid(worker.pid, &status, WNOHANG) != worker.pid) continue;
      worker.ended = true;
      worker.error = error_of(rank, status);
    }
    return std::ranges::any_of(all_, [](const Worker& worker) { return !worker.ended; });
  }

  void signal(int number) const {
    for (const Worker& worker : all_) {
      if (!worker.ended) ::kill(worker.pid, number);
    }
  }

  // What went wrong so far: of several errors the first that is not only the loss of another process.
  std::optional<Error> error() const {
    std::optional<Error> found;
    for (const Worker& worker : all_) {
      if (worker.error && (!found || found->code() == ErrorCode::io_error)) found = worker.error;
    }
    return found;
  }

 private:
  std::optional<Error> error_of(std::size_t rank, int status) const {
    if (status == 0) return std::nullopt;
    if (!WIFSIGNALED(status)) {
      return Error(static_cast<ErrorCode>(WEXITSTATUS(status) - 1), read_all(all_[rank].report));
    }
    // Nobody but the system kills so when memory has run out.
    const int number = WTERMSIG(status);
    return Error(number == SIGKILL ? ErrorCode::limit_exceeded : ErrorCode::internal,
                 "process " + std::to_string(rank) + " of " + std::to_string(all_.size()) +
                     " was ended by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")");
  }

  std::vector<Worker> all_;
};

}  // namespace

void in_processes(int count, const std::function<void(int rank)>& work,
                  const std::atomic<bool>& interrupted) {
  Workers workers;
  for (int i = 0; i < count; ++i) workers.start(work);
  bool passed_on = false;
  std::optional<Clock::time_point> failed_at;
  while (workers.look()) {
    if (interrupted && !passed_on) {
      workers.signal(SIGTERM);
      passed_on = true;
    }
    const std::optional<Error> error = workers.error();
    if (error && error->code() != ErrorCode::cancelled) {
      if (!failed_at) failed_at = Clock::now();
      if (Clock::now() - *failed_at > kGrace) workers.signal(SIGKILL);
    }
    std::this_thread::sleep_for(kLook);
  }
  if (const std::optional<Error> error = workers.error()) throw *error;
}

}  // namespace moa::cli
