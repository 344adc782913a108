// What the command says beside its results: errors, warnings, notes and the progress bar, all on stderr.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "cli/arguments.hpp"
#include "cli/display.hpp"

namespace moa::cli {

// "moa: error: CODE: message", on its own line. Needs no Console: main uses it, too.
void print_error(std::string_view code, std::string_view message);

// Used from one thread.
class Console {
 public:
  // Obeys --quiet and --progress.
  explicit Console(const Arguments& arguments);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void error(std::string_view code, std::string_view message);
  // "moa: warning: …"; nothing with --quiet.
  void warn(std::string_view message);
  // "moa: …"; nothing with --quiet.
  void note(std::string_view message);

  // Draws the bar, at most ten times a second, and takes it away when `done` reaches `total`. Nothing where
  // no bar is wanted.
  void progress(std::string_view what, std::size_t done, std::size_t total);
  // Takes the bar away, if there is one.
  void clear_progress();

 private:
  void line(std::string_view text);

  using Clock = std::chrono::steady_clock;
  bool quiet_;
  bool draws_;
  bool drawn_ = false;
  Paint paint_;
  std::string what_;
  Clock::time_point began_{};
  Clock::time_point last_{};
};

}  // namespace moa::cli
