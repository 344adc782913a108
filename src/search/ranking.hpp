// Searching: every vector of a snapshot against one query.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <moa/collection.hpp>

#include "base/thread_pool.hpp"
#include "search/store.hpp"

namespace moa::search {

// As Collection::search. `spellings` says how each place of the snapshot is written in the results, in the
// order of its places.
std::vector<Found> rank(const Snapshot& snapshot, std::span<const std::string> spellings,
                        std::span<const float> query, const SearchOptions& options, ThreadPool& pool);

}  // namespace moa::search
