#include "cli/help.hpp"

#include <algorithm>

#include "cli/display.hpp"
#include "cli/exit_codes.hpp"

namespace moa::cli {
namespace {

constexpr std::size_t kColumns = 92;
constexpr std::size_t kHelpColumn = 26;

std::string spelled(const Option& option) {
  std::string text = option.letter == 0 ? "    " : std::string("-") + option.letter + ", ";
  text += "--" + std::string(option.name);
  if (!option.value.empty()) text += " " + std::string(option.value);
  return text;
}

// Two columns: a name, and behind or below it what it is.
std::string entry(const std::string& name, std::string_view says) {
  std::string text = "  " + name;
  const std::size_t width = display_width(text);
  const std::string lines = wrapped(says, kHelpColumn, kColumns);
  if (width + 2 > kHelpColumn) return text + "\n" + lines;
  return text + lines.substr(width);
}

std::string example_lines(const Example& example) {
  return "  # " + std::string(example.says) + "\n  " + std::string(example.line) + "\n";
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns) {
  std::string out;
  std::string line;
  const auto end_line = [&] {
    out += (line.empty() ? "" : std::string(indent, ' ') + line) + "\n";
    line.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      end_line();
      ++at;
      continue;
    }
    if (text[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word(text.substr(at, end - at));
    if (!line.empty() && indent + display_width(line) + 1 + display_width(word) > columns) end_line();
    line += (line.empty() ? "" : " ") + word;
    at = end;
  }
  if (!line.empty()) end_line();
  return out;
}

std::string full_help(const Option& option) {
  std::string text(option.help);
  if (!option.choices.empty()) {
    std::string choices(option.choices);
    for (std::size_t bar = choices.find('|'); bar != choices.npos; bar = choices.find('|', bar)) {
      choices.replace(bar, 1, ", ");
    }
    text += ": " + choices;
  }
  if (!option.environment.empty()) text += " [" + std::string(option.environment) + "]";
  return text;
}

std::string general_help() {
  std::string text = std::string(kSummary) + "\n\nUsage: moa COMMAND [options] inputs…\n\nCommands:\n";
  for (const Command* command : commands()) text += entry(std::string(command->name), command->summary);
  text += "\nOptions:\n" +
          entry("-h, --help", "Show this help; moa COMMAND --help shows a command's, with examples");
  text += entry("    --version", "Show the version");
  text += "\nExamples:\n";
  for (const Command* command : {&kSearchCommand, &kEmbedCommand, &kClassifyCommand}) {
    text += example_lines(command->examples.front());
  }
  text += "\nExit codes:\n";
  for (const ExitCode& code : exit_codes()) text += entry(std::to_string(code.code), code.means);
  return text;
}

std::string command_help(const Command& command) {
  std::string text = "moa " + std::string(command.name) + ": " + std::string(command.summary) +
                     "\n\nUsage: moa " + std::string(command.name) +
                     (command.usage.empty() ? "" : " " + std::string(command.usage)) + "\n\n" +
                     wrapped(command.description, 0, kColumns) + "\nOptions:\n";
  for (const Options& group : command.options) {
    for (const Option& option : group) text += entry(spelled(option), full_help(option));
  }
  text += "\nExamples:\n";
  for (const Example& example : command.examples) text += example_lines(example);
  return text;
}

}  // namespace moa::cli
