// A checkpoint brought to life: its tokenizer, its picture processor, and the engine that makes vectors of
// what they prepare.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <moa/model.hpp>

#include "checkpoint/model_directory.hpp"
#include "embed/engine.hpp"
#include "embed/open_clip_texts.hpp"
#include "embed/prompts.hpp"
#include "embed/text_cache.hpp"

namespace moa {

class ImageProcessor;
class PatchProcessor;
class Tokenizer;

// Immutable once made; safe from any thread. Tokenizer and picture processor are built at first use, so that
// a text query never pays for pictures, nor a picture for a vocabulary.
class LoadedModel {
 public:
  static std::shared_ptr<const LoadedModel> load(std::string_view name, const LoadOptions& options);
  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  const ModelFacts& facts() const { return engine_->facts(); }
  // Of the tower that texts go to; nullptr if there is none.
  const TextTowerFacts* text() const { return texts_ ? texts_->text() : facts().text(); }
  const ModelDirectory& directory() const { return directory_; }
  // Whoever wants the model's own parts needs it; vectors come by embed_texts() and embed_images(). Error:
  // unsupported if another program's graph stands for it.
  const EmbeddingModel& network() const;
  const Engine& engine() const { return *engine_; }
  // What vectors of this kind are computed in, and what they are made in together (Model::dtype()).
  std::string_view dtype(Modality modality) const;
  std::string dtype() const;
  // Built at first use. Errors: not_found if its files are not there; those of reading them.
  const Tokenizer& tokenizer() const;
  // In tokens, the special ones included: the longest text that is not cut; without a tokenizer, what the
  // tower takes.
  std::size_t longest_text() const;
  // Of a picture tower that takes pixels.
  const ImageProcessor& processor() const;
  // Of one that takes patches.
  const PatchProcessor& patch_processor() const;
  // Whether there is a tower for inputs of this kind.
  bool embeds(Modality modality) const;
  // Builds what inputs of this kind need. Errors: Model::prepare.
  void prepare(Modality modality) const;
  // Of either, all that decides the numbers, on one line.
  std::string processor_description() const;

  // `text` behind the default prompt, or behind the one named (or spelt out) by `prompt`.
  std::string with_prompt(std::string_view text, const std::optional<std::string>& prompt) const;
  // The default prompt, or the one named (or spelt out) by `prompt`, put before `text`; tokenized. Errors:
  // corrupt_data (not UTF-8), unsupported (no text tower), not_found (no tokenizer in the directory).
  // With prompt vectors, ids below 0 stand for them (Interpreter::set_prompt_vectors).
  PreparedText prepare_text(std::string_view text, const std::optional<std::string>& prompt) const {
    return prepare_text(text, prompt, prompt_vectors_);
  }
  // The same with so many prompt vectors as are being learned.
  PreparedText prepare_text(std::string_view text, const std::optional<std::string>& prompt,
                            std::size_t prompt_vectors) const;
  // The picture in a file's content. Errors: those of decoding; unsupported without a picture tower.
  PreparedImage prepare_image(std::span<const std::byte> content, double max_megapixels) const;

  // Rows [items, dim]: the model's vectors; on the unit sphere unless `raw`. One forward pass.
  std::vector<float> embed_texts(std::span<const PreparedText> texts, bool raw) const {
    return texts_ ? texts_->embed_texts(texts, raw) : engine_->embed_texts(texts, raw);
  }
  std::vector<float> embed_images(std::span<const PreparedImage> pictures, bool raw) const {
    return engine_->embed_images(pictures, raw);
  }

  // Rows [pictures, dim + texts]: each picture's vector on the unit sphere, then the probability that each
  // text belongs to it, from the network's pair scorer, which must be there (Engine::matches_pairs).
  std::vector<float> match_images(std::span<const PreparedImage> pictures,
                                  std::span<const PreparedText> texts) const {
    return engine_->match_images(pictures, texts);
  }

  // Vectors of texts that were embedded before, by with_prompt() and whether they are raw.
  TextCache& text_cache() const { return texts_ ? texts_->text_cache() : text_cache_; }

  // Templates for zero-shot classification, each with "{}".
  std::vector<std::string> templates() const;
  std::string identity() const;
  ModelInfo info() const;

 private:
  LoadedModel(std::string name, ModelDirectory directory, std::string arithmetic,
              std::unique_ptr<const Engine> engine, const LoadOptions& options);
  // From now on texts go to `texts`. Errors: LoadOptions::text_model.
  void pair_with(std::shared_ptr<const LoadedModel> texts);
  std::string describe_tokenizer() const;

  std::string name_;
  LoadOptions options_;
  ModelDirectory directory_;
  std::string arithmetic_;  // how it computes, as its identity says
  Prompts prompts_;
  std::size_t prompt_vectors_ = 0;
  std::string label_template_;  // of prompt vectors; empty: the model's templates
  OpenClipTexts open_clip_texts_;
  std::unique_ptr<const Engine> engine_;
  std::shared_ptr<const LoadedModel> texts_;  // the model that texts go to; nullptr: this one

  mutable TextCache text_cache_;
  mutable std::once_flag tokenizer_once_;
  mutable std::unique_ptr<const Tokenizer> tokenizer_;
  mutable std::once_flag processor_once_;
  mutable std::unique_ptr<const ImageProcessor> processor_;
  mutable std::unique_ptr<const PatchProcessor> patch_processor_;
};

// The identity that indexes store, without loading anything but hashes.
std::string identity_of(std::string_view name, const LoadOptions& options);

}  // namespace moa
