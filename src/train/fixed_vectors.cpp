#include "train/fixed_vectors.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

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

}  // namespace

FixedVectors::FixedVectors(std::shared_ptr<const LoadedModel> model, const FixedVectorsOptions& options)
    : model_(std::move(model)), cache_(std::make_unique<TextCache>(cache_options(*model_, options))) {}

FixedItem FixedVectors::text(const std::string& text) const {
  std::string key = "text " + model_->with_prompt(text, {});
  if (std::optional<KnownVector> known = cache_->find(key)) return {std::move(key), std::move(known->vector)};
  return {std::move(key), model_->prepare_text(text, {})};
}

FixedItem FixedVectors::picture(const std::string& name, const std::string& version,
                                const std::function<std::span<const std::byte>()>& content) const {
  std::string key = "picture " + name + std::string(1, '\0') + version;
  if (std::optional<KnownVector> known = cache_->find(key)) return {std::move(key), std::move(known->vector)};
  return {std::move(key), model_->prepare_image(content(), kMostMegapixels)};
}

VectorBatch FixedVectors::vectors(std::span<const FixedItem> items) const {
  VectorBatch batch;
  batch.items = static_cast<std::int64_t>(items.size());
  batch.dim = model_->facts().dim();
  const auto dim = static_cast<std::size_t>(batch.dim);
  batch.values.resize(items.size() * dim);
  std::map<std::string_view, std::size_t> first_of;  // equal items are computed once
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (const auto* known = std::get_if<std::vector<float>>(&items[i].content)) {
      std::ranges::copy(*known, batch.values.begin() + static_cast<std::ptrdiff_t>(i * dim));
    } else if (first_of.try_emplace(items[i].key, i).second) {
      unknown.push_back(i);
    }
  }
  for (std::size_t begin = 0; begin < unknown.size(); begin += kMostAtOnce) {
    const std::size_t end = std::min(begin + kMostAtOnce, unknown.size());
    std::vector<PreparedText> texts;
    std::vector<PreparedImage> pictures;
    for (std::size_t i = begin; i < end; ++i) {
      const FixedItem& item = items[unknown[i]];
      if (const auto* text = std::get_if<PreparedText>(&item.content)) texts.push_back(*text);
      if (const auto* picture = std::get_if<PreparedImage>(&item.content)) pictures.push_back(*picture);
    }
    const std::vector<float> rows =
        texts.empty() ? model_->embed_images(pictures, false) : model_->embed_texts(texts, false);
    for (std::size_t i = begin; i < end; ++i) {
      const auto from = rows.begin() + static_cast<std::ptrdiff_t>((i - begin) * dim);
      const auto to = static_cast<std::ptrdiff_t>(unknown[i] * dim);
      std::copy_n(from, dim, batch.values.begin() + to);
      cache_->insert(items[unknown[i]].key, {std::vector<float>(from, from + batch.dim)});
    }
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto found = first_of.find(items[i].key);
    if (found == first_of.end() || found->second == i) continue;
    if (std::holds_alternative<std::vector<float>>(items[i].content)) continue;  // known on its own
    std::copy_n(batch.values.begin() + static_cast<std::ptrdiff_t>(found->second * dim), dim,
                batch.values.begin() + static_cast<std::ptrdiff_t>(i * dim));
  }
  cache_->write();
  return batch;
}

}  // namespace moa::train
