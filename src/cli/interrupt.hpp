// Ctrl-C, and pipes that close.
#pragma once

#include <atomic>

namespace moa::cli {

// The first SIGINT, SIGTERM or SIGHUP only sets interrupted(), so that what was finished can be written; a
// second one ends the process. A write into a closed pipe becomes an error instead of a signal. Called once,
// by main.
void install_signal_handlers();

// Becomes true with the first signal; what takes long is given this flag.
const std::atomic<bool>& interrupted() noexcept;

// Error cancelled once interrupted() is true: for places between two long steps.
void throw_if_interrupted();

}  // namespace moa::cli
