// Vectors of a model that does not learn: a teacher, or a tower that is frozen, or frozen up to its head.
// Each is computed once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "embed/loaded_model.hpp"
#include "train/engine.hpp"

namespace moa::train {

// An item on its way to its vector.
struct FixedItem {
  std::string key;  // everything that decides the vector
  // The vector itself, where it is known from before, or what the model is to be given.
  std::variant<std::vector<float>, PreparedText, PreparedImage> content;
};

struct FixedVectorsOptions {
  std::size_t memory_bytes = std::size_t{1} << 30;  // what was not asked for the longest goes first
  std::filesystem::path file = {};                  // keeps them for another run; empty: none
  // What is kept of a text and of a picture: its vector, or what its tower's trunk gives.
  bool trunks_of_texts = false;
  bool trunks_of_pictures = false;
};

// `items`, each of which is known already.
VectorBatch known_rows(std::span<const FixedItem> items, VectorStage stage);

// Computed by moa's cpu interpreter, so that a vector has the same bits in any batch, and in any run.
class FixedVectors {
 public:
  FixedVectors(std::shared_ptr<const LoadedModel> model, const FixedVectorsOptions& options);

  const LoadedModel& model() const { return *model_; }

  // From any thread. Errors: as LoadedModel::prepare_text() and prepare_image().
  FixedItem text(const std::string& text) const;
  // `name` and `version` tell the picture from all others; `content` reads its file, if need be.
  FixedItem picture(const std::string& name, const std::string& version,
                    const std::function<std::span<const std::byte>()>& content) const;

  // Rows on the unit sphere, or trunks' rows. Items of one kind. From one thread at a time.
  VectorBatch texts(std::span<const FixedItem> items) const {
    return rows(items, options_.trunks_of_texts ? VectorStage::text_trunk : VectorStage::vector);
  }
  VectorBatch pictures(std::span<const FixedItem> items) const {
    return rows(items, options_.trunks_of_pictures ? VectorStage::image_trunk : VectorStage::vector);
  }

 private:
  VectorBatch rows(std::span<const FixedItem> items, VectorStage stage) const;
  // What the model makes of items, none of which is known.
  std::vector<float> compute(std::span<const FixedItem* const> items, VectorStage stage) const;

  FixedVectorsOptions options_;
  std::shared_ptr<const LoadedModel> model_;
  std::unique_ptr<TextCache> cache_;  // of vectors by their keys, whatever they are of
};

}  // namespace moa::train
