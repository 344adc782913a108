#include "search/opened.hpp"

#include <algorithm>
#include <utility>

#include <moa/error.hpp>

#include "search/places.hpp"
#include "search/ranking.hpp"

namespace moa::search {

Opened::Opened(const std::filesystem::path& file, Target target, Collection::Mode mode)
    : files_(file),
      target_(std::move(target)),
      start_(mode == Collection::Mode::create_anew ? Writer::Start::anew : Writer::Start::from_what_is_there),
      pool_(std::make_unique<ThreadPool>(available_threads())) {
  if (target_.dim < 1 || target_.dim > kMostVectorDim) {
    throw Error(ErrorCode::invalid_argument, "cannot open an index of vectors with " +
                                                 std::to_string(target_.dim) + " dimensions, expected 1 to " +
                                                 std::to_string(kMostVectorDim));
  }
  if (start_ == Writer::Start::anew) return;
  snapshot_ = Snapshot::load(files_);
  if (snapshot_) {
    check_belongs_to(target_, snapshot_->contents.heading, files_);
  } else if (mode == Collection::Mode::open_existing) {
    throw Error(ErrorCode::not_found, "cannot open the index '" + file.string() + "': there is none");
  }
}

UpdateReport Opened::update(std::span<const std::filesystem::path> places, const Embedder& embedder,
                            const UpdateOptions& options) {
  const auto look_again = [this] {
    snapshot_ = Snapshot::load(files_);
    // Another process may have made it anew for another model meanwhile.
    if (snapshot_) check_belongs_to(target_, snapshot_->contents.heading, files_);
  };
  UpdateReport report;
  try {
    report = search::update(files_, target_, start_, snapshot_, places, embedder, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled && start_ != Writer::Start::anew) look_again();
    throw;
  }
  start_ = Writer::Start::from_what_is_there;
  look_again();
  for (const std::filesystem::path& place : places) {
    spelt_by_update_[canonical_or_empty(place)] = place.string();
  }
  return report;
}

std::size_t Opened::size() const {
  if (!snapshot_) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(snapshot_->contents.items, &Item::has_vector));
}

std::vector<std::string> Opened::places() const {
  std::vector<std::string> result;
  if (!snapshot_) return result;
  for (const Place& place : snapshot_->contents.places) result.push_back(spelling_of(place));
  return result;
}

std::vector<std::string> Opened::spellings(const SearchOptions& options) const {
  std::map<std::string, std::string> wanted = spelt_by_update_;
  for (const std::filesystem::path& place : options.places)
    wanted[canonical_or_empty(place)] = place.string();
  std::vector<std::string> result;
  for (const Place& place : snapshot_->contents.places) {
    const auto known = wanted.find(place.canonical);
    result.push_back(known != wanted.end() ? known->second : spelling_of(place));
  }
  return result;
}

std::vector<Found> Opened::search(std::span<const float> query, const SearchOptions& options) const {
  if (query.size() != static_cast<std::size_t>(target_.dim)) {
    throw Error(ErrorCode::shape_mismatch, "cannot search the index '" + files_.catalogue.string() +
                                               "': the query has " + std::to_string(query.size()) +
                                               " dimensions, expected " + std::to_string(target_.dim));
  }
  if (!snapshot_) return {};
  return rank(*snapshot_, spellings(options), query, options, *pool_);
}

std::string spelling_of(const Place& place) {
  return canonical_or_empty(place.spelling) == place.canonical ? place.spelling : place.canonical;
}

}  // namespace moa::search
