// The command moa: finds the command, runs it, and turns what goes wrong into an error line and an exit code.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/error.hpp>

#include "base/suggest.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/help.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/version.hpp"

namespace moa::cli {
namespace {

int print(const std::string& text) {
  Output output = Output::to_stdout();
  output.write(text);
  output.finish();
  return 0;
}

[[noreturn]] void fail_unknown_command(std::string_view name) {
  std::vector<std::string> known = {"help", "--help", "--version"};
  for (const Command* command : commands()) known.emplace_back(command->name);
  throw Error(ErrorCode::invalid_argument, "'" + std::string(name) + "' is not a command of moa" +
                                               did_you_mean(name, known) + " (see moa --help)");
}

int run(std::span<const char* const> words) {
  if (words.empty()) {
    std::fputs(general_help().c_str(), stderr);
    return exit_code(ErrorCode::invalid_argument);
  }
  const std::string_view first = words.front();
  if (first == "--help" || first == "-h") return print(general_help());
  if (first == "--version" || first == "-V") return print("moa " + std::string(kVersion) + "\n");
  if (first == "help") {
    const Command* command = words.size() > 1 ? find_command(words[1]) : nullptr;
    if (words.size() > 1 && command == nullptr) fail_unknown_command(words[1]);
    return print(command == nullptr ? general_help() : command_help(*command));
  }
  const Command* command = find_command(first);
  if (command == nullptr) fail_unknown_command(first);
  const Arguments arguments = Arguments::parse(*command, words.subspan(1));
  if (arguments.has("help")) return print(command_help(*command));
  return command->run(arguments);
}

int fail(ErrorCode code, std::string_view message) {
  print_error(name(code), message);
  return exit_code(code);
}

}  // namespace
}  // namespace moa::cli

int main(int argc, char** argv) {
  using namespace moa;
  cli::install_signal_handlers();
  try {
    return cli::run(
        std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
  } catch (const cli::ClosedPipe&) {
    return 0;
  } catch (const Error& error) {
    return cli::fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return cli::fail(ErrorCode::limit_exceeded, "not enough memory");
  } catch (const std::exception& error) {
    return cli::fail(ErrorCode::internal, error.what());
  }
}
