// Trying again after interruptions.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include <moa/error.hpp>

#include "base/cancellation.hpp"
#include "checkpoint/pull.hpp"
#include "pull/http.hpp"

namespace moa {

// Waits, or throws cancelled as soon as the request is.
inline void wait_unless_cancelled(const PullRequest& request, std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kStep{50};
  for (auto waited = std::chrono::milliseconds(0); waited < duration; waited += kStep) {
    if (is_raised(request.cancelled)) break;
    std::this_thread::sleep_for(std::min(kStep, duration - waited));
  }
  if (is_raised(request.cancelled)) {
    throw Error(ErrorCode::cancelled, "the pull of " + request.id.repository + " was interrupted");
  }
}

// Calls `get` until it is not interrupted, `request.attempts` times at most. `what` names it in the error.
template <typename Get>
auto with_attempts(const PullRequest& request, const std::string& what, const Get& get) {
  std::chrono::milliseconds delay = request.retry_delay;
  for (int attempt = 1;; ++attempt) {
    try {
      return get();
    } catch (const HttpInterruption& interruption) {
      if (attempt >= request.attempts) {
        throw Error(interruption.code, "cannot get " + what + " after " + std::to_string(attempt) +
                                           " attempts: " + interruption.reason);
      }
    }
    wait_unless_cancelled(request, delay);
    delay *= 2;
  }
}

}  // namespace moa
