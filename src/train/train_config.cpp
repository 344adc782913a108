#include "train/train_config.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/file.hpp"
#include "train/yaml_map.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostConfigBytes = std::uint64_t{1} << 20;
constexpr std::int64_t kMany = std::int64_t{1} << 40;

// Names in the file, in the order of the enumeration.
constexpr std::array<std::string_view, 8> kLosses = {"info_nce",  "sigmoid",   "triplet", "triplet_semi_hard",
                                                     "hinge_sum", "hinge_max", "sup_con", "cross_entropy"};
constexpr std::array<std::string_view, 3> kSources = {"pictures", "texts", "classes"};
constexpr std::array<std::string_view, 4> kAdapters = {"lora", "tt_lora", "tt_matrix", "shared"};

// The value whose name stands at `key`.
template <typename Enum, std::size_t count>
Enum named(const YamlMap& map, const char* key, Enum fallback,
           const std::array<std::string_view, count>& names) {
  const std::string name = map.choice(key, names[static_cast<std::size_t>(fallback)], names);
  return static_cast<Enum>(std::ranges::find(names, name) - names.begin());
}

// A model's directory begins in the file's folder, as other paths do; any other name is as --model takes it.
std::string model_in(const fs::path& folder, const std::string& name) {
  const bool is_path = name.starts_with("./") || name.starts_with("../");
  std::error_code ignored;
  const bool is_there = !name.empty() && fs::is_directory(folder / name, ignored);
  return is_path || is_there ? (folder / name).string() : name;
}

DataSource read_source(const YamlMap& map, const fs::path& folder) {
  DataSource source;
  for (const std::string& place : map.texts("train")) source.places.push_back((folder / place).string());
  if (source.places.empty())
    map.refuse("train", "expected a table (.csv, .tsv, .jsonl), shards (.tar) or a folder of classes");
  source.kind = named(map, "kind", DataSource::Kind::pictures, kSources);
  const std::string separator = map.text("separator", "");
  if (separator.size() > 1) map.refuse("separator", "expected one character");
  const char character = separator.empty() ? '\0' : separator.front();
  if (source.kind == DataSource::Kind::texts) {
    source.texts.first_column = map.text("first_column", "");
    source.texts.second_column = map.text("second_column", "");
    source.texts.negative_column = map.text("negative_column", "");
    source.texts.reading.separator = character;
    source.texts.reading.has_quotes = map.boolean("quotes", true);
    return source;
  }
  source.table.columns.image = map.text("image_column", "");
  source.table.separator = character;
  if (map.has("root")) source.table.root = folder / map.text("root", "");
  if (source.kind == DataSource::Kind::classes) {
    source.table.columns.label = map.text("label_column", "");
    if (map.has("classnames")) source.classes.names = folder / map.text("classnames", "");
    source.classes.templates = map.texts("templates");
    return source;
  }
  source.table.columns.caption = map.text("caption_column", "");
  source.negative_column = map.text("negative_column", "");
  if (map.has("features")) source.features = (folder / map.text("features", "")).string();
  source.shuffle = static_cast<std::size_t>(map.integer("shuffle", 1000, 1, 10'000'000));
  return source;
}

void read_data(const YamlMap& map, const fs::path& folder, TrainConfig& config) {
  for (const YamlMap& below : map.maps("sources")) {
    config.sources.push_back(read_source(below, folder));
    config.sources.back().share = below.number("share", 1, 1e-9, 1e9);
  }
  if (config.sources.empty()) {
    if (map.has("sources")) map.refuse("sources", "expected at least one");
    config.sources.push_back(read_source(map, folder));
  }
  if (learns_classes(config) && config.sources.size() > 1)
    map.refuse("sources", "classes are learned alone: expected one source, or pairs");
  const auto pictures = std::ranges::find_if(
      config.sources, [](const DataSource& source) { return source.kind != DataSource::Kind::texts; });
  if (pictures != config.sources.end()) config.validation_table = pictures->table;
  config.workers = static_cast<int>(map.integer("workers", 2, 1, 256));
  config.stops_at_bad_pairs =
      map.choice("bad_pairs", "skip", std::array<std::string_view, 2>{"skip", "stop"}) == "stop";
}

AugmentationOptions read_augmentation(const YamlMap& map) {
  AugmentationOptions options;
  options.random_resized_crop = map.boolean("random_resized_crop", true);
  for (const char* key : {"scale", "ratio"}) {
    if (map.has(key) && !options.random_resized_crop)
      map.refuse(key, "it is of the crop, expected random_resized_crop: true");
  }
  const std::vector<double> scale = map.numbers("scale", {options.least_scale, options.most_scale}, 1e-4, 1);
  const std::vector<double> ratio =
      map.numbers("ratio", {options.least_ratio, options.most_ratio}, 0.01, 100);
  if (scale[0] > scale[1]) map.refuse("scale", "expected the smaller number first");
  if (ratio[0] > ratio[1]) map.refuse("ratio", "expected the smaller number first");
  options.least_scale = scale[0];
  options.most_scale = scale[1];
  options.least_ratio = ratio[0];
  options.most_ratio = ratio[1];
  options.flip_probability = map.number("flip", 0, 0, 1);
  options.brightness = map.number("brightness", 0, 0, 10);
  options.contrast = map.number("contrast", 0, 0, 10);
  options.saturation = map.number("saturation", 0, 0, 10);
  options.hue = map.number("hue", 0, 0, 0.5);
  options.jitter_probability = map.number("jitter", 1, 0, 1);
  return options;
}

// Keys that this kind of loss does not ask.
void refuse_without_effect(const YamlMap& map, LossKind kind) {
  using Kinds = std::initializer_list<LossKind>;
  const auto of_alone = [&](const char* key, Kinds kinds) {
    if (!map.has(key) || std::ranges::find(kinds, kind) != kinds.end()) return;
    std::string names;
    for (const LossKind other : kinds)
      names += (names.empty() ? "" : ", ") + std::string(kLosses[static_cast<std::size_t>(other)]);
    map.refuse(key, "of the kind " + std::string(kLosses[static_cast<std::size_t>(kind)]) +
                        " it would have no effect, expected one of " + names);
  };
  of_alone("margin",
           {LossKind::triplet, LossKind::triplet_semi_hard, LossKind::hinge_sum, LossKind::hinge_max});
  of_alone("temperature", {LossKind::sup_con});
  of_alone("label_smoothing", {LossKind::info_nce, LossKind::cross_entropy});
  of_alone("initial_logit_bias", {LossKind::sigmoid});
}

LossOptions read_loss(const YamlMap& map, bool is_of_classes) {
  LossOptions options;
  options.kind = named(map, "kind", is_of_classes ? LossKind::cross_entropy : LossKind::info_nce, kLosses);
  if (is_of_classes != (options.kind == LossKind::cross_entropy)) {
    map.refuse("kind", is_of_classes
                           ? "found '" + std::string(kLosses[static_cast<std::size_t>(options.kind)]) +
                                 "', which is of pairs; of classes (data.kind) "
                                 "expected cross_entropy"
                           : "cross_entropy is of pictures with a class each, expected "
                             "data.kind: classes");
  }
  refuse_without_effect(map, options.kind);
  options.weight = map.number("weight", options.weight, 0, 1e9);
  options.margin = map.number("margin", options.margin, 0, 100);
  options.temperature = map.number("temperature", options.temperature, 1e-4, 100);
  options.label_smoothing = map.number("label_smoothing", 0, 0, 0.999);
  // A scale is kept within [1, 100].
  if (map.has("initial_logit_scale"))
    options.initial_logit_scale = map.number("initial_logit_scale", 0, 0, std::log(100.0));
  if (map.has("initial_logit_bias"))
    options.initial_logit_bias = map.number("initial_logit_bias", 0, -1000, 1000);
  options.learns_logit_scale = map.boolean("learns_logit_scale", true);
  for (const double dim : map.numbers("prefix_dims", {}, 1, 1e6)) {
    if (dim != std::floor(dim)) map.refuse("prefix_dims", "expected whole numbers");
    options.prefix_dims.push_back(static_cast<std::int64_t>(dim));
  }
  return options;
}

void expect_place_for_negatives(const YamlMap& map, const LossOptions& options) {
  if (options.kind == LossKind::sup_con)
    map.refuse("kind", "sup_con has no place for negatives (data: negative_column), expected another loss");
  if (options.weight == 0)
    map.refuse("weight", "found 0, but negatives (data: negative_column) are the loss's alone");
}

void read_distillation(const YamlMap& map, const fs::path& folder, TrainConfig& config) {
  DistillationOptions& options = config.engine.loss.distillation;
  config.teacher = model_in(folder, map.text("teacher", ""));
  if (config.teacher.empty()) map.refuse("teacher", "expected a model, as --model takes it");
  const std::string kind =
      map.choice("kind", "squared", std::array<std::string_view, 3>{"squared", "cosine", "distribution"});
  const double weight = map.number("weight", 1, 1e-9, 1e9);
  (kind == "squared" ? options.squared : kind == "cosine" ? options.cosine : options.distribution) = weight;
  options.teacher_scale = map.number("teacher_scale", options.teacher_scale, 1e-3, 1e4);
}

void read_adapter(const YamlMap& map, TrainConfig& config) {
  AdapterOptions options;
  options.kind = named(map, "kind", AdapterKind::lora, kAdapters);
  options.rank = map.integer("rank", options.rank, 1, 1 << 14);
  options.alpha = map.number("alpha", static_cast<double>(options.rank), 1e-6, 1e6);
  if (map.has("targets")) config.adapter_targets = map.texts("targets");
  if (config.adapter_targets.empty()) map.refuse("targets", "expected all, text, image or names of layers");
  config.merges_adapter = map.boolean("merge", false);
  config.engine.adapter = std::move(options);
  config.learn.clear();
}

void read_prompt(const YamlMap& root, TrainConfig& config) {
  const YamlMap map = root.map("prompt");
  if (!root.has("prompt")) return;
  if (!learns_classes(config))
    root.refuse("prompt", "it stands before the names of classes (data.kind: classes)");
  if (root.has("learn"))
    root.refuse("learn", "beside a prompt the model's own weights stay; expected an adapter, or no prompt");
  if (config.merges_adapter)
    root.refuse("prompt", "it belongs to the model without the adapter in it; expected adapter.merge: false");
  PromptOptions options;
  options.initial = map.text("initial", "");
  options.vectors = map.integer("vectors", 0, 1, 1 << 14);
  config.prompt = std::move(options);
  config.learn.clear();
}

void read_optimizer(const YamlMap& map, TrainConfig& config) {
  AdamWOptions& adamw = config.engine.optimizer;
  config.learning_rate = map.number("learning_rate", config.learning_rate, 0, 100);
  adamw.beta1 = map.number("beta1", adamw.beta1, 0, 0.999999);
  adamw.beta2 = map.number("beta2", adamw.beta2, 0, 0.999999999);
  adamw.eps = map.number("eps", adamw.eps, 0, 1);
  adamw.weight_decay = map.number("weight_decay", adamw.weight_decay, 0, 100);
  config.engine.clip_gradient_norm = map.number("clip_gradient_norm", 0, 0, 1e12);
}

void read_schedule(const YamlMap& map, TrainConfig& config) {
  if (map.has("steps") && map.has("epochs")) map.refuse("epochs", "expected either steps or epochs");
  config.steps = map.integer("steps", 0, 1, kMany);
  config.epochs = map.number("epochs", config.steps > 0 ? 0 : 3, 1e-6, 1e9);
  if (config.epochs > 0 && config.sources.size() > 1) {
    map.refuse(map.has("epochs") ? "epochs" : "steps",
               "several sources have no epoch in common, expected steps");
  }
  config.warmup_steps = map.integer("warmup_steps", 0, 0, kMany);
  config.least_learning_rate = map.number("least_learning_rate", 0, 0, config.learning_rate);
}

void read_validation(const YamlMap& map, const fs::path& folder, TrainConfig& config) {
  if (map.has("table")) config.validation = folder / map.text("table", "");
  if (!map.has("folder")) return;
  if (!learns_classes(config)) map.refuse("folder", "it is of classes; of pairs expected a table");
  if (map.has("table")) map.refuse("folder", "expected either folder or table");
  config.validation = folder / map.text("folder", "");
}

}  // namespace

bool learns_classes(const TrainConfig& config) {
  return have(config.sources, DataSource::Kind::classes);
}

TrainConfig read_train_config(const fs::path& path) {
  TrainConfig config;
  config.text = read_file(path, kMostConfigBytes);
  const fs::path folder = path.parent_path();
  const YamlMap map = YamlMap::parse(config.text, path.string());
  config.model = model_in(folder, map.text("model", config.model));
  if (!map.has("output")) map.refuse("output", "expected a folder");
  config.output = folder / map.text("output", "");
  config.seed = static_cast<std::uint64_t>(map.integer("seed", 0, 0, INT64_MAX));
  read_data(map.map("data"), folder, config);
  config.augmentation = read_augmentation(map.map("augmentation"));
  const YamlMap adapter = map.map("adapter");
  if (map.has("adapter")) read_adapter(adapter, config);
  read_prompt(map, config);
  if (map.has("learn")) config.learn = map.texts("learn");
  config.freeze = map.texts("freeze");
  config.engine.loss = read_loss(map.map("loss"), learns_classes(config));
  if (map.has("distillation")) {
    if (learns_classes(config)) map.refuse("distillation", "it is of pairs, not of classes");
    read_distillation(map.map("distillation"), folder, config);
  } else if (config.engine.loss.weight == 0) {
    map.map("loss").refuse("weight", "found 0, which leaves nothing to learn from without distillation");
  }
  if (have_negatives(config.sources)) expect_place_for_negatives(map.map("loss"), config.engine.loss);
  const YamlMap keep = map.map("keep_vectors");
  config.kept_vector_bytes =
      static_cast<std::size_t>(keep.integer("megabytes", 1024, 0, std::int64_t{1} << 30)) << 20;
  config.keeps_vectors_in_file = keep.boolean("file", false);
  read_optimizer(map.map("optimizer"), config);
  read_schedule(map.map("schedule"), config);
  config.batch = static_cast<std::size_t>(map.integer("batch", 32, 1, 1 << 20));
  config.engine.chunk_items = map.integer("chunk", 0, 0, 1 << 20);
  config.engine.precision =
      map.choice("precision", "f32", std::array<std::string_view, 2>{"f32", "bf16"}) == "bf16"
          ? TrainingPrecision::bf16
          : TrainingPrecision::f32;
  config.engine.device = map.text("device", "cpu");
  config.engine.threads = static_cast<int>(map.integer("threads", 0, 0, 1024));
  config.engine.seed = config.seed;
  config.stops_at_nan =
      map.choice("not_a_number", "stop", std::array<std::string_view, 2>{"stop", "skip"}) == "stop";
  const YamlMap validation = map.map("validation");
  read_validation(validation, folder, config);
  config.validate_every = validation.integer("every", 0, 0, kMany);
  if (validation.has("every") && config.validation.empty())
    validation.refuse("every", "there is nothing to validate on, expected a table beside it");
  const YamlMap checkpoint = map.map("checkpoint");
  config.checkpoint_every = checkpoint.integer("every", 0, 0, kMany);
  config.keep_checkpoints = static_cast<std::size_t>(checkpoint.integer("keep", 2, 1, 1000));
  config.log_every = map.integer("log_every", 10, 1, kMany);
  config.writes_tensorboard = map.boolean("tensorboard", false);
  map.finish();
  return config;
}

double learning_rate_at(const TrainConfig& config, std::int64_t step, std::int64_t steps) {
  if (step < config.warmup_steps) {
    return config.learning_rate * static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps);
  }
  const auto length = static_cast<double>(std::max<std::int64_t>(steps - config.warmup_steps, 1));
  const double share = static_cast<double>(step - config.warmup_steps) / length;
  return config.least_learning_rate +
         (config.learning_rate - config.least_learning_rate) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

}  // namespace moa::train
