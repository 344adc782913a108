#include "cli/arguments.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include <moa/error.hpp>

#include "base/suggest.hpp"

namespace moa::cli {
namespace {

std::string spelled(const Option& option) {
  return "--" + std::string(option.name);
}

const Option* find_letter(const Command& command, char letter) {
  for (const Options& group : command.options) {
    for (const Option& option : group) {
      if (option.letter == letter) return &option;
    }
  }
  return nullptr;
}

bool is_choice(std::string_view choices, std::string_view value) {
  while (!choices.empty()) {
    const std::size_t bar = std::min(choices.find('|'), choices.size());
    if (choices.substr(0, bar) == value) return true;
    choices.remove_prefix(std::min(bar + 1, choices.size()));
  }
  return false;
}

void check_choice(const Command& command, const Option& option, std::string_view value,
                  const std::string& source) {
  if (option.choices.empty() || is_choice(option.choices, value)) return;
  fail_usage(command,
             source + ": found '" + std::string(value) + "', expected one of " + std::string(option.choices));
}

[[noreturn]] void fail_unknown(const Command& command, const std::string& spelling) {
  std::vector<std::string> known;
  for (const Options& group : command.options) {
    for (const Option& option : group) known.push_back(spelled(option));
  }
  fail_usage(command, "the option " + spelling + " is not known" + did_you_mean(spelling, known));
}

}  // namespace

void fail_usage(const Command& command, const std::string& what) {
  const std::string name = "moa " + std::string(command.name);
  throw Error(ErrorCode::invalid_argument, name + ": " + what + " (see " + name + " --help)");
}

Arguments Arguments::parse(const Command& command, std::span<const char* const> words) {
  Arguments parsed(command);
  bool options_end = false;
  std::size_t at = 0;
  const auto next_word = [&](const std::string& spelling, const Option& option) -> std::string {
    if (at + 1 >= words.size()) {
      fail_usage(command, "the option " + spelling + " expects a value: " + std::string(option.value));
    }
    return words[++at];
  };
  const auto add = [&](const Option& option, std::string value) {
    check_choice(command, option, value, spelled(option));
    parsed.items_.push_back({&option, std::move(value)});
  };

  for (; at < words.size(); ++at) {
    const std::string_view word = words[at];
    if (options_end || word.size() < 2 || word[0] != '-') {
      parsed.items_.push_back({nullptr, std::string(word)});
    } else if (word == "--") {
      options_end = true;
    } else if (word[1] == '-') {
      const std::size_t equals = word.find('=');
      const std::string spelling(word.substr(0, equals));
      const Option* option = find_option(command, std::string_view(spelling).substr(2));
      if (option == nullptr) fail_unknown(command, spelling);
      if (option->value.empty() && equals != word.npos)
        fail_usage(command, "the option " + spelling + " takes no value");
      if (option->value.empty()) {
        parsed.items_.push_back({option, {}});
      } else {
        add(*option,
            equals == word.npos ? next_word(spelling, *option) : std::string(word.substr(equals + 1)));
      }
    } else {
      for (std::size_t letter = 1; letter < word.size(); ++letter) {
        const std::string spelling = {'-', word[letter]};
        const Option* option = find_letter(command, word[letter]);
        if (option == nullptr) fail_unknown(command, spelling);
        if (option->value.empty()) {
          parsed.items_.push_back({option, {}});
          continue;
        }
        const std::string_view rest = word.substr(letter + 1);
        add(*option, rest.empty() ? next_word(spelling, *option) : std::string(rest));
        break;
      }
    }
  }
  return parsed;
}

const Option& Arguments::option(std::string_view name) const {
  const Option* found = find_option(*command_, name);
  if (found == nullptr) {
    throw Error(ErrorCode::internal, "moa " + std::string(command_->name) +
                                         " reads an option that its table lacks: " + std::string(name));
  }
  return *found;
}

bool Arguments::knows(std::string_view name) const {
  return find_option(*command_, name) != nullptr;
}

bool Arguments::has(std::string_view name) const {
  const Option& wanted = option(name);
  for (const Item& item : items_) {
    if (item.option == &wanted) return true;
  }
  return false;
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const Option& wanted = option(name);
  for (std::size_t i = items_.size(); i-- > 0;) {
    if (items_[i].option == &wanted) return items_[i].value;
  }
  if (!wanted.environment.empty()) {
    const std::string variable(wanted.environment);
    if (const char* set = std::getenv(variable.c_str()); set != nullptr && *set != '\0') {
      check_choice(*command_, wanted, set, source_of(name));
      return set;
    }
  }
  return std::nullopt;
}

std::string Arguments::source_of(std::string_view name) const {
  const Option& wanted = option(name);
  return has(name) ? spelled(wanted) : "the environment variable " + std::string(wanted.environment);
}

std::string Arguments::value_or(std::string_view name, std::string_view fallback) const {
  return value(name).value_or(std::string(fallback));
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t fallback, std::int64_t least,
                                std::int64_t most) const {
  const std::optional<std::string> text = value(name);
  if (!text) return fallback;
  std::int64_t parsed = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed);
  if (error != std::errc() || end != text->data() + text->size() || parsed < least || parsed > most) {
    fail_usage(*command_, source_of(name) + ": found '" + *text + "', expected a whole number from " +
                              std::to_string(least) + " to " + std::to_string(most));
  }
  return parsed;
}

std::optional<double> Arguments::number(std::string_view name) const {
  const std::optional<std::string> text = value(name);
  if (!text) return std::nullopt;
  double parsed = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed);
  if (error != std::errc() || end != text->data() + text->size() || !std::isfinite(parsed)) {
    fail_usage(*command_, source_of(name) + ": found '" + *text + "', expected a number");
  }
  return parsed;
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  const Option& wanted = option(name);
  std::vector<std::string> found;
  for (const Item& item : items_) {
    if (item.option == &wanted) found.push_back(item.value);
  }
  return found;
}

std::vector<std::string> Arguments::inputs() const {
  std::vector<std::string> found;
  for (const Item& item : items_) {
    if (item.option == nullptr) found.push_back(item.value);
  }
  return found;
}

}  // namespace moa::cli
