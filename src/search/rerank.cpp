#include <algorithm>
#include <utility>

#include <moa/collection.hpp>

namespace moa {

std::vector<Found> rerank(const Model& model, std::string_view text, std::vector<Found> found,
                          const RerankOptions& options) {
  const std::size_t count = std::min(options.first, found.size());
  std::vector<Input> pictures;
  for (std::size_t i = 0; i < count; ++i) pictures.push_back(Input::file(found[i].path));
  const std::string words(text);
  const MatchResult result = model.match(pictures, {&words, 1}, {Scorer::itm, options.embed});
  if (result.text_errors.front()) throw *result.text_errors.front();

  std::vector<std::size_t> places;  // of those that could be read
  std::vector<Found> matched;
  for (std::size_t i = 0; i < count; ++i) {
    if (const std::optional<Error>& error = result.image_errors[i]) {
      if (error->code() == ErrorCode::cancelled) throw *error;
      if (options.failed) options.failed(found[i].path, *error);
      continue;
    }
    found[i].match = result.score[i].front();
    places.push_back(i);
    matched.push_back(found[i]);
  }
  std::ranges::stable_sort(matched, [](const Found& a, const Found& b) { return *a.match > *b.match; });
  for (std::size_t i = 0; i < places.size(); ++i) found[places[i]] = std::move(matched[i]);
  return found;
}

}  // namespace moa
