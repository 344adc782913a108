#include "train/component/torch_engine.hpp"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "base/name_pattern.hpp"
#include "train/component/adamw.hpp"
#include "train/component/adapters.hpp"
#include "train/component/data_parallel.hpp"
#include "train/component/device.hpp"
#include "train/component/gradients.hpp"
#include "train/component/logit_scale.hpp"
#include "train/component/towers.hpp"

namespace moa::train {
namespace {

void check(const EngineOptions& options) {
  const auto within = [](const char* name, double value, double least, double most) {
    if (value >= least && value <= most) return;
    throw Error(ErrorCode::invalid_argument, std::string("cannot train: ") + name + " is " +
                                                 std::to_string(value) + ", expected " +
                                                 std::to_string(least) + " to " + std::to_string(most));
  };
  constexpr double kLarge = 1e9;
  within("beta1", options.optimizer.beta1, 0, 1 - 1e-9);
  within("beta2", options.optimizer.beta2, 0, 1 - 1e-9);
  within("eps", options.optimizer.eps, 0, 1);
  within("weight_decay", options.optimizer.weight_decay, 0, kLarge);
  within("label_smoothing", options.loss.label_smoothing, 0, 1 - 1e-9);
  within("temperature", options.loss.temperature, 1e-6, kLarge);
  within("margin", options.loss.margin, 0, kLarge);
  within("clip_gradient_norm", options.clip_gradient_norm, 0, kLarge);
  within("chunk_items", static_cast<double>(options.chunk_items), 0, kLarge);
  within("threads", options.threads, 0, 4096);
}

// The memory of a tensor, which may change under it.
class TensorMemory final : public ParameterSource {
 public:
  explicit TensorMemory(const at::Tensor& tensor)
      : tensor_(tensor.detach().to(at::kCPU).contiguous()), values_(tensor_.data_ptr<float>()) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    std::copy_n(values_ + first, count, out);
  }
  const float* in_place(std::int64_t first, std::int64_t) const override { return values_ + first; }

 private:
  at::Tensor tensor_;  // keeps the values
  const float* values_;
};

Parameter view_of(std::string name, const at::Tensor& tensor) {
  return {std::move(name), Shape(tensor.sizes().vec()), DType::f32, std::make_shared<TensorMemory>(tensor)};
}

// A tensor of torch as one that crosses the door.
Parameter parameter_of(std::string name, const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kCPU).contiguous();
  const auto count = static_cast<std::size_t>(values.numel());
  return Parameter::from_values(
      std::move(name), Shape(values.sizes().vec()),
      std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + count));
}

class TorchEngine final : public TrainingEngine {
 public:
  TorchEngine(const EmbeddingModel& model, const std::vector<Parameter>& parameters,
              const EngineOptions& options)
      : options_(options),
        weights_(device_of(options.device)),
        towers_(model, weights_,
                options.precision == TrainingPrecision::bf16 ? Precision::bf16 : Precision::f32,
                options.prompt_vectors),
        scale_(
            options_.loss, parameters, weights_, [&](const std::string& name) { return learns(name); },
            learned_),
        processes_(options.processes.count > 1
                       ? std::make_unique<ProcessGroup>(options.processes, device_of(options.device))
                       : nullptr),
        loss_{towers_, scale_, options_.loss, processes_.get()} {
    if (options.threads > 0) at::set_num_threads(options.threads);
    learn(model, parameters);
  }

  StepReport step(const TrainingBatch& batch, double learning_rate) override {
    return guarded([&] {
      clear_gradients(learned_);
      StepReport report;
      report.loss = loss_.backward(batch, options_.chunk_items);
      if (processes_) sum_gradients(*processes_, learned_);
      report.gradient_norm = gradient_norm(learned_);
      report.updated = std::isfinite(report.loss) && std::isfinite(report.gradient_norm);
      if (report.updated) {
        const double most = options_.clip_gradient_norm;
        if (most > 0 && report.gradient_norm > most) scale_gradients(learned_, most / report.gradient_norm);
        update(options_.optimizer, learned_, learning_rate, ++steps_);
        scale_.clamp();
      }
      clear_gradients(learned_);
      const at::NoGradGuard no_graph;
      const ScoreScale now = scale_.now();
      report.logit_scale = now.scale.item<double>();
      report.logit_bias = now.bias.defined() ? now.bias.item<double>() : 0;
      return report;
    });
  }

  double loss(const TrainingBatch& batch) override {
    return guarded([&] { return loss_.value(batch); });
  }

  std::vector<float> embed(const Side& side) override {
    return guarded([&] {
      const at::NoGradGuard no_graph;
      const at::Tensor rows = towers_.forward(side).to(at::kCPU).contiguous();
      return std::vector<float>(rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
    });
  }

  std::vector<Parameter> weights() override {
    return guarded([&] {
      std::vector<Parameter> result;
      for (const LearnedTensor& tensor : learned_) {
        if (of_checkpoint_.contains(tensor.name)) result.push_back(parameter_of(tensor.name, tensor.value));
      }
      return result;
    });
  }

  std::vector<Parameter> adapter() override {
    return guarded([&] {
      std::vector<Parameter> result;
      for (const LearnedTensor& tensor : learned_) {
        if (of_adapter_.contains(tensor.name)) result.push_back(parameter_of(tensor.name, tensor.value));
      }
      return result;
    });
  }

  Parameter prompt_vectors() override {
    return guarded([&]() -> Parameter {
      const Parameter& vectors = options_.prompt_vectors;
      return vectors ? parameter_of(vectors.name(), weights_.of(vectors)) : Parameter();
    });
  }

  std::int64_t trained_numbers() const override {
    std::int64_t count = 0;
    for (const LearnedTensor& tensor : learned_) count += tensor.value.numel();
    return count;
  }

  EngineState state() override {
    return guarded([&] {
      EngineState state;
      state.steps = steps_;
      for (const LearnedTensor& tensor : learned_) {
        state.tensors.push_back(view_of("weight." + tensor.name, tensor.value));
        state.tensors.push_back(view_of("exp_avg." + tensor.name, tensor.exp_avg));
        state.tensors.push_back(view_of("exp_avg_sq." + tensor.name, tensor.exp_avg_sq));
      }
      return state;
    });
  }

  void restore(const EngineState& state) override {
    std::map<std::string, Parameter> by_name;
    for (const Parameter& tensor : state.tensors) by_name.emplace(tensor.name(), tensor);
    if (by_name.size() != 3 * learned_.size() || by_name.size() != state.tensors.size() || state.steps < 0) {
      throw Error(ErrorCode::model_mismatch, "cannot go on from this state: found " +
                                                 std::to_string(state.tensors.size()) +
                                                 " tensors, expected " + std::to_string(3 * learned_.size()));
    }
    const auto find = [&](const std::string& name, const at::Tensor& like) {
      const auto found = by_name.find(name);
      if (found != by_name.end() && found->second.shape() == Shape(like.sizes().vec())) return found->second;
      throw Error(ErrorCode::model_mismatch,
                  "cannot go on from this state: '" + name + "' " +
                      (found == by_name.end() ? "is not there" : "is " + to_string(found->second.shape())) +
                      ", expected " + to_string(Shape(like.sizes().vec())));
    };
    struct Change {
      at::Tensor to;
      Parameter from;
    };
    std::vector<Change> changes;  // none is made before all are found
    for (const LearnedTensor& tensor : learned_) {
      changes.push_back({tensor.value, find("weight." + tensor.name, tensor.value)});
      changes.push_back({tensor.exp_avg, find("exp_avg." + tensor.name, tensor.value)});
      changes.push_back({tensor.exp_avg_sq, find("exp_avg_sq." + tensor.name, tensor.value)});
    }
    guarded([&] {
      const at::NoGradGuard no_graph;
      for (const Change& change : changes) {
        const at::Tensor values = at::empty(change.to.sizes(), at::kFloat);
        const std::vector<float> read = change.from.read();
        std::copy(read.begin(), read.end(), values.data_ptr<float>());
        change.to.copy_(values);
      }
    });
    steps_ = state.steps;
  }

  void share_state() override {
    if (processes_) guarded([&] { share(*processes_, learned_, steps_); });
  }

  void sum(std::span<double> numbers) override {
    if (processes_) guarded([&] { processes_->sum(numbers); });
  }

 private:
  bool learns(const std::string& name) const { return options_.trainable.has(name); }

  void learn(const EmbeddingModel& model, const std::vector<Parameter>& parameters) {
    for (const std::vector<std::string>* patterns :
         {&options_.trainable.include, &options_.trainable.exclude}) {
      for (const std::string& pattern : *patterns) {
        const bool names_any =
            std::any_of(parameters.begin(), parameters.end(),
                        [&](const Parameter& parameter) { return fits(pattern, parameter.name()); });
        if (!names_any) {
          throw Error(ErrorCode::invalid_argument,
                      "cannot train: no parameter of the checkpoint fits '" + pattern + "'");
        }
      }
    }
    std::set<const void*> own;
    for (const Parameter& parameter : parameters) {
      own.insert(parameter.identity());
      of_checkpoint_.insert(parameter.name());
    }
    const TowerParameters towers = tower_parameters(model);
    for (const Parameter& parameter : towers.all) {
      if (!learns(parameter.name())) continue;
      if (!own.contains(parameter.identity())) {
        throw Error(ErrorCode::unsupported,
                    "cannot train '" + parameter.name() +
                        "': the model computes it of other tensors; exclude it, or its tower, from training");
      }
      learned_.push_back(learned(parameter.name(), weights_.learn(parameter)));
    }
    if (options_.adapter) {
      std::vector<LearnedTensor> added;
      add_adapters(*options_.adapter, towers.linears, options_.seed, weights_, added);
      for (LearnedTensor& tensor : added) {
        of_adapter_.insert(tensor.name);
        learned_.push_back(std::move(tensor));
      }
    }
    if (const Parameter& vectors = options_.prompt_vectors)
      learned_.push_back(learned(vectors.name(), weights_.learn(vectors)));
    std::sort(learned_.begin(), learned_.end(),
              [](const LearnedTensor& a, const LearnedTensor& b) { return a.name < b.name; });
    if (learned_.empty()) throw Error(ErrorCode::invalid_argument, "cannot train: nothing is to be learned");
  }

  EngineOptions options_;
  torch::TorchWeights weights_;
  std::vector<LearnedTensor> learned_;
  std::set<std::string> of_checkpoint_;
  std::set<std::string> of_adapter_;
  Towers towers_;
  LogitScale scale_;
  std::unique_ptr<ProcessGroup> processes_;  // nullptr: one alone
  LossOfBatch loss_;
  std::int64_t steps_ = 0;
};

}  // namespace

std::unique_ptr<TrainingEngine> make_torch_engine(const EmbeddingModel& model,
                                                  const std::vector<Parameter>& parameters,
                                                  const EngineOptions& options) {
  check(options);
  return guarded([&] { return std::make_unique<TorchEngine>(model, parameters, options); });
}

}  // namespace moa::train
