// moa completion, moa man: written from the option tables.
#include <array>
#include <string>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"

namespace moa::cli {
namespace {

std::string spaced(std::string_view choices) {
  std::string words(choices);
  for (char& byte : words) {
    if (byte == '|') byte = ' ';
  }
  return words;
}

// Inside single quotes of a shell.
std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char byte : text) out += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return out + "'";
}

std::string command_names() {
  std::string names;
  for (const Command* command : commands()) names += (names.empty() ? "" : " ") + std::string(command->name);
  return names;
}

std::string bash_values(const Option& option) {
  if (!option.choices.empty())
    return "COMPREPLY=($(compgen -W '" + spaced(option.choices) + "' -- \"$word\"))";
  switch (option.completes) {
    case Completes::models:
      return "COMPREPLY=($(compgen -W \"$(moa models --format names 2>/dev/null)\" -- \"$word\") $(compgen "
             "-d -- \"$word\"))";
    case Completes::files:
      return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))";
    case Completes::folders:
      return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$word\"))";
    case Completes::nothing:
      return "COMPREPLY=()";
  }
  return {};
}

std::string bash_completion() {
  std::string text =
      "# bash completion for moa, written by `moa completion bash`.\n_moa() {\n  local IFS=$' \\t\\n'\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
      "  if ((COMP_CWORD == 1)); then\n    COMPREPLY=($(compgen -W '" +
      command_names() + " --help --version' -- \"$word\"))\n    return\n  fi\n  case $command in\n";
  for (const Command* command : commands()) {
    std::string options;
    text += "    " + std::string(command->name) + ")\n      case $previous in\n";
    for (const Options& group : command->options) {
      for (const Option& option : group) {
        options += " --" + std::string(option.name);
        if (option.value.empty()) continue;
        text += "        --" + std::string(option.name) +
                (option.letter == 0 ? std::string() : std::string("|-") + option.letter) + ") " +
                bash_values(option) + "; return ;;\n";
      }
    }
    text += "      esac\n      if [[ $word == -* ]]; then\n        COMPREPLY=($(compgen -W '" +
            options.substr(1) + "' -- \"$word\"))\n        return\n      fi\n      ";
    Option inputs;
    inputs.completes = command->inputs;
    if (command->name == "completion") inputs.choices = "bash|zsh|fish";
    text += bash_values(inputs) + " ;;\n";
  }
  return text + "  esac\n}\ncomplete -F _moa moa\n";
}

std::string zsh_action(Completes completes, std::string_view choices) {
  if (!choices.empty()) return "(" + spaced(choices) + ")";
  switch (completes) {
    case Completes::models:
      return "{ compadd -- ${(f)\"$(moa models --format names 2>/dev/null)\"}; _files -/ }";
    case Completes::files:
      return "_files";
    case Completes::folders:
      return "_files -/";
    case Completes::nothing:
      return " ";
  }
  return {};
}

std::string zsh_completion() {
  // In the specifications of _arguments, colons and brackets have a meaning of their own.
  const auto escaped = [](std::string_view help) {
    std::string out;
    for (const char byte : help) {
      if (byte == ':' || byte == '[' || byte == ']') out += '\\';
      out += byte;
    }
    return out;
  };
  std::string text =
      "#compdef moa\n# zsh completion for moa, written by `moa completion zsh`.\n_moa() {\n  local -a "
      "commands=(\n";
  for (const Command* command : commands()) {
    text += "    " + single_quoted(std::string(command->name) + ":" + escaped(command->summary)) + "\n";
  }
  text +=
      "  )\n  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=$words[2]\n  shift words\n  ((CURRENT--))\n  case $command in\n";
  for (const Command* command : commands()) {
    text += "    " + std::string(command->name) + ")\n      _arguments -s \\\n";
    for (const Options& group : command->options) {
      for (const Option& option : group) {
        const std::string value = option.value.empty() ? std::string()
                                                       : ":" + std::string(option.value) + ":" +
                                                             zsh_action(option.completes, option.choices);
        const std::string rest = "[" + escaped(option.help) + "]" + value;
        text += "        " + single_quoted("*--" + std::string(option.name) + rest) + " \\\n";
        if (option.letter != 0)
          text += "        " + single_quoted(std::string("*-") + option.letter + rest) + " \\\n";
      }
    }
    const std::string_view choices = command->name == "completion" ? "bash|zsh|fish" : "";
    text += "        " + single_quoted("*:input:" + zsh_action(command->inputs, choices)) + " ;;\n";
  }
  return text + "  esac\n}\nif [[ $funcstack[1] == _moa ]]; then _moa \"$@\"; else compdef _moa moa; fi\n";
}

std::string fish_completion() {
  std::string text =
      "# fish completion for moa, written by `moa completion fish`.\n"
      "complete -c moa -n __fish_use_subcommand -f -l help -s h -d 'Show help'\n"
      "complete -c moa -n __fish_use_subcommand -f -l version -d 'Show the version'\n";
  for (const Command* command : commands()) {
    const std::string name(command->name);
    text += "complete -c moa -n __fish_use_subcommand -f -a " + name + " -d " +
            single_quoted(command->summary) + "\n";
    const std::string here = "complete -c moa -n '__fish_seen_subcommand_from " + name + "'";
    if (command->inputs == Completes::nothing) text += here + " -f\n";
    if (command->inputs == Completes::models)
      text += here + " -a '(moa models --format names 2>/dev/null)'\n";
    if (name == "completion") text += here + " -a 'bash zsh fish'\n";
    for (const Options& group : command->options) {
      for (const Option& option : group) {
        text += here + " -l " + std::string(option.name);
        if (option.letter != 0) text += std::string(" -s ") + option.letter;
        if (!option.choices.empty()) {
          text += " -x -a '" + spaced(option.choices) + "'";
        } else if (option.completes == Completes::models) {
          text += " -r -a '(moa models --format names 2>/dev/null)'";
        } else if (!option.value.empty()) {
          text += option.completes == Completes::nothing ? " -x" : " -r -F";
        }
        text += " -d " + single_quoted(option.help) + "\n";
      }
    }
  }
  return text;
}

int print(const std::string& text) {
  Output output = Output::to_stdout();
  output.write(text);
  output.finish();
  return 0;
}

int run_completion(const Arguments& arguments) {
  const std::vector<std::string> shells = arguments.inputs();
  if (shells.size() == 1 && shells[0] == "bash") return print(bash_completion());
  if (shells.size() == 1 && shells[0] == "zsh") return print(zsh_completion());
  if (shells.size() == 1 && shells[0] == "fish") return print(fish_completion());
  fail_usage(arguments.command(), "expected one shell: bash, zsh or fish");
}

int run_man(const Arguments& arguments) {
  if (!arguments.inputs().empty()) fail_usage(arguments.command(), "expected no inputs");
  return print(man_page());
}

constexpr std::array<Options, 1> kGroups = {kTalkOptions};
constexpr std::array kCompletionExamples = {
    Example{"Complete moa's commands and options in bash, in every new shell",
            "moa completion bash > ~/.local/share/bash-completion/completions/moa"},
    Example{"The same in zsh", "moa completion zsh > ~/.zfunc/_moa"},
    Example{"The same in fish", "moa completion fish > ~/.config/fish/completions/moa.fish"},
};
constexpr std::array kManExamples = {Example{"Read the manual", "moa man | man -l -"}};

}  // namespace

constexpr Command kCompletionCommand = {
    .name = "completion",
    .summary = "Write the completions of a shell",
    .usage = "bash|zsh|fish",
    .description = "Writes a script that completes moa's commands, options, models and files in a shell.\n",
    .options = kGroups,
    .examples = kCompletionExamples,
    .run = run_completion,
};

constexpr Command kManCommand = {
    .name = "man",
    .summary = "Write the manual page",
    .usage = "",
    .description = "Writes the manual page moa(1), as roff.\n",
    .options = kGroups,
    .examples = kManExamples,
    .run = run_man,
};

}  // namespace moa::cli
