#include "train/delimited_text.hpp"

#include <algorithm>

#include <moa/error.hpp>

namespace moa::train {
namespace {

constexpr std::size_t kMostFieldBytes = std::size_t{1} << 20;
constexpr std::size_t kMostFields = 4096;

// At a line end or at the end of `text`; moves `at` behind it.
bool take_line_end(std::string_view text, std::size_t& at) {
  if (at == text.size()) return true;
  if (text[at] == '\n') {
    ++at;
    return true;
  }
  if (text.substr(at, 2) == "\r\n") {
    at += 2;
    return true;
  }
  return false;
}

}  // namespace

std::string place_in(std::string_view text, std::size_t at, const TextOrigin& origin) {
  const std::string_view before = text.substr(0, at);
  const auto lines = static_cast<std::uint64_t>(std::ranges::count(before, '\n'));
  return std::string(origin.file) + ", line " + std::to_string(origin.first_line + lines);
}

void read_record(std::string_view text, std::size_t& at, const FieldRules& rules, const TextOrigin& origin,
                 std::vector<std::string>& fields) {
  fields.clear();
  const auto refuse = [&](ErrorCode code, std::size_t place, const std::string& what) {
    throw Error(code, "cannot read " + place_in(text, place, origin) + ": " + what);
  };
  const auto append = [&](std::string_view piece, std::size_t place) {
    if (fields.back().size() + piece.size() > kMostFieldBytes)
      refuse(ErrorCode::limit_exceeded, place, "a field is longer than 1 MiB");
    fields.back() += piece;
  };
  while (true) {
    if (fields.size() == kMostFields)
      refuse(ErrorCode::limit_exceeded, at, "found more than 4096 fields in a line");
    fields.emplace_back();
    if (rules.has_quotes && at < text.size() && text[at] == '"') {
      const std::size_t opened = at++;
      while (true) {
        const std::size_t quote = text.find('"', at);
        if (quote == text.npos) refuse(ErrorCode::corrupt_data, opened, "a quote is opened and never closed");
        append(text.substr(at, quote - at), opened);
        at = quote + 1;
        if (at == text.size() || text[at] != '"') break;
        append("\"", opened);
        ++at;
      }
    } else {
      std::size_t end = at;
      while (end < text.size() && text[end] != rules.separator && text[end] != '\n') ++end;
      if (end > at && text[end - 1] == '\r' && (end == text.size() || text[end] == '\n')) --end;
      append(text.substr(at, end - at), at);
      at = end;
      if (at + 1 == text.size() && text[at] == '\r') ++at;  // the last line's, whose LF is missing
    }
    if (take_line_end(text, at)) return;
    if (text[at] != rules.separator)
      refuse(ErrorCode::corrupt_data, at, "found text behind a closing quote, expected a separator");
    ++at;
  }
}

}  // namespace moa::train
