#include "train/pairs_for_model.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <system_error>
#include <type_traits>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"
#include "base/hash.hpp"
#include "image/picture.hpp"

namespace moa::train {
namespace {

constexpr std::uint64_t kMostPictureBytes = std::uint64_t{1} << 30;
constexpr double kMostMegapixels = 256;
constexpr std::size_t kMostCutTexts = 1'000'000;  // that are told apart, in some 40 MB

const ImageProcessor& processor_of(const LoadedModel& model) {
  const EmbeddingModel& network = model.network();
  if (network.text() == nullptr || network.image() == nullptr || network.image()->takes_patches()) {
    throw Error(ErrorCode::unsupported,
                "cannot train this model on pictures and captions: expected a tower for texts and one for "
                "pictures of one size");
  }
  return model.processor();
}

// The processor up to the point where bytes become the model's numbers.
ImageProcessor up_to_bytes(PictureRecipe recipe) {
  recipe.rescale = false;
  recipe.divide_by_255 = false;
  recipe.normalize = false;
  recipe.divide_by_std = false;
  return ImageProcessor(std::move(recipe));
}

// The same for what random_resized_crop leaves: without a change of size.
ImageProcessor up_to_bytes_of_crop(const ImageProcessor& processor) {
  PictureRecipe recipe = processor.recipe();
  recipe.pad_to_square = false;
  recipe.fit = PictureRecipe::Fit::exact;
  recipe.width_px = processor.width_px();
  recipe.height_px = processor.height_px();
  recipe.crop = false;
  return up_to_bytes(std::move(recipe));
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == text.npos;
}

// A text's name among others, in 52 bits, which a double holds.
double key_of(std::span<const std::byte> text) {
  return static_cast<double>(std::stoull(content_hash(text).substr(0, 13), nullptr, 16));
}

// As the loss compares them.
std::vector<std::int64_t> keys_of(std::span<const SampleText> texts) {
  std::vector<std::int64_t> keys;
  for (const SampleText& text : texts) keys.push_back(static_cast<std::int64_t>(text.key));
  return keys;
}

// Pairs that have the same key on one of the sides are of one group. Empty if no two do.
std::vector<std::int64_t> groups_of_keys(std::span<const double> first, std::span<const double> second) {
  std::map<double, std::int64_t> by_first;
  std::map<double, std::int64_t> by_second;
  std::vector<std::int64_t> groups;
  bool any = false;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto own = static_cast<std::int64_t>(i);
    const auto [same_first, is_new_first] = by_first.try_emplace(first[i], own);
    const auto [same_second, is_new_second] = by_second.try_emplace(second[i], own);
    // Of the earlier pair, which may have found its own group in one before it.
    groups.push_back(own);
    if (!is_new_first) groups.back() = groups[static_cast<std::size_t>(same_first->second)];
    if (is_new_first && !is_new_second) groups.back() = groups[static_cast<std::size_t>(same_second->second)];
    any = any || !is_new_first || !is_new_second;
  }
  return any ? groups : std::vector<std::int64_t>{};
}

}  // namespace

void expect_towers(const LoadedModel& model, const std::vector<DataSource>& sources) {
  if (have_pictures(sources)) {
    processor_of(model);
  } else if (model.network().text() == nullptr) {
    throw Error(ErrorCode::unsupported, "cannot train this model on texts: it has no tower for them");
  }
}

class PairPreparer::Content {
 public:
  explicit Content(RawPair& pair) : pair_(pair) {}
  std::span<const std::byte> bytes() {
    if (!pair_.path.empty() && pair_.bytes.empty()) pair_.bytes = read_file(pair_.path, kMostPictureBytes);
    return as_bytes(pair_.bytes);
  }
  // Another one when the file is changed.
  std::string version() const {
    if (pair_.path.empty()) return std::to_string(pair_.bytes.size());
    std::error_code failed;
    const auto size = std::filesystem::file_size(pair_.path, failed);
    const auto time = std::filesystem::last_write_time(pair_.path, failed);
    return std::to_string(size) + " " + std::to_string(time.time_since_epoch().count());
  }
  FixedItem of(const FixedVectors& vectors) {
    return vectors.picture(pair_.name, version(), [this] { return bytes(); });
  }

 private:
  RawPair& pair_;
};

PairPreparer::PairPreparer(const LoadedModel& model, const std::vector<DataSource>& sources,
                           const PairPreparerOptions& options)
    : model_(model),
      options_(options),
      has_texts_(have(sources, DataSource::Kind::texts)),
      has_negatives_(have_negatives(sources)) {
  expect_towers(model, sources);
  if (options.classes != nullptr) class_side_ = class_side();
  if (!have_pictures(sources)) return;
  const ImageProcessor& processor = processor_of(model);
  whole_.emplace(up_to_bytes(processor.recipe()));
  cropped_.emplace(up_to_bytes_of_crop(processor));
  for (const auto& channel : pixel_values(processor.recipe()))
    values_.insert(values_.end(), channel.begin(), channel.end());
}

std::vector<std::uint8_t> PairPreparer::pixels_of(std::span<const std::byte> content, Random& random) const {
  const AugmentationOptions& augmentation = options_.augmentation;
  Picture picture = decode_picture(content, {.max_megapixels = kMostMegapixels});
  picture = augment(std::move(picture), cropped_->width_px(), cropped_->height_px(),
                    cropped_->recipe().filter, augmentation, random);
  const ImageProcessor& processor = augmentation.random_resized_crop ? *cropped_ : *whole_;
  std::vector<float> pixels(static_cast<std::size_t>(3 * processor.height_px() * processor.width_px()));
  processor.preprocess(picture, pixels);
  return {pixels.begin(), pixels.end()};
}

void PairPreparer::add_teacher(const RawPair& pair, const std::string& caption, Content& content,
                               Sample& sample) const {
  if (options_.teacher == nullptr) return;
  const FixedVectors& teacher = *options_.teacher;
  if (pair.text) {
    sample.teacher_first = teacher.text(*pair.text);
    return;
  }
  if (teacher.model().facts().image() != nullptr) sample.teacher_first = content.of(teacher);
  if (teacher.model().text() != nullptr) sample.teacher_second = teacher.text(caption);
}

SampleText PairPreparer::take_text(const std::string& text) const {
  SampleText taken;
  if (options_.texts != nullptr) {
    taken.row = options_.texts->text(text);
    taken.key = key_of(as_bytes(taken.row->key));
    const auto* prepared = std::get_if<PreparedText>(&taken.row->content);
    if (prepared != nullptr && prepared->truncated) count_cut(text);
  } else {
    PreparedText prepared = model_.prepare_text(text, {});
    if (prepared.truncated) count_cut(text);
    taken.ids = std::move(prepared.ids);  // two texts of the same ids are the same to the model
    taken.key = key_of(std::as_bytes(std::span(taken.ids)));
  }
  return taken;
}

void PairPreparer::count_cut(const std::string& text) const {
  const double key = key_of(as_bytes(text));
  const std::lock_guard lock(cut_texts_mutex_);
  if (cut_texts_.size() < kMostCutTexts) cut_texts_.insert(key);
}

std::size_t PairPreparer::cut_texts() const {
  const std::lock_guard lock(cut_texts_mutex_);
  return cut_texts_.size();
}

Side PairPreparer::side_of(std::vector<SampleText> texts) const {
  std::vector<FixedItem> rows;
  std::vector<std::vector<std::int32_t>> ids;
  for (SampleText& text : texts) {
    if (text.row) {
      rows.push_back(std::move(*text.row));
    } else {
      ids.push_back(std::move(text.ids));
    }
  }
  return rows.empty() ? Side(TextBatch::of(ids)) : Side(options_.texts->texts(rows));
}

Sample PairPreparer::prepare(RawPair&& pair, Random& random) const {
  std::erase_if(pair.captions, is_blank);
  std::erase_if(pair.negatives, [&](const std::string& text) {
    return is_blank(text) || std::ranges::find(pair.captions, text) != pair.captions.end();
  });
  const auto refuse = [&](ErrorCode code, const std::string& what) {
    throw Error(code, "cannot learn from '" + pair.name + "': " + what);
  };
  if (pair.captions.empty() && !pair.label)
    refuse(ErrorCode::corrupt_data, pair.text ? "it has no second text" : "it has no caption");
  if (pair.text && is_blank(*pair.text)) refuse(ErrorCode::corrupt_data, "it has no first text");
  if (!pair.text && pair.path.empty() && pair.bytes.empty() && pair.features.empty())
    refuse(ErrorCode::corrupt_data, "it has no picture");
  const std::string caption = pair.label ? "" : pair.captions[random.below(pair.captions.size())];
  Content content(pair);
  Sample sample;
  sample.group = pair.group;
  try {
    if (pair.text) {
      sample.first = take_text(*pair.text);
    } else if (!pair.features.empty()) {
      sample.is_of_features = true;
      sample.picture_row = FixedItem{pair.name, std::move(pair.features)};
    } else if (options_.pictures != nullptr) {
      sample.picture_row = content.of(*options_.pictures);
    } else {
      sample.pixels = pixels_of(content.bytes(), random);
    }
    if (pair.label) {
      sample.label = static_cast<std::int64_t>(*pair.label);
      return sample;
    }
    sample.second = take_text(caption);
    add_teacher(pair, caption, content, sample);
    // Drawn last, so that beside negatives captions and augmentation are as without.
    if (!pair.negatives.empty())
      sample.negative = take_text(pair.negatives[random.below(pair.negatives.size())]);
  } catch (const Error& error) {
    refuse(error.code(), error.what());
  }
  return sample;
}

PictureBatch PairPreparer::pictures(std::span<const std::vector<float>> pixels) const {
  PictureBatch batch;
  batch.pictures = static_cast<std::int64_t>(pixels.size());
  batch.height_px = model_.processor().height_px();
  batch.width_px = model_.processor().width_px();
  for (const std::vector<float>& values : pixels)
    batch.pixels.insert(batch.pixels.end(), values.begin(), values.end());
  return batch;
}

PictureBatch PairPreparer::pictures(std::vector<std::vector<std::uint8_t>> bytes) const {
  PictureBatch batch;
  batch.pictures = static_cast<std::int64_t>(bytes.size());
  batch.height_px = cropped_->height_px();
  batch.width_px = cropped_->width_px();
  batch.values = values_;
  batch.bytes.reserve(bytes.size() * bytes.front().size());
  for (std::vector<std::uint8_t>& of_one : bytes) {
    batch.bytes.insert(batch.bytes.end(), of_one.begin(), of_one.end());
    of_one = {};  // of a large batch there is no room for two
  }
  return batch;
}

// Whole classes, so that each process makes vectors of its own texts alone.
Side PairPreparer::class_side() const {
  const ClassTexts& classes = *options_.classes;
  const auto end_of = [&](std::size_t process) {
    return classes.names().size() * process / options_.processes * classes.texts_a_class();
  };
  const std::size_t begin = end_of(options_.process);
  const std::size_t count = end_of(options_.process + 1) - begin;
  if (options_.texts == nullptr) return TextBatch::of(std::span(classes.ids()).subspan(begin, count));
  std::vector<FixedItem> items;
  for (const std::string& text : std::span(classes.texts()).subspan(begin, count))
    items.push_back(options_.texts->text(text));
  return options_.texts->texts(items);
}

// A question may have several answers, and an answer may belong to several questions: pairs that share a text
// are of one group, so that none is taught to be far from what belongs to it, whichever process has it. Of
// pictures each comes once an epoch, so that the caption alone may be shared.
std::vector<std::int64_t> PairPreparer::groups_of(std::span<const Sample> samples) const {
  std::vector<double> counts(options_.processes);
  counts[options_.process] = static_cast<double>(samples.size());
  if (options_.processes > 1) options_.sum(counts);
  const auto begin = static_cast<std::size_t>(
      std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(options_.process), 0.0));
  const auto all = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0.0));
  std::vector<double> keys(2 * all);  // of all first items, then of all second texts
  for (std::size_t i = 0; i < samples.size(); ++i) {
    keys[begin + i] = samples[i].first ? samples[i].first->key : static_cast<double>(samples[i].group);
    keys[all + begin + i] = samples[i].second.key;
  }
  if (options_.processes > 1 && all > 0) options_.sum(keys);
  const std::span<const double> both(keys);
  std::vector<std::int64_t> groups = groups_of_keys(both.first(all), both.last(all));
  if (groups.empty()) return groups;
  const auto own = groups.begin() + static_cast<std::ptrdiff_t>(begin);
  return {own, own + static_cast<std::ptrdiff_t>(samples.size())};
}

TrainingBatch PairPreparer::batch(std::vector<Sample> samples) const {
  // What `member` holds of each sample.
  const auto all_of = [&](auto Sample::*member) {
    std::vector<std::decay_t<decltype(samples.front().*member)>> all;
    all.reserve(samples.size());
    for (Sample& sample : samples) all.push_back(std::move(sample.*member));
    return all;
  };
  // The same of those that have it.
  const auto known_of = [&]<typename T>(std::optional<T> Sample::*member) {
    std::vector<T> all;
    all.reserve(samples.size());
    for (Sample& sample : samples) {
      if (sample.*member) all.push_back(std::move(*(sample.*member)));
    }
    return all;
  };
  TrainingBatch batch;
  const bool is_of_texts = !samples.empty() && samples.front().first;
  // An empty share does not know of what it is, but takes part.
  const bool joins_pictures = options_.groups_equal_captions && !class_side_;
  if (has_texts_ || joins_pictures) {
    const bool has_groups = is_of_texts || joins_pictures;
    batch.groups = groups_of(has_groups ? std::span<const Sample>(samples) : std::span<const Sample>());
  }
  if (class_side_) {
    batch.second = *class_side_;
    batch.texts_a_class = static_cast<std::int64_t>(options_.classes->texts_a_class());
    batch.classes = all_of(&Sample::label);
  }
  if (samples.empty()) return batch;
  const Sample& one = samples.front();
  if (is_of_texts) {
    batch.first = side_of(known_of(&Sample::first));
  } else if (one.is_of_features) {
    batch.first = known_rows(known_of(&Sample::picture_row), VectorStage::image_trunk);
  } else if (one.picture_row) {
    batch.first = options_.pictures->pictures(known_of(&Sample::picture_row));
  } else {
    batch.first = pictures(all_of(&Sample::pixels));
  }
  if (class_side_) return batch;
  std::vector<SampleText> second = all_of(&Sample::second);
  if (has_negatives_) {
    std::vector<SampleText> negatives = known_of(&Sample::negative);
    batch.second_keys = keys_of(second);
    batch.negative_keys = keys_of(negatives);
    batch.negatives = side_of(std::move(negatives));
  }
  batch.second = side_of(std::move(second));
  if (one.teacher_first) {
    const std::vector<FixedItem> items = known_of(&Sample::teacher_first);
    batch.teacher_first = is_of_texts ? options_.teacher->texts(items) : options_.teacher->pictures(items);
  }
  if (is_of_texts) {
    batch.teacher_second = batch.teacher_first;
  } else if (one.teacher_second) {
    batch.teacher_second = options_.teacher->texts(known_of(&Sample::teacher_second));
  }
  return batch;
}

}  // namespace moa::train
