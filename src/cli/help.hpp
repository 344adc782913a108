// What the option tables say, in words.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace moa::cli {

// `moa --help`.
std::string general_help();
// `moa COMMAND --help`.
std::string command_help(const Command& command);
// moa.1, in roff.
std::string man_page();
// What --help and the man page write after an option: its help, its choices, its environment variable.
std::string full_help(const Option& option);
// `text` in lines of at most `columns` columns, each after `indent` spaces; empty lines between paragraphs
// stay.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t columns);

inline constexpr std::string_view kSummary =
    "moa finds pictures by what they mean, and turns texts and pictures into vectors.";

}  // namespace moa::cli
