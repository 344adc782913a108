#include "search/ranking.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <cstdint>

#include <moa/error.hpp>

#include "embed/dot.hpp"
#include "search/places.hpp"

namespace moa::search {
namespace {

// Large enough that handing out a piece costs nothing beside it, small enough that threads end together.
constexpr std::size_t kItemsAtOnce = 1024;

struct Scored {
  float score;
  std::uint32_t item;
};

std::string_view file_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

class Ranking {
 public:
  Ranking(const Snapshot& snapshot, std::span<const std::string> spellings, const SearchOptions& options)
      : contents_(snapshot.contents), spellings_(spellings), options_(options) {
    for (const std::filesystem::path& file : options.exclude_files) {
      const std::string canonical = canonical_or_empty(file);
      if (!canonical.empty()) excluded_.push_back(canonical);
    }
    if (!options.within) return;
    within_ = canonical_as_far(*options.within);
    if (!within_.ends_with('/')) within_ += '/';
  }

  std::vector<Found> best(std::vector<Scored> scored) const {
    // A heap gives the best one after the other: only those that come up are looked at.
    const auto worse = [this](const Scored& a, const Scored& b) { return comes_before(b, a); };
    std::ranges::make_heap(scored, worse);
    std::vector<Found> found;
    while (!scored.empty() && found.size() < options_.top) {
      std::ranges::pop_heap(scored, worse);
      const Scored next = scored.back();
      scored.pop_back();
      if (!is_excluded(contents_.items[next.item])) found.push_back({path(next.item), next.score});
    }
    return found;
  }

 private:
  std::size_t place_index(const Item& item) const {
    const auto place = std::ranges::lower_bound(contents_.places, item.place, {}, &Place::id);
    return static_cast<std::size_t>(place - contents_.places.begin());
  }

  std::string path(std::uint32_t index) const {
    const Item& item = contents_.items[index];
    return join(spellings_[place_index(item)], item.inside);
  }

  bool comes_before(const Scored& a, const Scored& b) const {
    return a.score != b.score ? a.score > b.score : path(a.item) < path(b.item);
  }

  bool is_excluded(const Item& item) const {
    const std::string canonical = join(contents_.places[place_index(item)].canonical, item.inside);
    if (!canonical.starts_with(within_)) return true;
    const std::string name(file_name(canonical));
    const auto matches = [&](const std::string& glob) {
      return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0 ||
             ::fnmatch(glob.c_str(), item.inside.c_str(), 0) == 0;
    };
    if (std::ranges::any_of(options_.exclude, matches)) return true;
    return !excluded_.empty() && std::ranges::count(excluded_, canonical_or_empty(canonical)) > 0;
  }

  const Contents& contents_;
  std::span<const std::string> spellings_;
  const SearchOptions& options_;
  std::vector<std::string> excluded_;
  std::string within_;  // ends in a slash; empty: everywhere
};

}  // namespace

std::vector<Found> rank(const Snapshot& snapshot, std::span<const std::string> spellings,
                        std::span<const float> query, const SearchOptions& options, ThreadPool& pool) {
  const std::vector<Item>& items = snapshot.contents.items;
  std::vector<float> scores(items.size());
  const std::size_t pieces = (items.size() + kItemsAtOnce - 1) / kItemsAtOnce;
  pool.parallel_for(pieces, [&](std::size_t piece) {
    const std::size_t end = std::min(items.size(), (piece + 1) * kItemsAtOnce);
    for (std::size_t i = piece * kItemsAtOnce; i < end; ++i) {
      if (items[i].has_vector()) scores[i] = dot(query, snapshot.vectors.row(items[i].row));
    }
  });

  std::vector<Scored> scored;
  scored.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].has_vector()) continue;
    // A score that is no number, from a row damaged on the disk, would break the order of all others.
    const bool enough = options.min_score ? scores[i] >= *options.min_score : scores[i] == scores[i];
    if (enough) scored.push_back({scores[i], static_cast<std::uint32_t>(i)});
  }
  return Ranking(snapshot, spellings, options).best(std::move(scored));
}

}  // namespace moa::search
