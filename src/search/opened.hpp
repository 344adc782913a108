// A collection as one object holds it: what it last saw of the files, and how its places are written. All of
// moa::Collection but for the model.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <moa/collection.hpp>

#include "base/thread_pool.hpp"
#include "search/store.hpp"
#include "search/update.hpp"

namespace moa::search {

class Opened {
 public:
  // As Collection::open.
  Opened(const std::filesystem::path& file, Target target, Collection::Mode mode);

  // As Collection::update.
  UpdateReport update(std::span<const std::filesystem::path> places, const Embedder& embedder,
                      const UpdateOptions& options);
  const Target& target() const { return target_; }
  // As Collection::size, Collection::places and Collection::search.
  std::size_t size() const;
  std::vector<std::string> places() const;
  std::vector<Found> search(std::span<const float> query, const SearchOptions& options) const;

 private:
  std::vector<std::string> spellings(const SearchOptions& options) const;

  StoreFiles files_;
  Target target_;
  Writer::Start start_;
  std::optional<Snapshot> snapshot_;
  std::map<std::string, std::string> spelt_by_update_;  // by canonical place
  std::unique_ptr<ThreadPool> pool_;
};

// How `place` is written where nobody says: as when it was indexed, if that still leads there from here.
std::string spelling_of(const Place& place);

}  // namespace moa::search
