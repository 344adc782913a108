#include "train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "base/cancellation.hpp"
#include "base/file.hpp"
#include "train/checkpoint_store.hpp"
#include "train/event_file.hpp"
#include "train/loss_curve.hpp"
#include "train/metrics_file.hpp"
#include "train/validation_file.hpp"

namespace moa::train {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t kMostNames = 10;  // of what is left out
constexpr std::uint64_t kMostSettingsBytes = std::uint64_t{1} << 20;

std::int64_t steps_of(const TrainConfig& config, const std::vector<SharedSource>& sources) {
  if (config.steps > 0) return config.steps;
  const std::optional<std::uint64_t> pairs = sources.front().source->size();
  if (!pairs) {
    throw Error(
        ErrorCode::invalid_argument,
        "cannot tell how many steps an epoch has: of shards the number of pairs is not known, expected "
        "schedule.steps");
  }
  // Pairs that do not fill a batch are dropped at the end of each epoch.
  const std::uint64_t steps_an_epoch = *pairs / config.batch;
  return std::max<std::int64_t>(1, std::llround(config.epochs * static_cast<double>(steps_an_epoch)));
}

// One training from its first step, or from a checkpoint.
class Training {
 public:
  Training(const TrainConfig& config, const TrainerParts& parts, const TrainOptions& options)
      : config_(config),
        parts_(parts),
        options_(options),
        steps_(steps_of(config, parts.sources)),
        began_at_(restore()),
        step_(began_at_),
        loader_(parts.sources, parts.prepare, loader_options(), positions_) {
    if (!is_first()) return;
    // Not before it is certain that this run can go on with what is there.
    write_file_atomically(config.output / "train.yaml", config.text);
    metrics_.emplace(config.output / "metrics.csv", began_at_);
    result_.steps = began_at_;
    if (!metrics_->losses().empty()) result_.loss = metrics_->losses().back().second;
    validations_.emplace(config.output / "validation.csv", began_at_);
    if (config.writes_tensorboard) events_.emplace(config.output, began_at_);
  }

  TrainResult run() {
    bool is_saved = step_ == began_at_ && step_ > 0;
    while (step_ < steps_) {
      step();
      is_saved = false;
      if (config_.validate_every > 0 && step_ % config_.validate_every == 0 && step_ < steps_) validate();
      if (config_.checkpoint_every > 0 && step_ % config_.checkpoint_every == 0) {
        save();
        is_saved = true;
      }
      if (is_cancelled()) {
        if (!is_saved) save();
        throw Error(ErrorCode::cancelled, "interrupted after step " + std::to_string(step_) + " of " +
                                              std::to_string(steps_) + "; a checkpoint is written");
      }
    }
    validate();
    if (!is_saved) save();
    return std::move(result_);
  }

 private:
  // Of several processes the first writes what is written, and says what all would say.
  bool is_first() const { return options_.processes.rank == 0; }

  // By one process for all.
  bool is_cancelled() const {
    double cancelled = is_raised(options_.cancelled) ? 1 : 0;
    parts_.engine.sum({&cancelled, 1});
    return cancelled > 0;
  }

  BatchLoaderOptions loader_options() {
    BatchLoaderOptions options;
    options.part = static_cast<std::size_t>(options_.processes.rank);
    options.parts = static_cast<std::size_t>(options_.processes.count);
    options.sum = [this](std::span<double> numbers) { parts_.engine.sum(numbers); };
    options.seed = config_.seed;
    options.batch = config_.batch;
    options.workers = config_.workers;
    options.stops_at_bad_pairs = config_.stops_at_bad_pairs;
    options.on_skipped = [this](const Error& error) {
      if (++told_ < kMostNames) note("left out: " + std::string(error.what()));
      if (told_ == kMostNames) note("more pairs are left out, and counted");
    };
    return options;
  }

  void add_events(const StepMetrics& metrics) {
    if (!events_) return;
    std::vector<Scalar> scalars = {{"train/loss", metrics.loss},
                                   {"train/learning_rate", metrics.learning_rate},
                                   {"train/logit_scale", metrics.logit_scale},
                                   {"train/gradient_norm", metrics.gradient_norm},
                                   {"train/items_per_second", metrics.items_per_second}};
    if (parts_.sources.size() > 1)
      scalars.push_back({"train/loss_of_source_" + std::to_string(metrics.source), metrics.loss});
    events_->add(metrics.step, scalars);
  }

  void note(const std::string& text) const {
    if (options_.note) options_.note(text);
  }

  // The step to go on from. Checkpoints are the first process's; the others learn from it what they say.
  std::int64_t restore() {
    constexpr std::size_t kNumbers = 3;  // of a position
    std::vector<double> at(1 + kNumbers * parts_.sources.size());
    if (is_first()) {
      store_.emplace(config_.output / "checkpoints", config_.keep_checkpoints);
      const std::optional<TrainingState> state =
          options_.resume ? store_->newest_sound([this](const std::string& text) { note(text); })
                          : std::nullopt;
      if (options_.resume && !state) note("there is no checkpoint to go on from: it begins anew");
      if (state) {
        restore_from(*state);
        at[0] = static_cast<double>(state->step);
        for (std::size_t i = 0; i < state->positions.size(); ++i) {
          const DataPosition& position = state->positions[i];
          double* numbers = at.data() + 1 + kNumbers * i;
          numbers[0] = static_cast<double>(position.epoch);
          numbers[1] = static_cast<double>(position.taken);
          numbers[2] = static_cast<double>(position.skipped);
        }
      }
    }
    parts_.engine.share_state();
    parts_.engine.sum(at);
    for (std::size_t i = 1; i < at.size(); i += kNumbers) {
      positions_.push_back({static_cast<std::uint64_t>(at[i]), static_cast<std::uint64_t>(at[i + 1]),
                            static_cast<std::uint64_t>(at[i + 2])});
    }
    return static_cast<std::int64_t>(at[0]);
  }

  void restore_from(const TrainingState& state) const {
    parts_.engine.restore(state.engine);
    if (state.positions.size() != parts_.sources.size()) {
      throw Error(ErrorCode::model_mismatch,
                  "cannot go on: found a checkpoint of " + std::to_string(state.positions.size()) +
                      " sources of data, expected " + std::to_string(parts_.sources.size()));
    }
    note("going on after step " + std::to_string(state.step));
    const std::filesystem::path before = config_.output / "train.yaml";
    if (std::filesystem::exists(before) && read_file(before, kMostSettingsBytes) != config_.text)
      note("the settings are not those that it was trained with so far; it goes on with the new ones");
  }

  void save() {
    if (!is_first()) return;
    store_->save({step_, loader_.positions(), parts_.engine.state()});
    write_file_atomically(config_.output / "loss.svg", draw_loss_curve(metrics_->losses()));
  }

  void step() {
    const Clock::time_point start = Clock::now();
    const double rate = learning_rate_at(config_, step_, steps_);
    const std::size_t source = loader_.source_of(step_);
    const StepReport report = parts_.engine.step(parts_.batch(loader_.next(source)), rate);
    if (!report.updated && config_.stops_at_nan) {
      throw Error(ErrorCode::out_of_range,
                  "the loss or a gradient of step " + std::to_string(step_ + 1) +
                      " is not a number; nothing was changed by it (not_a_number: skip "
                      "would go on)");
    }
    ++step_;
    if (!report.updated && is_first())
      note("step " + std::to_string(step_) + " gave no number, and changed nothing");
    const std::chrono::duration<double> took = Clock::now() - start;
    busy_s_ += took.count();
    reported_s_ += took.count();
    const std::vector<DataPosition> all = loader_.positions();
    const DataPosition& at = all[source];
    std::uint64_t skipped = 0;
    for (const DataPosition& position : all) skipped += position.skipped;
    const auto items = static_cast<double>(config_.batch);
    const StepMetrics metrics{
        step_,   at.epoch, report.loss, rate, report.logit_scale, report.gradient_norm, items / took.count(),
        skipped, source};
    if (metrics_) metrics_->add(metrics);
    add_events(metrics);
    result_.steps = step_;
    result_.loss = report.loss;
    result_.skipped_pairs = skipped;
    if (step_ % config_.log_every != 0 && step_ != steps_ && step_ != began_at_ + 1) return;
    const double pace_s = busy_s_ / static_cast<double>(step_ - began_at_);
    if (options_.progress && is_first()) {
      options_.progress({step_, steps_, at.epoch, report.loss, rate, report.logit_scale,
                         items * static_cast<double>(step_ - reported_at()) / reported_s_,
                         pace_s * static_cast<double>(steps_ - step_), skipped});
    }
    reported_step_ = step_;
    reported_s_ = 0;
  }

  std::int64_t reported_at() const { return reported_step_ < began_at_ ? began_at_ : reported_step_; }

  void validate() {
    if (!parts_.validate || !is_first()) return;
    const Evaluation found = parts_.validate();
    result_.validation = found.metrics;
    tell_left_out(found);
    const bool is_known = validations_->has(step_);  // of a run that had ended here
    validations_->put(step_, result_.validation);
    if (events_ && !is_known) {
      std::vector<Scalar> scalars;
      for (const Metric& metric : result_.validation)
        scalars.push_back({"validation/" + metric.name, metric.value});
      events_->add(step_, scalars);
    }
    std::string text = "validation after step " + std::to_string(step_) + ":";
    for (const Metric& metric : result_.validation) {
      char number[64];
      std::snprintf(number, sizeof number, " %.4f", metric.value);
      text += " " + metric.name + number;
    }
    note(text);
  }

  // The same each time, so once.
  void tell_left_out(const Evaluation& found) {
    if (std::exchange(has_told_validation_, true)) return;
    std::uint64_t count = 0;
    for (const auto* errors : {&found.picture_errors, &found.text_errors}) {
      for (const std::optional<Error>& error : *errors) {
        if (!error || ++count > kMostNames) continue;
        note("left out of the validation: " + std::string(error->what()));
      }
    }
    if (count > kMostNames) note(std::to_string(count) + " are left out of the validation");
  }

  const TrainConfig& config_;
  const TrainerParts& parts_;
  const TrainOptions& options_;
  std::optional<CheckpointStore> store_;  // this and other files: of the first process alone
  std::vector<DataPosition> positions_{};
  std::int64_t steps_;
  std::int64_t began_at_;
  std::int64_t step_;
  std::optional<MetricsFile> metrics_;
  std::optional<ValidationFile> validations_;
  std::optional<EventFile> events_;
  MixedLoader loader_;
  TrainResult result_{};
  std::uint64_t told_ = 0;
  bool has_told_validation_ = false;
  double busy_s_ = 0;
  double reported_s_ = 0;
  std::int64_t reported_step_ = -1;
};

}  // namespace

TrainResult run_training(const TrainConfig& config, const TrainerParts& parts, const TrainOptions& options) {
  return Training(config, parts, options).run();
}

}  // namespace moa::train
