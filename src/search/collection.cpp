// moa::Collection, and what lets a model serve an update.
#include <moa/collection.hpp>

#include <utility>

#include "embed/media_kind.hpp"
#include "image/pixel_limit.hpp"
#include "search/opened.hpp"

namespace moa {

struct Collection::Impl {
  search::Opened opened;
};

namespace {

search::Embedder embedder_of(const std::function<const Model&()>& model, const UpdateOptions& options) {
  search::Embedder embedder;
  // Decided without the model, so that a folder of other things never loads one. Pictures are what models
  // embed from files so far.
  embedder.recognises = [](std::span<const std::byte> first_bytes) {
    return sniff_media(first_bytes) == MediaKind::picture;
  };
  embedder.tries_again = [limit = options.max_megapixels](const search::Failure& failure) {
    return is_of_another_pixel_limit(failure.message, limit);
  };
  embedder.embed = [&](std::span<const std::string> paths, const search::Embedder::Deliver& deliver) {
    std::vector<Input> inputs;
    for (const std::string& path : paths) inputs.push_back(Input::file(path));
    EmbedOptions embed;
    embed.batch = options.batch;
    embed.max_megapixels = options.max_megapixels;
    embed.cancelled = options.cancelled;
    model().embed(inputs, embed, [&](Embedded result) {
      deliver(result.index, std::move(result.vector), result.error ? &*result.error : nullptr);
    });
  };
  return embedder;
}

}  // namespace

Collection Collection::open(const std::filesystem::path& file, std::string_view model_name,
                            std::string_view model_identity, std::int64_t dim, Mode mode) {
  search::Target target{std::string(model_name), std::string(model_identity), dim};
  return Collection(std::make_shared<Impl>(Impl{search::Opened(file, std::move(target), mode)}));
}

UpdateReport Collection::update(std::span<const std::filesystem::path> places,
                                const std::function<const Model&()>& model, const UpdateOptions& options) {
  return impl_->opened.update(places, embedder_of(model, options), options);
}

std::size_t Collection::size() const {
  return impl_->opened.size();
}

std::vector<std::string> Collection::places() const {
  return impl_->opened.places();
}

std::vector<Found> Collection::search(std::span<const float> query, const SearchOptions& options) const {
  return impl_->opened.search(query, options);
}

}  // namespace moa
