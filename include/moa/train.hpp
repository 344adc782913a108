// Training: a model that goes on learning from pictures and captions, by the settings of one file.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <moa/eval.hpp>
#include <moa/export.hpp>

namespace moa {

// Where a training stands, after a step.
struct TrainProgress {
  std::int64_t step = 0;  // that were made, from the very beginning
  std::int64_t steps = 0;
  std::uint64_t epoch = 0;
  double loss = 0;
  double learning_rate = 0;
  double logit_scale = 0;
  double items_per_second = 0;  // of the steps since the last report
  double seconds_left = 0;
  std::uint64_t skipped_pairs = 0;
};

struct TrainOptions {
  // Go on from the newest checkpoint in the output folder, bit for bit as if nothing had happened; without
  // one from the beginning.
  bool resume = false;
  // Called every `log_every` steps, from the calling thread; may be empty.
  std::function<void(const TrainProgress&)> progress = {};
  // Called with what the user should know: a pair that is left out, a validation's numbers; may be empty.
  std::function<void(const std::string&)> note = {};
  // When it becomes true, a checkpoint is written after the step under way and the call ends with the error
  // `cancelled`.
  const std::atomic<bool>* cancelled = nullptr;
};

struct TrainResult {
  // A directory that Model::load takes; empty if the adapter is all that came of it.
  std::filesystem::path model;
  std::filesystem::path adapter = {};  // what LoadOptions::adapter takes; empty: none was learned
  std::int64_t learned_numbers = 0;
  std::int64_t steps = 0;
  std::uint64_t skipped_pairs = 0;
  double loss = 0;                      // of the last step
  std::vector<Metric> validation = {};  // of the last validation, without intervals
};

// Trains as the file at `settings` says (docs/guide.md) and writes into its output folder: model/, a
// directory in the layout of the model that it began with, or adapter/, or both; checkpoints/; metrics.csv;
// loss.svg. What is written appears whole or not at all; a checkpoint that is there stays until a newer one
// is.
//
// Errors: invalid_argument (the settings: line and key are named; an output folder that is in use, without
// `resume`); unsupported (no libtorch in this build, or a model that cannot learn); not_found, corrupt_data,
// io_error (a full disk); model_mismatch (a checkpoint of another model); out_of_range (a loss that is no
// number, unless it is to be skipped); cancelled.
MOA_API TrainResult train_model(const std::filesystem::path& settings, const TrainOptions& options = {});

}  // namespace moa
