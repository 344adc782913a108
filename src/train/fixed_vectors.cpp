#include "train/fixed_vectors.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <moa/error.hpp>

#include "backends/cpu/level.hpp"

namespace moa::train {
namespace {

constexpr double kMostMegapixels = 256;
constexpr std::size_t kMostAtOnce = 32;  // items of a forward pass
constexpr std::int64_t kMostFileBytes = std::int64_t{1} << 40;

TextCacheOptions cache_options(const LoadedModel& model, const FixedVectorsOptions& options) {
  TextCacheOptions cache{.memory_bytes = options.memory_bytes,
                         .file = options.file,
                         .owner = {},
                         .most_file_bytes = kMostFileBytes};
  if (!options.file.empty()) cache.owner = model.identity() + " " + std::string(cpu_level());
  return cache;
}

// What is known of `item`; nullptr if the model has to be asked.
const std::vector<float>* known_row(const FixedItem& item) {
  return std::get_if<std::vector<float>>(&item.content);
}

// `row_of` gives each item's row.
template <typename RowOf>
VectorBatch batch_of(std::span<const FixedItem> items, VectorStage stage, RowOf row_of) {
  VectorBatch batch;
  batch.stage = stage;
  batch.items = static_cast<std::int64_t>(items.size());
  for (const FixedItem& item : items) {
    const std::vector<float>& row = row_of(item);
    batch.dim = static_cast<std::int64_t>(row.size());
    batch.values.insert(batch.values.end(), row.begin(), row.end());
  }
  return batch;
}

}  // namespace

VectorBatch known_rows(std::span<const FixedItem> items, VectorStage stage) {
  return batch_of(items, stage, [](const FixedItem& item) -> const std::vector<float>& {
    return std::get<std::vector<float>>(item.content);
  });
}

FixedVectors::FixedVectors(std::shared_ptr<const LoadedModel> model, const FixedVectorsOptions& options)
    : options_(options),
      model_(std::move(model)),
      cache_(std::make_unique<TextCache>(cache_options(*model_, options))) {}

FixedItem FixedVectors::text(const std::string& text) const {
  std::string key = (options_.trunks_of_texts ? "trunk of text " : "text ") + model_->with_prompt(text, {});
  if (std::optional<KnownVector> known = cache_->find(key)) return {std::move(key), std::move(known->vector)};
  return {std::move(key), model_->prepare_text(text, {})};
}

FixedItem FixedVectors::picture(const std::string& name, const std::string& version,
                                const std::function<std::span<const std::byte>()>& content) const {
  std::string key = (options_.trunks_of_pictures ? "trunk of picture " : "picture ") + name +
                    std::string(1, '\0') + version;
  if (std::optional<KnownVector> known = cache_->find(key)) return {std::move(key), std::move(known->vector)};
  return {std::move(key), model_->prepare_image(content(), kMostMegapixels)};
}

std::vector<float> FixedVectors::compute(std::span<const FixedItem* const> items, VectorStage stage) const {
  std::vector<PreparedText> texts;
  std::vector<PreparedImage> pictures;
  for (const FixedItem* item : items) {
    if (const auto* text = std::get_if<PreparedText>(&item->content)) texts.push_back(*text);
    if (const auto* picture = std::get_if<PreparedImage>(&item->content)) pictures.push_back(*picture);
  }
  switch (stage) {
    case VectorStage::vector:
      return texts.empty() ? model_->embed_images(pictures, false) : model_->embed_texts(texts, false);
    case VectorStage::text_trunk:
      return model_->engine().text_trunks(texts);
    case VectorStage::image_trunk:
      return model_->engine().image_trunks(pictures);
  }
  throw Error(ErrorCode::internal, "rows of an unknown stage were asked for");
}

VectorBatch FixedVectors::rows(std::span<const FixedItem> items, VectorStage stage) const {
  std::map<std::string_view, std::vector<float>> found;  // equal items are computed once
  std::vector<const FixedItem*> unknown;
  for (const FixedItem& item : items) {
    if (known_row(item) == nullptr && found.try_emplace(item.key).second) unknown.push_back(&item);
  }
  for (std::size_t begin = 0; begin < unknown.size(); begin += kMostAtOnce) {
    const auto some = std::span(unknown).subspan(begin, std::min(kMostAtOnce, unknown.size() - begin));
    const std::vector<float> rows = compute(some, stage);
    const std::size_t width = rows.size() / some.size();
    for (std::size_t i = 0; i < some.size(); ++i) {
      const auto row = std::span(rows).subspan(i * width, width);
      found.at(some[i]->key).assign(row.begin(), row.end());
      cache_->insert(some[i]->key, {{row.begin(), row.end()}});
    }
  }
  cache_->write();
  return batch_of(items, stage, [&](const FixedItem& item) -> const std::vector<float>& {
    const std::vector<float>* row = known_row(item);
    return row != nullptr ? *row : found.at(item.key);
  });
}

}  // namespace moa::train
