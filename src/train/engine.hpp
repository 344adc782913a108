// The door between whoever trains (data, schedules, files; no libtorch) and the component moa-train, which
// holds libtorch: a model's weights, gradients, the loss, the optimiser. Everything that crosses it is plain
// data; no header of torch is needed on this side.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <moa/train.hpp>

#include "base/name_pattern.hpp"
#include "models/embedding_model.hpp"
#include "tensor/parameter.hpp"
#include "tensor/sequences.hpp"
#include "train/adapter.hpp"
#include "train/loss.hpp"

namespace moa::train {

// ---- what is learned

// Names are those of the checkpoint; `*` in a pattern stands for any characters, also none.
struct TrainableNames {
  std::vector<std::string> include{"*"};
  std::vector<std::string> exclude;

  bool has(std::string_view name) const { return fits_any(include, name) && !fits_any(exclude, name); }
};

// Loshchilov and Hutter 2017 (arXiv 1711.05101), decoupled. Parameters of one axis or none (biases, norms,
// the logit scale) do not decay, as in open_clip.
struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.98;
  double eps = 1e-6;
  double weight_decay = 0.2;
};

enum class TrainingPrecision {
  f32,
  bf16,  // products of bf16 numbers; weights, sums, norms, losses and the optimiser's state stay f32
};

struct EngineOptions {
  // Of a batch norm weight and bias are learned. Its statistics stay as the checkpoint has them, and it
  // computes with those, as for embedding.
  TrainableNames trainable{};
  // With one, the adapter is learned and `trainable` names what is learned beside it: to learn the adapter
  // alone, include nothing.
  std::optional<AdapterOptions> adapter{};
  // What ids below 0 are (Interpreter::set_prompt_vectors); with it they are learned, as with an adapter.
  // None: there are no such ids.
  Parameter prompt_vectors{};
  LossOptions loss{};
  AdamWOptions optimizer{};
  // The gradient of all parameters together is scaled down to this length; 0: never.
  double clip_gradient_norm = 0;
  // Items of a side that are forwarded with their activations kept; 0: the whole batch. The loss and its
  // gradient are those of the whole batch all the same (GradCache: Gao et al. 2021, arXiv 2101.06983), at the
  // cost of a second forward pass.
  std::int64_t chunk_items = 0;
  TrainingPrecision precision = TrainingPrecision::f32;
  std::string device = "cpu";  // or "cuda", "cuda:1"
  int threads = 0;             // 0: as many as there are cores
  std::uint64_t seed = 0;      // of what an adapter starts from
  // With several, each gives step() its share of a batch, all do every step together, and what they learn is
  // what one process learns from the whole batch: the loss sees the vectors of all.
  TrainProcesses processes{};
};

// ---- what it is learned from

// As the model's processor makes them: [pictures, channels, height_px, width_px]. In `bytes` and `values`
// they take a quarter of the memory of `pixels`, which is empty then.
struct PictureBatch {
  std::vector<float> pixels;
  std::int64_t pictures = 0;
  std::int64_t channels = 3;
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::vector<std::uint8_t> bytes = {};
  std::vector<float> values = {};  // what each byte of each channel becomes: [channels, 256]
};

// As the model's tokenizer makes them: the ids of all texts, back to back.
struct TextBatch {
  std::vector<std::int32_t> ids;
  Sequences sequences;

  static TextBatch of(std::span<const std::vector<std::int32_t>> texts);
};

// vector: normalised again. Of a trunk: the tower's head (EmbeddingModel) makes the vector of it.
enum class VectorStage { vector, text_trunk, image_trunk };

// What a frozen tower gave once (LiT's pictures), or a trunk in front of a head that learns, or a teacher's
// vectors: [items, dim].
struct VectorBatch {
  std::vector<float> values;
  std::int64_t items = 0;
  std::int64_t dim = 0;
  VectorStage stage = VectorStage::vector;
};

using Side = std::variant<PictureBatch, TextBatch, VectorBatch>;
std::int64_t items_of(const Side& side);

// Item i of one side belongs to item i of the other. By custom pictures come first; two sides of texts
// (questions and answers, a sentence and its translation) are as good.
struct TrainingBatch {
  Side first;
  Side second;
  // One number an item, or none. Items of one group belong together beside their own partner: several
  // captions of one picture, several pictures of one thing. What a loss makes of them: loss.hpp.
  std::vector<std::int64_t> groups;
  // Vectors of a teacher for the same items, either empty: what LossOptions::distillation compares with.
  VectorBatch teacher_first;
  VectorBatch teacher_second;
  // Of pictures with a class each (LossKind::cross_entropy): `second` has the texts of all classes, as many
  // each, those of the first class first, and `classes` the class of each item of `first`. 0: none of that.
  // Of several processes each brings the texts of some classes, in the order of their ranks.
  std::int64_t texts_a_class = 0;
  std::vector<std::int64_t> classes = {};
  // Hard negatives: further wrong answers to every item of `first`. Any number of them, also none.
  Side negatives = {};
  // A number for each text, which only equal texts share, or none: a negative with the key of an item's
  // partner, or of a partner in its group, is no wrong answer to that item.
  std::vector<std::int64_t> second_keys = {};
  std::vector<std::int64_t> negative_keys = {};
};

// ---- what comes of it

struct StepReport {
  double loss = 0;
  double gradient_norm = 0;  // before it was clipped
  double logit_scale = 0;    // what cosines are multiplied with, after the step
  double logit_bias = 0;
  // False if the loss or a gradient is not a number: then nothing was changed, and the step does not count.
  bool updated = true;
};

// Everything that a later engine of the same options needs to go on bit for bit, on the same machine.
struct EngineState {
  std::int64_t steps = 0;
  std::vector<Parameter> tensors;  // f32: "weight.<name>", "exp_avg.<name>", "exp_avg_sq.<name>"
};

// A model that learns. One thread at a time. Every function throws moa::Error only:
//   shape_mismatch   sides of different numbers of items, pixels or ids that do not fit their sizes
//   out_of_range     an id outside the vocabulary
//   invalid_argument a loss without what it needs (a teacher, groups), or with negatives it has no place for
//   limit_exceeded   no memory
//   io_error         another process of this training is lost
class TrainingEngine {
 public:
  virtual ~TrainingEngine() = default;

  // One step: forward, loss, backward, clip, AdamW at `learning_rate`, then the logit scale is brought back
  // to [0, ln 100].
  virtual StepReport step(const TrainingBatch& batch, double learning_rate) = 0;
  // The loss of a batch; nothing is learned.
  virtual double loss(const TrainingBatch& batch) = 0;
  // Rows [items, dim] on the unit sphere, by the weights as they are.
  virtual std::vector<float> embed(const Side& side) = 0;

  // What has been learned, f32, by the checkpoint's own names and shapes: every parameter that
  // `EngineOptions::trainable` names. With an adapter, without what it adds.
  virtual std::vector<Parameter> weights() = 0;
  // The adapter's tensors, named as its file has them (adapter.hpp); empty without one.
  virtual std::vector<Parameter> adapter() = 0;
  // The prompt vectors; none without.
  virtual Parameter prompt_vectors() { return {}; }
  // How many numbers are learned.
  virtual std::int64_t trained_numbers() const = 0;

  // On a processor its tensors are the engine's own memory, not copies, for they may be most of what there
  // is: to be read before the next step.
  virtual EngineState state() = 0;
  // Error: model_mismatch, naming what is missing, left over or of another shape; nothing is changed then.
  virtual void restore(const EngineState& state) = 0;

  // ---- of several processes: all call these together. Of one process alone they do nothing. Error: io_error
  // if another process is lost.

  // Gives all of them the state of process 0. Error: model_mismatch if they do not learn the same.
  virtual void share_state() {}
  // Adds up what the processes have; every one brings as many numbers.
  virtual void sum([[maybe_unused]] std::span<double> numbers) {}
};

// An engine for `model`, which must outlive it. `parameters` are all tensors of its checkpoint
// (stored_tensors()). Errors: unsupported (the component is not built or installed: the message says
// what to install; a parameter named by `trainable` that the model computes of others; no such device),
// invalid_argument (a pattern that names nothing; options outside their range).
std::unique_ptr<TrainingEngine> make_training_engine(const EmbeddingModel& model,
                                                     const std::vector<Parameter>& parameters,
                                                     const EngineOptions& options);

// ---- for the component

inline constexpr const char* kTrainComponent = "moa-train";
inline constexpr const char* kMakeEngineFunction = "moa_train_make_engine";
// 0, or an ErrorCode plus 1 with its message.
using MakeEngineFunction = int(const EmbeddingModel* model, const std::vector<Parameter>* parameters,
                               const EngineOptions* options, std::unique_ptr<TrainingEngine>* engine,
                               std::string* message);

}  // namespace moa::train
