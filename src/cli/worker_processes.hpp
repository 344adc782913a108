// Copies of this process that work together.
#pragma once

#include <atomic>
#include <functional>

namespace moa::cli {

// Does work(rank) in `count` new processes, and waits until all have ended. To be called before this process
// has threads. A signal that makes `interrupted` true is passed on, once, as SIGTERM: a Ctrl-C of the
// terminal does not reach them otherwise. Where one fails, the others get ten seconds to notice and end
// before they are killed; if this process dies, they die with it.
//
// Error: what a process threw (of several, the first whose code is not io_error, which is what losing another
// one gives); limit_exceeded or internal if one was killed; io_error if none can be started.
void in_processes(int count, const std::function<void(int rank)>& work, const std::atomic<bool>& interrupted);

}  // namespace moa::cli
