// What a search found, and the forms it is written in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moa/collection.hpp>
#include <moa/error.hpp>

#include "cli/console.hpp"
#include "cli/display.hpp"

namespace moa::cli {

struct SearchResult {
  std::string query;  // as it was asked
  std::vector<Found> found = {};
  std::optional<Error> error = {};  // why it could not be answered
  std::string dtype = "f32";        // Model::dtype() of what answered
};

// For reading: the query, then rank, score, probability (if it was reranked) and path of each. With `columns`
// (0: no limit) long paths lose their middle. Nothing of a query that failed: that is said on stderr.
std::string as_table(const SearchResult& result, const Paint& paint, std::size_t columns);
// One {"query":…,"rank":1,"path":…,"score":…} a line, and "match" if it was reranked, and the precision if
// that is not f32; of a query that failed {"query":…,"error":…}.
std::string as_jsonl(const SearchResult& result);
// The paths' very bytes, each ended by `end`.
std::string as_paths(const SearchResult& result, char end);

// Why a picture is not shown, for people: "no longer there".
std::string_view why_blank(const Error& error);

// A page that holds everything it shows, thumbnails included. A picture that is gone or broken is shown as a
// blank.
std::string as_html(const std::vector<SearchResult>& results, Console& console);
// A PNG file: rows of thumbnails for each query, with rank, score and file name. Errors: limit_exceeded,
// unsupported.
std::string as_sheet(const std::vector<SearchResult>& results, Console& console);

}  // namespace moa::cli
