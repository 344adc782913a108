#include "cli/exit_codes.hpp"

#include <array>

namespace moa::cli {
namespace {

constexpr std::array kExitCodes = {
    ExitCode{0, "all done"},
    ExitCode{1, "a defect of moa"},
    ExitCode{2, "wrong use: an unknown option, a value outside its range"},
    ExitCode{kSomeInputsFailed, "some inputs failed, the rest is in the output"},
    ExitCode{4, "not there"},
    ExitCode{5, "broken or mismatched data: the model, the index, or all that was given"},
    ExitCode{6, "not supported: an architecture, a device, a kind of file"},
    ExitCode{7, "out of memory, disk, time or a limit"},
    ExitCode{130, "interrupted"},
};

}  // namespace

std::span<const ExitCode> exit_codes() {
  return kExitCodes;
}

void tell_errors(std::span<const std::optional<Error>> errors, Console& console, Outcome& outcome) {
  for (const std::optional<Error>& error : errors) {
    if (!error) {
      outcome.done();
      continue;
    }
    if (error->code() == ErrorCode::cancelled) throw *error;
    outcome.failed(error->code());
    console.error(name(error->code()), error->what());
  }
}

}  // namespace moa::cli
