#include "cli/exit_codes.hpp"
#include "cli/help.hpp"
#include "cli/shared_options.hpp"
#include "cli/version.hpp"

namespace moa::cli {
namespace {

// Text that roff takes literally.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char byte : text) {
    // A dot or quote that begins a line would be a request.
    if (line_start && (byte == '.' || byte == '\'')) out += "\\&";
    if (byte == '\\') {
      out += "\\e";
    } else if (byte == '-') {
      out += "\\-";
    } else {
      out += byte;
    }
    line_start = byte == '\n';
  }
  return out;
}

std::string paragraphs(std::string_view text) {
  std::string out = roff(text);
  for (std::size_t at = out.find("\n\n"); at != out.npos; at = out.find("\n\n", at + 4))
    out.replace(at, 2, "\n.PP\n");
  return out + "\n";
}

std::string option_entry(const Option& option) {
  std::string text = ".TP\n";
  if (option.letter != 0) text += "\\fB\\-" + std::string(1, option.letter) + "\\fR, ";
  text += "\\fB" + roff("--" + std::string(option.name)) + "\\fR";
  if (!option.value.empty()) text += " \\fI" + roff(option.value) + "\\fR";
  return text + "\n" + roff(full_help(option)) + "\n";
}

std::string command_section(const Command& command) {
  std::string text = ".SS \"moa " + std::string(command.name) +
                     (command.usage.empty() ? "" : " " + roff(command.usage)) + "\"\n" +
                     paragraphs(command.description);
  // The last group is the one that every command shares.
  for (const Options& group : command.options.first(command.options.size() - 1)) {
    for (const Option& option : group) text += option_entry(option);
  }
  for (const Example& example : command.examples) {
    text += ".PP\n" + roff(example.says) + ":\n.PP\n.RS 4\n.EX\n" + roff(example.line) + "\n.EE\n.RE\n";
  }
  return text;
}

}  // namespace

std::string man_page() {
  std::string text =
      ".TH MOA 1 \"\" \"moa " + std::string(kVersion) + "\" \"User Commands\"\n.SH NAME\n" +
      roff("moa - find pictures by what they mean; vectors of texts and pictures") +
      "\n.SH SYNOPSIS\n.B moa\n\\fICOMMAND\\fR [\\fIoptions\\fR] \\fIinputs\\fR...\n.SH DESCRIPTION\n" +
      roff(kSummary) + "\n.PP\n" +
      roff(
          "Results go to standard output or to the file of -o, everything else to standard error. Nothing is "
          "ever downloaded, except by moa pull.") +
      "\n.SH COMMANDS\n";
  for (const Command* command : commands()) text += command_section(*command);
  text += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const Option& option : kTalkOptions) text += option_entry(option);
  text += ".SH EXIT STATUS\n";
  for (const ExitCode& code : exit_codes()) {
    text += ".TP\n.B " + std::to_string(code.code) + "\n" + roff(code.means) + "\n";
  }
  text += ".SH ENVIRONMENT\n";
  for (const Option& option : kModelOptions) {
    if (!option.environment.empty()) {
      text += ".TP\n.B " + roff(option.environment) + "\n" +
              roff("Default of --" + std::string(option.name)) + "\n";
    }
  }
  for (const Example& variable : {
           Example{"Where models/ with the bundled models lies", "MOA_MODELS_DIR"},
           Example{"The instruction set to compute with: portable, avx2, avx512, avx512_bf16, amx",
                   "MOA_CPU_LEVEL"},
           Example{"Where the cache of the model hub lies", "HF_HUB_CACHE, HF_HOME"},
           Example{"Where moa pull asks, and with which token", "HF_ENDPOINT, HF_TOKEN"},
           Example{"Where indexes and remembered file hashes lie", "XDG_DATA_HOME, XDG_CACHE_HOME"},
           Example{"Set to anything, it turns colours off", "NO_COLOR"},
       }) {
    text += ".TP\n.B " + roff(variable.line) + "\n" + roff(variable.says) + "\n";
  }
  return text;
}

}  // namespace moa::cli
