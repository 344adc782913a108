// What an update has to do: the files that lie there now, against those that the catalogue knows.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "search/catalogue.hpp"
#include "search/places.hpp"

namespace moa::search {

// A file that is new, or no longer what the catalogue says.
struct Candidate {
  std::int64_t place = 0;
  std::string inside;
  std::string path;                // to open it
  bool named = false;              // it is a place itself: whatever it holds, it is not passed over
  const Item* previous = nullptr;  // in the contents that were compared; null if new
};

struct Plan {
  std::vector<Candidate> candidates;
  std::vector<Item> removed;        // no longer there
  std::size_t removed_vectors = 0;  // of those
  std::vector<Place> places;
  std::vector<Place> places_meanwhile;  // with those that go, until their files are gone
  bool places_changed = false;
  std::size_t unchanged = 0;  // with a vector, as they were
  std::size_t failed = 0;     // with the error that they had
  std::size_t skipped = 0;    // of no kind that is embedded

  bool is_empty() const { return candidates.empty() && removed.empty() && !places_changed; }
};

// Whether a file that failed so is tried again though it is as it was. May be empty: then none is.
using TriesAgain = std::function<bool(const Failure&)>;

// `contents` must outlive the plan. What lies below an unreadable folder, or in a place that could not be
// listed, is not known to be gone, and stays.
Plan make_plan(std::span<const ListedPlace> listed, const Contents& contents, const TriesAgain& tries_again);

}  // namespace moa::search
