// Search results as text: for a terminal, for programs, for pipes.
#include <algorithm>
#include <cstdio>

#include "base/utf8.hpp"
#include "cli/json_text.hpp"
#include "cli/model_arguments.hpp"
#include "cli/search_results.hpp"

namespace moa::cli {
namespace {

// A query may be a path, and so bytes.
std::string json_query(const std::string& query) {
  return "\"query\":" + json(query) + (is_utf8(query) ? "" : ",\"query_base64\":" + json(base64(query)));
}

}  // namespace

std::string as_table(const SearchResult& result, const Paint& paint, std::size_t columns) {
  if (result.error) return {};
  constexpr std::size_t kBeforePath = 15;  // "  1  0.1234  ", and a little air
  std::string table = paint.bold + displayable(result.query) + paint.reset + "\n";
  if (result.found.empty()) table += paint.dim + "  nothing found" + paint.reset + "\n";
  for (std::size_t i = 0; i < result.found.size(); ++i) {
    char numbers[48];
    std::size_t before_path = kBeforePath;
    const int length = std::snprintf(numbers, sizeof numbers, "%4zu  %6.3f  ", i + 1,
                                     static_cast<double>(result.found[i].score));
    if (const std::optional<float> match = result.found[i].match) {
      before_path += 9;
      std::snprintf(numbers + length, sizeof numbers - static_cast<std::size_t>(length), "%5.1f %%  ",
                    100.0 * static_cast<double>(*match));
    }
    std::string path = displayable(result.found[i].path);
    if (columns > 0) path = cut_middle(path, std::max(columns, before_path + 12) - before_path);
    table += paint.dim + numbers + paint.reset + path + "\n";
  }
  return table;
}

std::string as_jsonl(const SearchResult& result) {
  if (const std::optional<Error>& error = result.error) {
    return "{" + json_query(result.query) + ",\"error\":" + json_error(name(error->code()), error->what()) +
           "}\n";
  }
  std::string lines;
  for (std::size_t i = 0; i < result.found.size(); ++i) {
    lines += "{" + json_query(result.query) + ",\"rank\":" + std::to_string(i + 1) + "," +
             json_path("path", result.found[i].path) + ",\"score\":";
    append_json(lines, result.found[i].score);
    if (const std::optional<float> match = result.found[i].match) {
      lines += ",\"match\":";
      append_json(lines, *match);
    }
    lines += json_dtype(result.dtype) + "}\n";
  }
  return lines;
}

std::string_view why_blank(const Error& error) {
  switch (error.code()) {
    case ErrorCode::not_found:
      return "no longer there";
    case ErrorCode::limit_exceeded:
      return "too large to be shown";
    default:
      return "cannot be read";
  }
}

std::string as_paths(const SearchResult& result, char end) {
  std::string paths;
  for (const Found& found : result.found) {
    paths += found.path;
    paths += end;
  }
  return paths;
}

}  // namespace moa::cli
