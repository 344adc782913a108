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

// Error: model_mismatch if vectors of `model` are not those that the collection holds.
void expect_model(const Model& model, const search::Target& target) {
  const std::string identity = model.identity();
  if (identity == target.model_identity && model.dim() == target.dim) return;
  throw Error(ErrorCode::model_mismatch, "cannot update a collection of '" + target.model_identity +
                                             "' with " + std::to_string(target.dim) +
                                             " dimensions: found the model '" + identity + "' with " +
                                             std::to_string(model.dim()));
}

search::Embedder embedder_of(const std::function<const Model&()>& model, const UpdateOptions& options,
                             const search::Target& target) {
  search::Embedder embedder;
  // Decided without the model, so that a folder of other things never loads one. Pictures are what models
  // embed from files so far.
  embedder.recognises = [](std::span<const std::byte> first_bytes) {
    return sniff_media(first_bytes) == MediaKind::picture;
  };
  // What the machine had no room for is not the file's fault.
  embedder.tries_again = [limit = options.max_megapixels](const search::Failure& failure) {
    if (is_of_pixel_limit(failure.message)) return is_of_another_pixel_limit(failure.message, limit);
    return failure.code == name(ErrorCode::limit_exceeded) || failure.code == name(ErrorCode::internal);
  };
  embedder.embed = [&, is_known = false](std::span<const std::string> paths,
                                         const search::Embedder::Deliver& deliver) mutable {
    if (!is_known) {
      expect_model(model(), target);
      model().prepare(Modality::image);
    }
    is_known = true;
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
  if (!model) throw Error(ErrorCode::invalid_argument, "cannot update a collection without a model");
  return impl_->opened.update(places, embedder_of(model, options, impl_->opened.target()), options);
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
