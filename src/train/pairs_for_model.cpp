#include "train/pairs_for_model.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "image/picture.hpp"
#include "train/shard_source.hpp"
#include "train/table_source.hpp"

namespace moa::train {
namespace {

constexpr std::uint64_t kMostPictureBytes = std::uint64_t{1} << 30;
constexpr double kMostMegapixels = 256;

const ImageProcessor& processor_of(const LoadedModel& model) {
  const EmbeddingModel& network = model.network();
  if (network.text() == nullptr || network.image() == nullptr || network.image()->takes_patches()) {
    throw Error(ErrorCode::unsupported,
                "cannot train this model on pictures and captions: expected a tower for texts and one for "
                "pictures of one size");
  }
  return model.processor();
}

// The processor for what random_resized_crop leaves: the model's values, and no change of size.
ImageProcessor values_alone(const ImageProcessor& processor) {
  PictureRecipe recipe = processor.recipe();
  recipe.pad_to_square = false;
  recipe.fit = PictureRecipe::Fit::exact;
  recipe.width_px = processor.width_px();
  recipe.height_px = processor.height_px();
  recipe.crop = false;
  return ImageProcessor(std::move(recipe));
}

}  // namespace

PairPreparer::PairPreparer(const LoadedModel& model, const AugmentationOptions& augmentation)
    : model_(model), augmentation_(augmentation), cropped_(values_alone(processor_of(model))) {}

Sample PairPreparer::prepare(RawPair&& pair, Random& random) const {
  std::erase_if(pair.captions, [](const std::string& caption) {
    return caption.find_first_not_of(" \t\r\n") == caption.npos;
  });
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    throw Error(code, "cannot learn from '" + pair.name + "': " + what);
  };
  if (pair.captions.empty()) refuse(ErrorCode::corrupt_data, "it has no caption");
  if (pair.path.empty() && pair.bytes.empty()) refuse(ErrorCode::corrupt_data, "it has no picture");
  const std::string& caption = pair.captions[random.below(pair.captions.size())];
  try {
    if (!pair.path.empty()) pair.bytes = read_file(pair.path, kMostPictureBytes);
    Picture picture = decode_picture(as_bytes(pair.bytes), {.max_megapixels = kMostMegapixels});
    picture = augment(std::move(picture), cropped_.width_px(), cropped_.height_px(), cropped_.recipe().filter,
                      augmentation_, random);
    const ImageProcessor& processor = augmentation_.random_resized_crop ? cropped_ : model_.processor();
    Sample sample;
    sample.pixels.resize(static_cast<std::size_t>(3 * processor.height_px() * processor.width_px()));
    processor.preprocess(picture, sample.pixels);
    sample.ids = model_.prepare_text(caption, {}).ids;
    sample.group = pair.group;
    return sample;
  } catch (const Error& error) {
    refuse(error.code(), error.what());
  }
  return {};
}

PictureBatch PairPreparer::pictures(std::span<const std::vector<float>> pixels) const {
  PictureBatch batch;
  batch.pictures = static_cast<std::int64_t>(pixels.size());
  batch.height_px = cropped_.height_px();
  batch.width_px = cropped_.width_px();
  for (const std::vector<float>& values : pixels)
    batch.pixels.insert(batch.pixels.end(), values.begin(), values.end());
  return batch;
}

TextBatch PairPreparer::texts(std::span<const std::vector<std::int32_t>> ids) const {
  TextBatch batch;
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& of_one : ids) {
    batch.ids.insert(batch.ids.end(), of_one.begin(), of_one.end());
    lengths.push_back(static_cast<std::int64_t>(of_one.size()));
  }
  batch.sequences = Sequences(lengths);
  return batch;
}

TrainingBatch PairPreparer::batch(std::vector<Sample> samples) const {
  std::vector<std::vector<float>> pixels;
  std::vector<std::vector<std::int32_t>> ids;
  TrainingBatch batch;
  for (Sample& sample : samples) {
    pixels.push_back(std::move(sample.pixels));
    ids.push_back(std::move(sample.ids));
  }
  batch.first = pictures(pixels);
  batch.second = texts(ids);
  return batch;
}

std::unique_ptr<PairSource> open_pairs(const std::vector<std::string>& places, const TableOptions& table,
                                       std::size_t shuffle) {
  const auto is_shard = [](const std::string& place) { return place.find(".tar") != place.npos; };
  if (std::ranges::none_of(places, is_shard) && places.size() == 1)
    return std::make_unique<TableSource>(places.front(), table);
  if (!std::ranges::all_of(places, is_shard)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot train on several places, expected one table, or shards (.tar) alone");
  }
  std::vector<std::string> shards;
  for (const std::string& place : places) {
    for (std::string& shard : expand_braces(place)) shards.push_back(std::move(shard));
  }
  return std::make_unique<ShardSource>(
      std::move(shards), ShardOptions{.caption_key = table.columns.caption, .shuffle = shuffle});
}

}  // namespace moa::train
