// From pairs to what a model takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "embed/loaded_model.hpp"
#include "image/processor.hpp"
#include "train/augmentation.hpp"
#include "train/batch_loader.hpp"
#include "train/class_texts.hpp"
#include "train/data_source.hpp"
#include "train/engine.hpp"
#include "train/fixed_vectors.hpp"

namespace moa::train {

struct PairPreparerOptions {
  AugmentationOptions augmentation{};
  // Whose rows stand for a tower that does not learn, or not up to its head (nullptr: it is forwarded like
  // any other); of pictures only where nothing augments them.
  const FixedVectors* pictures = nullptr;
  const FixedVectors* texts = nullptr;
  const FixedVectors* teacher = nullptr;
  // Of pictures with a class each.
  const ClassTexts* classes = nullptr;
  // Of several processes that share each batch: which this is, and what adds up what they have.
  std::size_t process = 0;
  std::size_t processes = 1;
  std::function<void(std::span<double> numbers)> sum = {};
  // Pictures whose captions are equal are of one group. For sup_con, which without them finds one positive
  // alone; CLIP's loss, as open_clip computes it, keeps them apart.
  bool groups_equal_captions = false;
};

// Error: unsupported if the model has not the towers that the sources want, or its pictures keep their own
// shapes.
void expect_towers(const LoadedModel& model, const std::vector<DataSource>& sources);

// Decodes, augments and preprocesses a model's pictures, and tokenizes its texts, behind the model's own
// prompt. Safe from any thread. `model` and what `options` names must outlive it.
class PairPreparer {
 public:
  // Error: as expect_towers().
  PairPreparer(const LoadedModel& model, const std::vector<DataSource>& sources,
               const PairPreparerOptions& options = {});

  // With a caption drawn from those that are not empty, or with its class; and, if there are any, with a
  // negative drawn from those that are neither empty nor a caption. Errors: corrupt_data if there is neither
  // caption nor class, or no picture and no text before it; those of reading and decoding.
  Sample prepare(RawPair&& pair, Random& random) const;
  // How many different texts prepare() found longer than the model's context, which cuts them: captions,
  // texts of pairs, and negatives, as they were drawn, of this process. It counts to a million. Texts whose
  // vectors lay ready in a file (FixedVectorsOptions::file) are not among them.
  std::size_t cut_texts() const;

  // As for embedding.
  PictureBatch pictures(std::span<const std::vector<float>> pixels) const;
  // `samples` are of one source. Pairs of texts that have a text in common are of one group, and pictures as
  // PairPreparerOptions::groups_equal_captions says. A teacher's vectors are its own of picture and caption,
  // as far as it has the towers, the picture as it is; of a pair of texts both sides have that of the first
  // (Reimers and Gurevych 2020, arXiv 2004.09813). From one thread at a time; of several processes, in all of
  // them together.
  TrainingBatch batch(std::vector<Sample> samples) const;

 private:
  // What a pair's picture is, read when it is needed.
  class Content;
  std::vector<std::uint8_t> pixels_of(std::span<const std::byte> content, Random& random) const;
  void add_teacher(const RawPair& pair, const std::string& caption, Content& content, Sample& sample) const;

  PictureBatch pictures(std::vector<std::vector<std::uint8_t>> bytes) const;
  SampleText take_text(const std::string& text) const;
  void count_cut(const std::string& text) const;
  Side side_of(std::vector<SampleText> texts) const;
  // The texts of the classes that this process brings.
  Side class_side() const;
  // Of pairs of texts, or of pictures and captions.
  std::vector<std::int64_t> groups_of(std::span<const Sample> samples) const;

  const LoadedModel& model_;
  PairPreparerOptions options_;
  bool has_texts_;      // among the sources
  bool has_negatives_;  // likewise
  // Up to bytes, for a large batch would not fit into memory as numbers. None without pictures.
  std::optional<ImageProcessor> whole_;
  std::optional<ImageProcessor> cropped_;  // of a picture that has its size already
  std::vector<float> values_;              // what the bytes become
  std::optional<Side> class_side_;         // none without classes
  // By their keys. Guarded by the mutex.
  mutable std::unordered_set<double> cut_texts_;
  mutable std::mutex cut_texts_mutex_;
};

}  // namespace moa::train
