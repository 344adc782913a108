// The arguments of one command, parsed by its table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"

namespace moa::cli {

// Understands --name VALUE, --name=VALUE, -k VALUE, -kVALUE, flags in a cluster (-0q), and -- before
// arguments that only look like options; a lone - is an argument. Options and arguments may be mixed; of an
// option given twice the last counts, unless the command asks for all of them. Every method throws
// invalid_argument for what the user got wrong.
class Arguments {
 public:
  struct Item {
    const Option* option;  // nullptr: an argument
    std::string value;     // empty for a flag
  };

  // Reads the environment only for options whose table names a variable.
  static Arguments parse(const Command& command, std::span<const char* const> words);

  const Command& command() const { return *command_; }
  // Does the command's table have the option?
  bool knows(std::string_view name) const;
  // Was the option given?
  bool has(std::string_view name) const;
  // What gave the option its value: itself, as it is spelled, or its environment variable.
  std::string source_of(std::string_view name) const;
  // The option's value: as given, otherwise from its environment variable unless that is unset or empty.
  std::optional<std::string> value(std::string_view name) const;
  std::string value_or(std::string_view name, std::string_view fallback) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) const;
  std::optional<double> number(std::string_view name) const;
  // Every value of a repeatable option, in order.
  std::vector<std::string> values(std::string_view name) const;
  // Arguments that belong to no option, in order.
  std::vector<std::string> inputs() const;
  // Everything, as it was written.
  std::span<const Item> items() const { return items_; }

 private:
  explicit Arguments(const Command& command) : command_(&command) {}
  const Option& option(std::string_view name) const;

  const Command* command_;
  std::vector<Item> items_;
};

// "moa embed: the option --formt is not known; did you mean --format?" with code invalid_argument, and the
// like.
[[noreturn]] void fail_usage(const Command& command, const std::string& what);

}  // namespace moa::cli
