// From pairs to what a model takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "embed/loaded_model.hpp"
#include "image/processor.hpp"
#include "train/augmentation.hpp"
#include "train/batch_loader.hpp"
#include "train/engine.hpp"

namespace moa::train {

// Decodes, augments and preprocesses a model's pictures, and tokenizes its captions. Immutable; safe from any
// thread. `model` must outlive it.
class PairPreparer {
 public:
  // Error: unsupported if the model has not both towers, or its pictures keep their own shapes.
  PairPreparer(const LoadedModel& model, const AugmentationOptions& augmentation);

  // With a caption drawn from those that are not empty. Errors: corrupt_data if there is none or no picture;
  // those of reading and decoding.
  Sample prepare(RawPair&& pair, Random& random) const;

  // As for embedding, in pieces of at most `at_once`.
  PictureBatch pictures(std::span<const std::vector<float>> pixels) const;
  TextBatch texts(std::span<const std::vector<std::int32_t>> ids) const;
  TrainingBatch batch(std::vector<Sample> samples) const;

 private:
  const LoadedModel& model_;
  AugmentationOptions augmentation_;
  ImageProcessor cropped_;  // of a picture that has its size already
};

// Those of the table or of the shards, by the ending of the first place. Errors: as TableSource and
// ShardSource; invalid_argument if tables and shards are mixed, or there are several tables.
std::unique_ptr<PairSource> open_pairs(const std::vector<std::string>& places, const TableOptions& table,
                                       std::size_t shuffle);

}  // namespace moa::train
