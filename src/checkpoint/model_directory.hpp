// A model as people publish it: one directory of configuration, weights, tokenizer and processor files; or,
// as OpenAI published CLIP, a file of weights alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/module_folders.hpp"
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
    sentence_transformers,  // modules.json with a folder for each module (module_folders.hpp)
  };

  // Weights may also be PyTorch's: pytorch_model.bin, its index and shards, open_clip_pytorch_model.bin.
  // Where a directory has both formats, safetensors are taken; where it has both layouts, the transformers
  // one.
  // A directory with modules.json is of sentence-transformers' layout, unless none of the modules is a
  // Pooling: then the first is a model of transformers that needs no more, and its folder is opened. A file
  // instead of a directory is of the openai layout; of what lies beside it, only a tokenizer is read. Errors:
  // not_found (no such directory, no configuration, no weights, a shard that is not there); unsupported (a
  // file that is not PyTorch's); corrupt_data (a broken configuration or index); limit_exceeded (one above 16
  // MiB).
  static ModelDirectory open(const std::filesystem::path& path);
  // A directory whose weights are in `graphs`, which moa does not read: weights() has none. `others` are
  // files that count for its identity beside those that every model has. Its files are those of `layout`.
  // Errors: those of open() for its configuration, which may be missing.
  static ModelDirectory open_graphs(const std::filesystem::path& path, Layout layout,
                                    std::vector<std::filesystem::path> graphs,
                                    std::vector<std::filesystem::path> others);

  Layout layout() const noexcept { return layout_; }
  // As it was opened.
  const std::filesystem::path& path() const noexcept { return path_; }
  // config.json or open_clip_config.json; empty, and named like the file, where there is none. Of
  // sentence-transformers' modules: {"modules": modules.json's list, "config.json": {…},
  // "1_Pooling/config.json": {…}, …}, every file by its name.
  const Config& config() const noexcept { return config_; }
  // The weights' file as messages name it, e.g. "model.safetensors".
  const std::string& weights_name() const noexcept { return weights_name_; }

  // Of the first of them.
  WeightFormat weight_format() const noexcept { return weight_format_; }

  // The tensors of all weight files, as read_weights puts them together (weight_files.hpp); those of a module
  // in a folder of its own are named behind it: "2_Dense/linear.weight". Errors: its.
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
  // How such a file is called: its name, behind its folder's if that is below the model's.
  std::string label(const std::filesystem::path& file) const;
  // The weight files alone; the shards, if the weights are sharded. Sorted.
  const std::vector<std::filesystem::path>& weight_files() const noexcept { return weight_files_; }

  // As the model card (README.md, MODEL_CARD.md) or the configuration states it, e.g. "mit"; empty if
  // unknown.
  std::optional<std::string> licence() const;

 private:
  // Weights that are read together, and what is put before their names.
  struct WeightSet {
    std::vector<std::filesystem::path> files;
    WeightFormat format = WeightFormat::safetensors;
    Config map;  // tensor -> shard; empty if there is one file
    std::string name;
    std::string prefix;
  };

  ModelDirectory() = default;
  static ModelDirectory open_lone_file(const std::filesystem::path& path);
  // Where the file `name` that belongs to the model is; empty if there is none.
  std::filesystem::path find(std::string_view name) const;
  // Puts `set`'s files among the model's.
  void add_weights(WeightSet set);

  static ModelDirectory open_modules(const std::filesystem::path& path,
                                     const std::vector<ModuleFolder>& modules);
  static ModelDirectory open_plain(const std::filesystem::path& path);
  // The weights in `folder`, that are there.
  static WeightSet weight_set(const std::filesystem::path& folder, const WeightNames& names,
                              WeightFormat format);

  std::filesystem::path path_;
  std::vector<std::filesystem::path> folders_;  // where its files are; a tokenizer's in the first
  Layout layout_ = Layout::transformers;
  Config config_;
  std::vector<std::filesystem::path> config_files_;  // besides those that have a name of moa's
  std::string weights_name_;
  WeightFormat weight_format_ = WeightFormat::safetensors;
  std::vector<WeightSet> weight_sets_;
  std::vector<std::filesystem::path> weight_files_;
};

}  // namespace moa
