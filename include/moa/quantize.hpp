// Quantizing: a model's weights stored in fewer bits, once, so that it loads faster and smaller.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

// Writes a directory that Model::load takes as it takes the original: the weights of products with weights,
// and tables of embeddings, in bf16 or in int8 with a scale for each row; everything else, and what is stored
// in 4 bits already, as it was. Loaded with dtype "auto" it computes in its own precision. What a model reads
// beside its weights is copied.
//
// The directory appears whole or not at all. Errors: invalid_argument (another dtype than "bf16" or "int8", a
// model that is quantized already, `directory` exists); unsupported (a lone file);
// corrupt_data (a weight that is NaN or infinite); out_of_range (one that bf16 cannot hold); io_error;
// cancelled, once `*cancelled` is true; those of Model::load.
MOA_API void quantize(std::string_view model, const std::filesystem::path& directory, std::string_view dtype,
                      const std::atomic<bool>* cancelled = nullptr);

// How the vectors of one model lie to those of another, item by item.
struct Agreement {
  std::size_t items = 0;  // those that both models embedded
  double mean_cosine = 0;
  double least_cosine = 0;
};

// How well a model finds a picture's class among all classes, and for each class a picture of it.
struct LabelScores {
  double top1 = 0;       // share of the pictures whose nearest class is their own
  double retrieval = 0;  // share of the classes whose nearest picture is of the class
};

struct Comparison {
  std::optional<Agreement> images;  // empty: none were given, or none could be embedded
  std::optional<Agreement> texts;
  // Why an item has no part in this, one an item; empty where it has one.
  std::vector<std::optional<Error>> image_errors;
  std::vector<std::optional<Error>> text_errors;
  std::vector<std::optional<Error>> label_errors;  // one a class, in bytewise order
  std::size_t classes = 0;  // that were embedded; with less than two there are no scores
  LabelScores reference_scores;
  LabelScores model_scores;
};

struct ComparisonItems {
  std::span<const Input> images = {};
  std::span<const std::string> texts = {};
  // Each picture's class in words, or none. A class goes into the model's first template to be embedded.
  std::span<const std::string> labels = {};
};

// Runs both models on the same items; a bad one is that item's error. Errors: invalid_argument if there are
// labels, but not one for each image; shape_mismatch if the models' vectors differ in length; cancelled.
MOA_API Comparison compare(const Model& reference, const Model& model, const ComparisonItems& items,
                           const EmbedOptions& options = {});

}  // namespace moa
