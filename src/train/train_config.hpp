// What a training is: the settings of `moa train`'s file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <moa/eval.hpp>

#include "train/augmentation.hpp"
#include "train/data_source.hpp"
#include "train/engine.hpp"
#include "train/prompt_learning.hpp"

namespace moa::train {

// Numbers of steps count from the beginning of the training, also of one that is resumed.
struct TrainConfig {
  std::string text;  // of the file, as it was read

  std::string model = "moa-mini";
  std::filesystem::path output;
  std::uint64_t seed = 0;

  std::vector<DataSource> sources;  // at least one
  int workers = 2;
  bool stops_at_bad_pairs = false;
  AugmentationOptions augmentation{};

  // Parts of the model by name ("all", "text", "image"), or patterns of parameters. Nothing by default if
  // there is an adapter or a prompt.
  std::vector<std::string> learn{"all"};
  std::vector<std::string> freeze;
  EngineOptions engine{};  // all but `trainable` and an adapter's targets
  // Where the adapter of `engine` sits: the same words, or patterns of linear layers.
  std::vector<std::string> adapter_targets{"all"};
  bool merges_adapter = false;            // model/ is written too, with the adapter added to its weights
  std::optional<PromptOptions> prompt{};  // learned beside an adapter, if there is one; of classes alone
  std::string teacher;                    // a model, as --model takes it; empty: none

  // Vectors of a frozen tower whose side nothing augments, and of the teacher, are kept so far; 0: a frozen
  // tower is forwarded each time.
  std::size_t kept_vector_bytes = std::size_t{1} << 30;
  bool keeps_vectors_in_file =
      false;  // too: of a frozen tower, output/vectors.sqlite; of a teacher, output/teacher.sqlite

  std::size_t batch = 32;
  std::int64_t steps = 0;  // one of the two is above 0
  double epochs = 0;
  double learning_rate = 1e-5;
  double least_learning_rate = 0;
  std::int64_t warmup_steps = 0;
  bool stops_at_nan = true;

  std::filesystem::path validation;  // a table, or of classes also a folder; empty: none
  TableOptions validation_table{};   // the columns of the first source of pictures
  std::int64_t validate_every = 0;   // 0: at the end alone
  std::int64_t checkpoint_every = 0;
  std::size_t keep_checkpoints = 2;
  std::int64_t log_every = 10;
  bool writes_tensorboard = false;
};

// Relative paths in the file begin in its folder. Errors: not_found, io_error; invalid_argument naming line
// and key, for what is not YAML, an unknown key, or an impossible value.
TrainConfig read_train_config(const std::filesystem::path& path);

// Whether pictures with a class each are learned from, which are then the only source.
bool learns_classes(const TrainConfig& config);

// Of step `step` (from 0) of `steps`: rises in a straight line over the warm-up, then falls along half a
// cosine to the least (Loshchilov and Hutter 2016, arXiv 1608.03983).
double learning_rate_at(const TrainConfig& config, std::int64_t step, std::int64_t steps);

}  // namespace moa::train
