// The exit codes, and how the inputs of a run add up to one.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <moa/error.hpp>

#include "cli/console.hpp"

namespace moa::cli {

struct ExitCode {
  int code;
  std::string_view means;
};

// In words, for help and the man page.
std::span<const ExitCode> exit_codes();

inline constexpr int kSomeInputsFailed = 3;

// Counts inputs that were done and that failed.
class Outcome {
 public:
  void done() { ++done_; }
  void failed(ErrorCode code) {
    if (!first_) first_ = code;
  }
  // 0 if all is done, 3 if some inputs failed, and the first failure's own code if every one did.
  int exit_code() const {
    if (!first_) return 0;
    return done_ == 0 ? moa::exit_code(*first_) : kSomeInputsFailed;
  }

  // Of a run that gives nothing unless all of some kind are there: the first failure's own code.
  int exit_code_of_nothing() const { return first_ ? moa::exit_code(*first_) : 0; }

 private:
  std::size_t done_ = 0;
  std::optional<ErrorCode> first_;
};

// Counts items, each with an error where it has one, and says what failed. Error: cancelled.
void tell_errors(std::span<const std::optional<Error>> errors, Console& console, Outcome& outcome);

}  // namespace moa::cli
