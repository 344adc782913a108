// Training: a model that goes on learning from pictures and captions, from pairs of texts, or from pictures
// with a class each, by the settings of one file.
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

// One of several processes that train one model together, each with its share of every batch: the convention
// of torchrun. Each calls train_model() with the same settings; only process 0 touches the output folder.
// With more than one, a program that leaves SIGPIPE at its default ignores it from then on: a process that is
// lost is an error, not a signal.
struct TrainProcesses {
  int rank = 0;  // of this process, from 0
  int count = 1;
  // Where they find each other: "tcp://ADDRESS:PORT", where process 0 listens, or, on one machine,
  // "file:///PATH" of a file that does not exist yet. Of one process alone: not looked at.
  std::string meeting_point = {};
  // Among the processes on this machine: they share its processors, and take one graphics card each.
  int local_rank = 0;
  int local_count = 1;
};

struct TrainOptions {
  // Go on from the newest sound checkpoint in the output folder, bit for bit as if nothing had happened;
  // without one from the beginning. A damaged one is named by a note and set aside; corrupt_data if all are.
  bool resume = false;
  TrainProcesses processes = {};
  // Called every `log_every` steps, from the calling thread; may be empty. Of several processes, by process 0
  // alone.
  std::function<void(const TrainProgress&)> progress = {};
  // Called with what the user should know: a pair that is left out, a validation's numbers; may be empty.
  std::function<void(const std::string&)> note = {};
  // When it becomes true, a checkpoint is written after the step under way and the call ends with the error
  // `cancelled`; of several processes, in all of them as soon as it is true in one.
  const std::atomic<bool>* cancelled = nullptr;
};

struct TrainResult {
  // A directory that Model::load takes; empty if an adapter or prompt vectors are all that came of it, and
  // but for process 0.
  std::filesystem::path model;
  std::filesystem::path adapter = {};         // what LoadOptions::adapter takes; empty: none was learned
  std::filesystem::path prompt_vectors = {};  // what LoadOptions::prompt_vectors takes; empty: none
  std::int64_t learned_numbers = 0;
  std::int64_t steps = 0;
  std::uint64_t skipped_pairs = 0;
  double loss = 0;                      // of the last step
  std::vector<Metric> validation = {};  // of the last validation, without intervals
};

// Trains as the file at `settings` says (docs/guide.md) and writes into its output folder: model/, a
// directory in the layout of the model that it began with, or adapter/, or both; or prompt.safetensors,
// beside adapter/ if there is one; checkpoints/; metrics.csv; loss.svg; if asked for, an event file for
// TensorBoard. What is written appears whole or not at all; a checkpoint that is there stays until a newer
// one is.
//
// Errors: invalid_argument (the settings: line and key are named; an output folder that is in use, without
// `resume`); unsupported (no libtorch in this build, or a model that cannot learn); not_found, corrupt_data,
// io_error (a full disk, another process that is lost); model_mismatch (a checkpoint of another model);
// out_of_range (a loss that is no number, unless it is to be skipped); cancelled.
MOA_API TrainResult train_model(const std::filesystem::path& settings, const TrainOptions& options = {});

}  // namespace moa
