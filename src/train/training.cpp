// moa::train_model(): the settings, the model, the pairs and the engine brought together.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <moa/error.hpp>
#include <moa/train.hpp>

#include "base/file.hpp"
#include "base/thread_pool.hpp"
#include "embed/loaded_model.hpp"
#include "embed/native_engine.hpp"
#include "tensor/factored.hpp"
#include "train/learned_names.hpp"
#include "train/pairs_for_model.hpp"
#include "train/trained_model.hpp"
#include "train/trainer.hpp"
#include "train/validation.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using train::PairPreparer;
using train::TrainConfig;
using train::TrainingEngine;

// The folder that a training writes into, which is its alone as long as this lives.
class OutputFolder {
 public:
  // Errors: invalid_argument if another training writes there, or if something was learned there before and
  // this does not resume it; io_error.
  OutputFolder(const fs::path& path, bool resume) {
    std::error_code failed;
    fs::create_directories(path, failed);
    if (failed) throw Error(ErrorCode::io_error, "cannot write '" + path.string() + "': " + failed.message());
    if (!resume && holds_something(path)) {
      throw Error(ErrorCode::invalid_argument, "cannot train into '" + path.string() +
                                                   "': it is not empty; --resume goes on with what is there");
    }
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // Where files cannot be locked, nobody is kept out.
    if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    ::close(descriptor_);
    throw Error(ErrorCode::invalid_argument,
                "cannot train into '" + path.string() + "': another training writes there");
  }
  ~OutputFolder() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  // What a run leaves that ended before its first step is nothing.
  static bool holds_something(const fs::path& path) {
    constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name == "train.yaml" || name.starts_with("events.out.")) continue;
      if (name == "checkpoints" && fs::is_empty(entry.path())) continue;
      if (name == "metrics.csv") {
        const std::string table = read_file(entry.path(), kMostBytes);
        if (std::ranges::count(table, '\n') <= 1) continue;
      }
      return true;
    }
    return false;
  }

  int descriptor_ = -1;
};

bool has_pictures(const TrainConfig& config) {
  return train::have_pictures(config.sources);
}

// Error: invalid_argument for a source of texts where the text tower does not learn.
void expect_something_to_learn(const TrainConfig& config, const EmbeddingModel& network) {
  for (const train::DataSource& source : config.sources) {
    if (source.kind != train::DataSource::Kind::texts) continue;
    if (train::learns_tower(network, "text", config.engine)) return;
    throw Error(ErrorCode::invalid_argument, "cannot learn from the texts of '" + source.places.front() +
                                                 "': the text tower is frozen (learn, freeze)");
  }
}

// None if the settings name none. Error: unsupported, shape_mismatch if it cannot teach this model.
std::shared_ptr<const LoadedModel> load_teacher(const TrainConfig& config, std::int64_t dim) {
  if (config.teacher.empty()) return nullptr;
  auto teacher = LoadedModel::load(config.teacher, {.dtype = "f32", .threads = config.engine.threads});
  const std::string attempt = "cannot distil from '" + config.teacher + "': ";
  const bool compares_scores = config.engine.loss.distillation.distribution > 0;
  if (!compares_scores && teacher->facts().dim() != dim) {
    throw Error(ErrorCode::shape_mismatch,
                attempt + "found vectors of " + std::to_string(teacher->facts().dim()) +
                    " numbers, expected the model's " + std::to_string(dim) +
                    " (kind: distribution compares scores, of vectors of any width)");
  }
  if (teacher->text() == nullptr) {
    throw Error(ErrorCode::unsupported, attempt + "it has no text tower");
  }
  if (compares_scores && has_pictures(config) && teacher->facts().image() == nullptr) {
    throw Error(ErrorCode::unsupported, attempt +
                                            "it has no tower for pictures, and kind: distribution "
                                            "compares its scores of pictures and captions");
  }
  return teacher;
}

// What does not change while others learn: a teacher's vectors, and those of a tower that does not learn, or
// what its trunk gives where its head alone learns.
class KeptVectors {
 public:
  KeptVectors(const TrainConfig& config, const std::shared_ptr<const LoadedModel>& model,
              const std::shared_ptr<const LoadedModel>& teacher, const EmbeddingModel& network) {
    const auto file = [&](const char* name) {
      return config.keeps_vectors_in_file ? config.output / name : fs::path();
    };
    if (teacher) {
      teacher_ = std::make_unique<train::FixedVectors>(
          teacher, train::FixedVectorsOptions{config.kept_vector_bytes, file("teacher.sqlite")});
    }
    if (config.kept_vector_bytes == 0) return;
    const auto learns = [&](const char* tower) { return train::learns_tower(network, tower, config.engine); };
    const auto keeps = [&](const char* tower) { return !train::learns_trunk(network, tower, config.engine); };
    keeps_pictures_ = has_pictures(config) && config.augmentation.changes_nothing() && keeps("image");
    keeps_texts_ = keeps("text");
    if (!keeps_pictures_ && !keeps_texts_) return;
    own_ = std::make_unique<train::FixedVectors>(
        model,
        train::FixedVectorsOptions{config.kept_vector_bytes, file("vectors.sqlite"),
                                   keeps_texts_ && learns("text"), keeps_pictures_ && learns("image")});
  }

  train::PairPreparerOptions options(const train::AugmentationOptions& augmentation) const {
    return {augmentation, keeps_pictures_ ? own_.get() : nullptr, keeps_texts_ ? own_.get() : nullptr,
            teacher_.get()};
  }

 private:
  std::unique_ptr<train::FixedVectors> own_;
  std::unique_ptr<train::FixedVectors> teacher_;
  bool keeps_pictures_ = false;
  bool keeps_texts_ = false;
};

// Processes on one machine divide its processors, and have a graphics card each.
void share_machine(const TrainProcesses& processes, train::EngineOptions& engine) {
  engine.processes = processes;
  if (processes.local_count <= 1) return;
  if (engine.threads == 0) engine.threads = std::max(1, available_threads() / processes.local_count);
  if (engine.device == "cuda") engine.device += ":" + std::to_string(processes.local_rank);
}

// What an engine has learned beside the model's own weights; nothing without an adapter.
std::optional<Adapter> learned_adapter(const TrainConfig& config, TrainingEngine& engine) {
  if (!config.engine.adapter) return std::nullopt;
  Adapter adapter;
  adapter.kind = config.engine.adapter->kind;
  adapter.rank = config.engine.adapter->rank;
  adapter.scale = config.engine.adapter->alpha / static_cast<double>(adapter.rank);
  adapter.base = config.model;
  for (const Parameter& tensor : engine.adapter()) adapter.tensors.emplace(tensor.name(), tensor);
  return adapter;
}

// Without words of their own, classes behind prompt vectors are named as CoOp names them.
std::vector<std::string> class_templates(const TrainConfig& config, const LoadedModel& model) {
  const std::vector<std::string>& templates = config.sources.front().classes.templates;
  if (!templates.empty()) return templates;
  return config.prompt ? std::vector<std::string>{"{}."} : model.templates();
}

std::size_t prompt_vectors_of(const TrainConfig& config) {
  const Parameter& vectors = config.engine.prompt_vectors;
  return vectors ? static_cast<std::size_t>(vectors.shape()[0]) : 0;
}

// "learning 184320 of 151277313 numbers (0.12 %): lora of rank 8 on 72 layers"
std::string what_is_learned(const TrainConfig& config, std::int64_t learned,
                            const std::vector<Parameter>& parameters) {
  std::int64_t all = 0;
  for (const Parameter& parameter : parameters) all += parameter.shape().elements();
  std::array<char, 32> share{};
  std::snprintf(share.data(), share.size(), "%.2f",
                100.0 * static_cast<double>(learned) / static_cast<double>(all));
  std::string text = "learning " + std::to_string(learned) + " numbers, " + share.data() +
                     " % of the model's " + std::to_string(all);
  if (const std::optional<train::AdapterOptions>& adapter = config.engine.adapter) {
    text += ": " + std::string(name(adapter->kind)) + " of rank " + std::to_string(adapter->rank) + " on " +
            std::to_string(adapter->targets.size()) + " layers";
  }
  if (const Parameter& vectors = config.engine.prompt_vectors)
    text += (config.engine.adapter ? " and " : ": ") + std::to_string(vectors.shape()[0]) + " prompt vectors";
  return text;
}

}  // namespace

TrainResult train_model(const fs::path& settings, const TrainOptions& options) {
  TrainConfig config = train::read_train_config(settings);
  const auto model = LoadedModel::load(config.model, {.dtype = "f32", .threads = config.engine.threads});
  std::vector<std::unique_ptr<train::PairSource>> sources;
  std::vector<train::SharedSource> shared;
  for (const train::DataSource& source : config.sources) {
    sources.push_back(train::open_pairs(source));
    shared.push_back({sources.back().get(), source.share});
  }
  train::expect_towers(*model, config.sources);
  const std::shared_ptr<const LoadedModel> teacher = load_teacher(config, model->facts().dim());
  const ModelDirectory& directory = model->directory();
  // The engine knows what it learns by the very tensors that its network was built of.
  Weights weights = directory.weights();
  const auto network =
      architecture_of(directory.config(), layout_of(directory.layout())).build(directory.config(), weights);
  share_machine(options.processes, config.engine);
  std::vector<std::string> scales;
  for (const char* name : {"logit_scale", "temperature", "logit_bias"}) {
    if (weights.has(name)) scales.emplace_back(name);
  }
  config.engine.trainable = train::names_to_learn(*network, config.learn, config.freeze, scales);
  if (config.engine.adapter) {
    config.engine.adapter->targets =
        train::adapter_targets(*network, config.engine.adapter->kind, config.adapter_targets, config.freeze);
  }
  if (config.prompt)
    config.engine.prompt_vectors = train::initial_prompt_vectors(*model, *config.prompt, config.seed);
  expect_something_to_learn(config, *network);
  const auto engine =
      train::make_training_engine(*network, stored_tensors(weights.parameters()), config.engine);
  const bool is_first = options.processes.rank == 0;
  std::optional<train::ClassTexts> classes;
  if (train::learns_classes(config))
    classes.emplace(*model, sources.front()->class_names(), class_templates(config, *model),
                    prompt_vectors_of(config));
  std::optional<train::ValidationSet> validation;
  if (!config.validation.empty() && is_first)
    validation = train::read_validation_set(config, sources.front()->class_names());
  std::optional<OutputFolder> output;
  if (is_first) output.emplace(config.output, options.resume);

  config.keeps_vectors_in_file = config.keeps_vectors_in_file && is_first;
  const KeptVectors kept(config, model, teacher, *network);
  train::PairPreparerOptions preparing = kept.options(config.augmentation);
  preparing.process = static_cast<std::size_t>(options.processes.rank);
  preparing.processes = static_cast<std::size_t>(options.processes.count);
  if (classes) preparing.classes = &*classes;
  preparing.groups_equal_captions = config.engine.loss.kind == train::LossKind::sup_con;
  preparing.sum = [&](std::span<double> numbers) { engine->sum(numbers); };
  const PairPreparer preparer(*model, config.sources, preparing);
  train::TrainerParts parts{
      std::move(shared),
      [&](train::RawPair&& pair, train::Random& random) { return preparer.prepare(std::move(pair), random); },
      [&](std::vector<train::Sample> samples) { return preparer.batch(std::move(samples)); },
      *engine,
      {}};
  if (validation) {
    parts.validate = train::make_validation(
        {config, *model, preparer, *engine, classes ? &*classes : nullptr}, std::move(*validation));
  }
  if (options.note && is_first) {
    options.note(what_is_learned(config, engine->trained_numbers(), weights.parameters()));
    if (config.engine.loss.kind == train::LossKind::sigmoid && !weights.has("logit_bias"))
      options.note("the bias that sigmoid learns is not stored: the model has no place for it");
  }
  TrainResult result = train::run_training(config, parts, options);
  result.learned_numbers = engine->trained_numbers();
  if (!is_first) return result;
  if (const std::size_t cut = preparer.cut_texts(); cut > 0 && options.note) {
    options.note(std::to_string(cut) + (cut == 1 ? " text was" : " texts were") +
                 " longer than the model's context and cut");
  }
  const std::vector<Parameter> learned = engine->weights();
  const std::optional<Adapter> adapter = learned_adapter(config, *engine);
  if (adapter) {
    result.adapter = config.output / "adapter";
    train::write_trained_adapter(*adapter, result.adapter);
  }
  if (config.prompt) {
    result.prompt_vectors = config.output / "prompt.safetensors";
    const PromptVectors prompt{engine->prompt_vectors(), config.model, prompt_base(directory),
                               config.prompt->initial, class_templates(config, *model).front()};
    prompt.write(result.prompt_vectors);
  }
  if ((!adapter && !config.prompt) || config.merges_adapter || !learned.empty()) {
    result.model = config.output / "model";
    train::write_trained_model(*model, learned, config.merges_adapter ? &*adapter : nullptr, result.model);
  }
  return result;
}

}  // namespace moa
