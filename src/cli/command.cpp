#include "cli/command.hpp"

#include <array>

namespace moa::cli {
namespace {

constexpr std::array kCommands = {
    &kSearchCommand,     &kEmbedCommand,  &kClassifyCommand, &kMatchCommand,  &kIndexCommand,
    &kInspectCommand,    &kModelsCommand, &kPullCommand,     &kExportCommand, &kQuantizeCommand,
    &kCompressCommand,   &kMergeCommand,  &kTrainCommand,    &kBenchCommand,  &kEvalCommand,
    &kCompletionCommand, &kManCommand,
};

}  // namespace

std::span<const Command* const> commands() {
  return kCommands;
}

const Command* find_command(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

const Option* find_option(const Command& command, std::string_view name) {
  for (const Options& group : command.options) {
    for (const Option& option : group) {
      if (option.name == name) return &option;
    }
  }
  return nullptr;
}

}  // namespace moa::cli
