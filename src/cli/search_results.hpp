// What a search found, and the forms it is written in.
#pragma once

#include <string>
#include <vector>

#include <moa/collection.hpp>

#include "cli/console.hpp"
#include "cli/display.hpp"

namespace moa::cli {

struct SearchResult {
  std::string query;  // as it was asked
  std::vector<Found> found;
};

// For reading: the query, then rank, score, probability (if it was reranked) and path of each. With `columns`
// (0: no limit) long paths lose their middle.
std::string as_table(const SearchResult& result, const Paint& paint, std::size_t columns);
// One {"query":…,"rank":1,"path":…,"score":…} a line, and "match" if it was reranked.
std::string as_jsonl(const SearchResult& result);
// The paths' very bytes, each ended by `end`.
std::string as_paths(const SearchResult& result, char end);

// A page that holds everything it shows, thumbnails included. A picture that is gone or broken is shown as a
// blank.
std::string as_html(const std::vector<SearchResult>& results, Console& console);
// A PNG file: a row of thumbnails a query, with rank, score and file name. Errors: limit_exceeded,
// unsupported.
std::string as_sheet(const std::vector<SearchResult>& results, Console& console);

}  // namespace moa::cli
