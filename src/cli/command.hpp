// cli: the command moa. It turns arguments into calls of the public library and results into tables, JSON
// lines, pages and sheets; no mathematics lives here. One file a command; parsing, help, man page and
// completions all read the tables below.
#pragma once

#include <span>
#include <string_view>

namespace moa::cli {

class Arguments;

// What a shell offers after an option, or for an input.
enum class Completes { nothing, files, folders, models };

struct Option {
  char letter = 0;                    // 'k' for -k; 0: no short form
  std::string_view name;              // "top" for --top
  std::string_view value;             // what stands for the value in help, "N"; empty: the option is a flag
  std::string_view help;              // one or two sentences, no full stop at the end
  std::string_view choices = {};      // "jsonl|npy": nothing else is accepted; empty: anything
  std::string_view environment = {};  // the variable that sets the default
  Completes completes = Completes::nothing;
};

struct Example {
  std::string_view says;
  std::string_view line;
};

using Options = std::span<const Option>;

struct Command {
  std::string_view name;
  std::string_view summary;          // one line of `moa --help`
  std::string_view usage;            // what follows "moa NAME"
  std::string_view description;      // paragraphs separated by empty lines
  std::span<const Options> options;  // in groups: the command's own first, then those it shares
  std::span<const Example> examples;
  Completes inputs = Completes::nothing;
  // Returns the exit code; what ends the whole command is thrown as moa::Error.
  int (*run)(const Arguments& arguments) = nullptr;
};

// Every command, in the order of `moa --help`.
std::span<const Command* const> commands();
// nullptr if there is none of that name.
const Command* find_command(std::string_view name);
// nullptr if the command has none of that name.
const Option* find_option(const Command& command, std::string_view name);

// The entries of commands(), each defined in the file of its command.
extern const Command kEmbedCommand;
extern const Command kClassifyCommand;
extern const Command kMatchCommand;
extern const Command kSearchCommand;
extern const Command kIndexCommand;
extern const Command kInspectCommand;
extern const Command kBenchCommand;
extern const Command kModelsCommand;
extern const Command kPullCommand;
extern const Command kEvalCommand;
extern const Command kExportCommand;
extern const Command kQuantizeCommand;
extern const Command kCompressCommand;
extern const Command kMergeCommand;
extern const Command kTrainCommand;
extern const Command kCompletionCommand;
extern const Command kManCommand;

}  // namespace moa::cli
