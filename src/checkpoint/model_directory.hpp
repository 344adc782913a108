// A model as people publish it: one directory of configuration, weights, tokenizer and processor files; or,
// as OpenAI published CLIP, a file of weights alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "checkpoint/weight_files.hpp"
#include "tensor/weights.hpp"

namespace moa {

// Opened and understood as far as files go: what the files mean is the affair of models, text and image.
// Immutable; safe from any thread.
class ModelDirectory {
 public:
  // Who named files and tensors.
  enum class Layout {
    transformers,  // config.json with model.safetensors, or model.safetensors.index.json and its shards
    open_clip,     // open_clip_config.json with open_clip_model.safetensors
    openai,        // one file of PyTorch's, e.g. ViT-B-32.pt, without a configuration
  };

  // Weights may also be PyTorch's: pytorch_model.bin, its index and shards, open_clip_pytorch_model.bin.
  // Where a directory has both formats, safetensors are taken; where it has both layouts, the transformers
  // one.
  // A file instead of a directory is of the openai layout; of what lies beside it, only a tokenizer is read.
  // Errors: not_found (no such directory, no configuration, no weights, a shard that is not there);
  // unsupported (a file that is not PyTorch's);
  // corrupt_data (a broken configuration or index); limit_exceeded (one above 16 MiB).
  static ModelDirectory open(const std::filesystem::path& path);

  Layout layout() const noexcept { return layout_; }
  // As it was opened.
  const std::filesystem::path& path() const noexcept { return path_; }
  // config.json or open_clip_config.json; empty, and named like the file, where there is none.
  const Config& config() const noexcept { return config_; }
  // The weights' file as messages name it, e.g. "model.safetensors".
  const std::string& weights_name() const noexcept { return weights_name_; }

  WeightFormat weight_format() const noexcept { return weight_format_; }

  // The tensors of all weight files, as read_weights puts them together (weight_files.hpp). Errors: its.
  Weights weights() const;

  // The content of a text file in the directory, e.g. "tokenizer.json"; empty if there is none. `name` is one
  // of moa's own constants, never text from outside. Error: limit_exceeded above 64 MiB.
  std::optional<std::string> file(std::string_view name) const;
  // As `file`, parsed; an empty Config if there is none. Errors: those of Config::parse; limit_exceeded above
  // 16 MiB.
  Config json(std::string_view name) const;

  // The files that decide which vector an input gets: weights, configuration, tokenizer and processor.
  // Sorted.
  std::vector<std::filesystem::path> identity_files() const;
  // The weight files alone; the shards, if the weights are sharded. Sorted.
  const std::vector<std::filesystem::path>& weight_files() const noexcept { return weight_files_; }

  // As the model card (README.md, MODEL_CARD.md) or the configuration states it, e.g. "mit"; empty if
  // unknown.
  std::optional<std::string> licence() const;

 private:
  ModelDirectory() = default;
  static ModelDirectory open_lone_file(const std::filesystem::path& path);
  // Whether `name` is a file that belongs to the model.
  bool has(std::string_view name) const;

  std::filesystem::path path_;
  std::filesystem::path folder_;  // where its files are
  Layout layout_ = Layout::transformers;
  Config config_;
  std::string weights_name_;
  WeightFormat weight_format_ = WeightFormat::safetensors;
  std::vector<std::filesystem::path> weight_files_;
  Config weight_map_;  // tensor -> shard; empty if there is one file
};

}  // namespace moa
