// moa train: a model learns from pairs.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include <moa/train.hpp>

#include "base/thread_pool.hpp"
#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/output.hpp"
#include "cli/shared_options.hpp"
#include "cli/train_processes.hpp"
#include "cli/worker_processes.hpp"

namespace moa::cli {
namespace {

std::string duration(double seconds) {
  const long long whole = std::llround(seconds);
  char text[64];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  return text;
}

std::string progress_line(const TrainProgress& at) {
  char text[256];
  std::snprintf(text, sizeof text,
                "step %lld/%lld  epoch %llu  loss %.4f  lr %.3g  scale %.2f  %.1f pairs/s  %s left",
                static_cast<long long>(at.step), static_cast<long long>(at.steps),
                static_cast<unsigned long long>(at.epoch), at.loss, at.learning_rate, at.logit_scale,
                at.items_per_second, duration(at.seconds_left).c_str());
  return text;
}

std::string json_result(const TrainResult& result) {
  std::array<char, 64> loss{};
  std::snprintf(loss.data(), loss.size(), "%.6f", result.loss);
  std::string text = "{";
  if (!result.model.empty()) text += json_path("model", result.model.string()) + ",";
  if (!result.adapter.empty()) text += json_path("adapter", result.adapter.string()) + ",";
  if (!result.prompt_vectors.empty())
    text += json_path("prompt_vectors", result.prompt_vectors.string()) + ",";
  text += "\"learned_numbers\":" + std::to_string(result.learned_numbers) +
          ",\"steps\":" + std::to_string(result.steps) +
          ",\"loss\":" + (std::isfinite(result.loss) ? loss.data() : "null") +
          ",\"skipped_pairs\":" + std::to_string(result.skipped_pairs) + ",\"validation\":{";
  for (std::size_t i = 0; i < result.validation.size(); ++i) {
    std::array<char, 64> value{};
    std::snprintf(value.data(), value.size(), "%.6f", result.validation[i].value);
    text += (i == 0 ? "" : ",") + json(result.validation[i].name) + ":" + value.data();
  }
  return text + "}}\n";
}

// The last of what has to be named to use it.
const std::filesystem::path& what_came_of_it(const TrainResult& result) {
  if (!result.prompt_vectors.empty()) return result.prompt_vectors;
  return result.adapter.empty() ? result.model : result.adapter;
}

// One process of a training, or all of it.
void run_process(const Arguments& arguments, const std::string& settings, const TrainProcesses& processes) {
  Console console(arguments);
  TrainOptions options;
  options.resume = arguments.has("resume");
  options.processes = processes;
  options.note = [&](const std::string& text) { console.note(text); };
  options.progress = [&](const TrainProgress& at) { console.note(progress_line(at)); };
  options.cancelled = &interrupted();
  const TrainResult result = train_model(settings, options);
  if (processes.rank != 0) return;
  Output output = Output::to_stdout();
  output.write(arguments.value_or("format", "text") == "json" ? json_result(result)
                                                              : what_came_of_it(result).string() + "\n");
  output.finish();
}

int run_train(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.inputs();
  if (words.size() != 1) fail_usage(arguments.command(), "expected one CONFIG.yaml");
  const TrainProcesses one = processes_from_environment();
  constexpr int kMostProcesses = 1024;
  const auto count = static_cast<int>(arguments.integer("processes", 1, 1, kMostProcesses));
  if (count == 1) {
    run_process(arguments, words.front(), one);
    return 0;
  }
  if (one.count > 1) fail_usage(arguments.command(), "--processes: WORLD_SIZE is set, which says it already");
  // Debian's OpenBLAS has threads of its own, which libtorch does not know of.
  ::setenv("OPENBLAS_NUM_THREADS", std::to_string(std::max(1, available_threads() / count)).c_str(), 0);
  const MeetingFolder meeting;
  in_processes(
      count, [&](int rank) { run_process(arguments, words.front(), meeting.process(rank, count)); },
      interrupted());
  return 0;
}

constexpr std::array kOptions = {
    Option{0, "resume", "", "Go on from the newest sound checkpoint in the output folder, bit for bit"},
    Option{0, "processes", "N", "Train in N processes on this machine, each with its share of every batch"},
    Option{0, "format", "FORMAT", "How the result is written: the model's path, or the numbers too",
           "text|json"},
};
constexpr std::array<Options, 2> kGroups = {kOptions, kTalkOptions};
constexpr std::array kExamples = {
    Example{"Learn from a table of pictures and captions", "moa train settings.yaml"},
    Example{"Go on after an interruption", "moa train settings.yaml --resume"},
    Example{"Share every batch among four processes", "moa train settings.yaml --processes 4"},
};

}  // namespace

constexpr Command kTrainCommand = {
    .name = "train",
    .summary = "Let a model go on learning from pictures and captions, pairs of texts, or classes",
    .usage = "CONFIG.yaml [options]",
    .description =
        "Everything that a training is stands in one file: the model it begins with, the pairs or the "
        "pictures with a class each, what is learned, the loss, the optimiser, the schedule (the guide "
        "explains each line). The output folder "
        "gets checkpoints/, metrics.csv, loss.svg, and at the end model/, which loads as the original does, "
        "or adapter/, which --adapter adds to the original, or "
        "prompt.safetensors, which --prompt-vectors puts before texts. Ctrl-C writes a checkpoint. Processes "
        "on several "
        "machines are started as torchrun starts them: each finds RANK, WORLD_SIZE, MASTER_ADDR and "
        "MASTER_PORT in its environment.\n",
    .options = kGroups,
    .examples = kExamples,
    .inputs = Completes::files,
    .run = run_train,
};

}  // namespace moa::cli
