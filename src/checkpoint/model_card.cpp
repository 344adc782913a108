#include "checkpoint/model_card.hpp"

namespace moa {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kAround = " \t\r'\"[]";
  const std::size_t begin = text.find_first_not_of(kAround);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kAround) - begin + 1);
}

// Takes the first line off `text`.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

}  // namespace

std::optional<std::string> licence_of_model_card(std::string_view card) {
  constexpr std::string_view kFence = "---";
  constexpr std::string_view kKey = "license:";
  constexpr std::size_t kMaxLength = 100;
  if (trim(next_line(card)) != kFence) return std::nullopt;
  while (!card.empty()) {
    const std::string_view line = next_line(card);
    if (trim(line) == kFence) break;
    if (!line.starts_with(kKey)) continue;
    std::string_view value = trim(line.substr(kKey.size()));
    if (value.empty()) {  // a list, one entry a line
      value = trim(next_line(card));
      if (!value.starts_with('-') || value.starts_with(kFence)) break;
      value = trim(value.substr(1));
    }
    if (value.empty() || value.size() > kMaxLength) break;
    return std::string(value);
  }
  return std::nullopt;
}

}  // namespace moa
