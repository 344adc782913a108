#include "search/plan.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace moa::search {
namespace {

struct Match {
  Place place;
  const ListedPlace* listed;
};

// A place keeps the id that it has; a new one gets the next. One that could not be listed is matched if it is
// known, also by its spelling: where a link led that leads nowhere now cannot be told.
std::vector<Match> match_places(std::span<const ListedPlace> listed, const Contents& contents) {
  std::int64_t last_id = contents.places.empty() ? 0 : contents.places.back().id;
  std::vector<Match> matches;
  for (const ListedPlace& place : listed) {
    if (place.error) continue;
    const auto known = std::ranges::find(contents.places, place.canonical, &Place::canonical);
    if (known != contents.places.end()) {
      matches.push_back({*known, &place});
    } else {
      matches.push_back({{++last_id, place.canonical, place.spelling}, &place});
    }
  }
  for (const ListedPlace& place : listed) {
    if (!place.error) continue;
    for (const Place& known : contents.places) {
      const bool same = known.canonical == place.canonical || known.spelling == place.spelling;
      const auto is_known = [&](const Match& match) { return match.place.id == known.id; };
      if (same && std::ranges::none_of(matches, is_known)) matches.push_back({known, &place});
    }
  }
  std::ranges::sort(matches, {}, [](const Match& match) { return match.place.id; });
  return matches;
}

bool is_hidden_from_sight(const std::string& inside, const ListedPlace& listed) {
  return listed.error || std::ranges::any_of(listed.unreadable, [&](const UnreadableFolder& folder) {
           return inside.size() > folder.inside.size() && inside.starts_with(folder.inside) &&
                  inside[folder.inside.size()] == '/';
         });
}

void keep(const Item& item, Plan& plan) {
  if (item.has_vector()) {
    ++plan.unchanged;
  } else if (item.failure) {
    ++plan.failed;
  } else {
    ++plan.skipped;
  }
}

// Both lists are in bytewise order of `inside`: one pass over the two tells them apart.
void compare(const Match& match, std::span<const Item> items, const TriesAgain& tries_again, Plan& plan) {
  const ListedPlace& listed = *match.listed;
  auto item = items.begin();
  const auto settle_absent = [&] {
    if (is_hidden_from_sight(item->inside, listed)) {
      keep(*item, plan);
    } else {
      plan.removed.push_back(*item);
    }
    ++item;
  };
  for (const WalkedFile& file : listed.files) {
    while (item != items.end() && item->inside < file.inside) settle_absent();
    const bool known = item != items.end() && item->inside == file.inside;
    const bool again = known && item->failure && tries_again && tries_again(*item->failure);
    if (known && item->stamp == file.stamp && !again) {
      keep(*item, plan);
    } else {
      plan.candidates.push_back({match.place.id, file.inside, join(listed.canonical, file.inside),
                                 listed.is_file, known ? &*item : nullptr});
    }
    if (known) ++item;
  }
  while (item != items.end()) settle_absent();
}

}  // namespace

Plan make_plan(std::span<const ListedPlace> listed, const Contents& contents, const TriesAgain& tries_again) {
  Plan plan;
  const std::vector<Match> matches = match_places(listed, contents);
  for (const Match& match : matches) {
    plan.places.push_back(match.place);
    const auto first = std::ranges::lower_bound(contents.items, match.place.id, {}, &Item::place);
    const auto last = std::ranges::upper_bound(contents.items, match.place.id, {}, &Item::place);
    compare(match, {first, last}, tries_again, plan);
  }
  const auto same = [](const Place& a, const Place& b) { return a.id == b.id; };
  plan.places_changed = !std::ranges::equal(plan.places, contents.places, same);
  std::ranges::set_union(plan.places, contents.places, std::back_inserter(plan.places_meanwhile), {},
                         &Place::id, &Place::id);
  for (const Item& item : contents.items) {
    if (!std::ranges::binary_search(plan.places, item.place, {}, &Place::id)) plan.removed.push_back(item);
  }
  plan.removed_vectors = static_cast<std::size_t>(std::ranges::count_if(plan.removed, &Item::has_vector));
  return plan;
}

}  // namespace moa::search
