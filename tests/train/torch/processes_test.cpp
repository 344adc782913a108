// Several processes, each with its share of a batch, against one with all of it. Threads stand for the
// processes: each has an engine and a process group of its own, and they meet over the loopback.
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "train/torch/whole_model.hpp"

namespace moa::train {
namespace {

constexpr auto kItems = static_cast<std::int64_t>(Learner::kPairs);

// Does work(processes) for each rank, at once. What the first that fails throws is thrown.
void together(int count, const std::function<void(const TrainProcesses&)>& work) {
  const testing::TemporaryDirectory folder;
  const std::string meeting = "file://" + (folder.path() / "meeting").string();
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      at::set_num_threads(1);
      try {
        work({rank, count, meeting});
      } catch (...) {
        failures[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

template <typename T>
void keep(std::vector<T>& values, std::int64_t items, std::int64_t begin, std::int64_t end) {
  const auto each = static_cast<std::int64_t>(values.size()) / items;
  values = std::vector<T>(values.begin() + begin * each, values.begin() + end * each);
}

VectorBatch share_of(VectorBatch vectors, std::int64_t begin, std::int64_t end) {
  if (vectors.items == 0) return vectors;
  keep(vectors.values, vectors.items, begin, end);
  vectors.items = end - begin;
  return vectors;
}

TextBatch share_of(const TextBatch& texts, std::int64_t begin, std::int64_t end) {
  std::vector<std::vector<std::int32_t>> ids;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto first = texts.ids.begin() + texts.sequences.begin(i);
    ids.emplace_back(first, first + texts.sequences.length(i));
  }
  return TextBatch::of(ids);
}

// What rank `rank` gets: the items are not divided evenly where they cannot be, and of negatives the first
// has none and the last most.
TrainingBatch share_of(TrainingBatch batch, int rank, int count) {
  const std::int64_t begin = kItems * rank / count;
  const std::int64_t end = kItems * (rank + 1) / count;
  auto& pictures = std::get<PictureBatch>(batch.first);
  keep(pictures.pixels, kItems, begin, end);
  pictures.pictures = end - begin;
  batch.second = share_of(std::get<TextBatch>(batch.second), begin, end);
  if (const std::int64_t negatives = items_of(batch.negatives); negatives > 0) {
    const auto up_to = [&](int number) { return negatives * number * number / (count * count); };
    batch.negatives = share_of(std::get<TextBatch>(batch.negatives), up_to(rank), up_to(rank + 1));
    if (!batch.negative_keys.empty()) keep(batch.negative_keys, negatives, up_to(rank), up_to(rank + 1));
    if (!batch.second_keys.empty()) keep(batch.second_keys, kItems, begin, end);
  }
  if (!batch.groups.empty()) keep(batch.groups, kItems, begin, end);
  if (!batch.classes.empty()) keep(batch.classes, kItems, begin, end);
  batch.teacher_first = share_of(batch.teacher_first, begin, end);
  batch.teacher_second = share_of(batch.teacher_second, begin, end);
  return batch;
}

using Gradients = std::vector<std::pair<std::string, std::vector<double>>>;

// The largest difference, by the largest number of `expected`.
double difference(const Gradients& found, const Gradients& expected) {
  if (found.size() != expected.size()) return HUGE_VAL;
  double largest = 0;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i].first, expected[i].first);
    for (std::size_t j = 0; j < expected[i].second.size(); ++j) {
      largest = std::max(largest, std::abs(expected[i].second[j]));
      worst = std::max(worst, std::abs(found[i].second[j] - expected[i].second[j]));
    }
  }
  return worst / largest;
}

struct Case {
  std::string name;
  std::string folder;
  LossOptions options;
  std::vector<std::int64_t> groups = {};
  bool has_teacher = false;
  std::vector<std::int64_t> classes = {};
  bool has_negatives = false;
};

std::vector<Case> cases() {
  const auto contrast = [](LossKind kind) { return LossOptions{.kind = kind, .margin = 0.5}; };
  std::vector<Case> all = {
      {"info_nce", "clip/odd_sizes", contrast(LossKind::info_nce)},
      {"info_nce_of_groups", "clip/odd_sizes", contrast(LossKind::info_nce), {4, 7, 4}},
      {"sigmoid", "siglip/odd_sizes", contrast(LossKind::sigmoid)},
      {"triplet", "clip/odd_sizes", contrast(LossKind::triplet)},
      {"triplet_semi_hard", "clip/odd_sizes", contrast(LossKind::triplet_semi_hard)},
      {"hinge_sum", "clip/odd_sizes", contrast(LossKind::hinge_sum)},
      {"hinge_max", "clip/odd_sizes", contrast(LossKind::hinge_max)},
      {"sup_con", "clip/odd_sizes", contrast(LossKind::sup_con), {1, 0, 1}},
  };
  all.push_back({"cross_entropy", "clip/odd_sizes", contrast(LossKind::cross_entropy), {}, false, {2, 0, 2}});
  Case taught{"distillation_of_prefixes", "clip/odd_sizes", contrast(LossKind::info_nce), {}, true};
  taught.options.distillation = {.cosine = 1, .squared = 0.5, .distribution = 0.3, .teacher_scale = 20};
  taught.options.prefix_dims = {4, 8};
  all.push_back(taught);
  taught.name += "_and_negatives";
  taught.has_negatives = true;
  all.push_back(std::move(taught));
  for (std::size_t i : {0, 2, 3, 4, 5, 6}) {
    all.push_back(all[i]);
    all.back().name += "_and_negatives";
    all.back().groups = {4, 7, 4};
    all.back().has_negatives = true;
  }
  return all;
}

class SeveralProcesses : public ::testing::TestWithParam<Case> {
 protected:
  SeveralProcesses() {
    if (GetParam().has_negatives) {
      batch_ = learner_.batch_with_negatives();
      batch_.second_keys = {1, 2, 3};
      batch_.negative_keys = {3, 9, 8, 2};  // the last two of an item each, and of one in a group
    }
    batch_.groups = GetParam().groups;
    batch_.classes = GetParam().classes;
    batch_.texts_a_class = batch_.classes.empty() ? 0 : 1;
    if (!GetParam().has_teacher) return;
    for (VectorBatch* teacher : {&batch_.teacher_first, &batch_.teacher_second}) {
      *teacher = {std::vector<float>(static_cast<std::size_t>(kItems * 8)), kItems, 8};
      for (std::size_t i = 0; i < teacher->values.size(); ++i)
        teacher->values[i] = std::cos(static_cast<float>(i * i) + (teacher == &batch_.teacher_first ? 0 : 1));
    }
  }
  Learner learner_{GetParam().folder};
  TrainingBatch batch_{learner_.batch()};
};

TEST_P(SeveralProcesses, HaveLossAndGradientsOfTheWholeBatch) {
  const WholeModel alone(learner_, GetParam().options);
  const double loss = LossOfBatch{alone.towers, alone.scale, alone.options}.backward(batch_, 0);
  const Gradients expected = alone.gradients();
  struct Way {
    int count;
    std::int64_t chunk;
  };
  for (const Way way : {Way{2, 1}, Way{3, 0}, Way{4, 0}}) {  // of four one has nothing to do
    together(way.count, [&](const TrainProcesses& processes) {
      WholeModel model(learner_, GetParam().options);
      const ProcessGroup group(processes, at::kCPU);
      const LossOfBatch share{model.towers, model.scale, model.options, &group};
      const TrainingBatch batch = share_of(batch_, processes.rank, way.count);
      EXPECT_NEAR(share.backward(batch, way.chunk), loss, 1e-6 * loss);
      sum_gradients(group, model.all);
      // As chunks of one process: sums in another order.
      EXPECT_LT(difference(model.gradients(), expected), 2e-6) << way.count;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, SeveralProcesses, ::testing::ValuesIn(cases()),
                         [](const auto& the_case) { return the_case.param.name; });

// What would be wrong: the rows of this process against the vectors of all, as if the others' were constants.
TEST(SeveralProcesses, WouldDifferIfGradientsEndedAtOnesOwnRows) {
  const Learner learner("clip/odd_sizes");
  const WholeModel alone(learner, {});
  const double loss = LossOfBatch{alone.towers, alone.scale, alone.options}.backward(learner.batch(), 0);
  together(3, [&](const TrainProcesses& processes) {
    WholeModel model(learner, {});
    const ProcessGroup group(processes, at::kCPU);
    const TrainingBatch share = share_of(learner.batch(), processes.rank, processes.count);
    const at::Tensor first = model.towers.forward(share.first);
    const at::Tensor second = model.towers.forward(share.second);
    const at::Tensor scale = model.scale.now().scale;
    const auto one_way = [&](const at::Tensor& rows, const at::Tensor& columns) {
      return -(scale * at::matmul(rows, columns.t())).log_softmax(1).select(1, processes.rank).mean();
    };
    const at::Tensor all_first = group.gather(first);
    const at::Tensor all_second = group.gather(second);
    const at::Tensor own =
        (one_way(first, all_second.detach()) + one_way(second, all_first.detach())) / (2.0 * processes.count);
    own.backward();
    at::Tensor sum = own.detach().clone();
    group.sum(sum);
    EXPECT_NEAR(sum.item<double>(), loss, 1e-6 * loss);  // the loss does not tell
    sum_gradients(group, model.all);
    EXPECT_GT(difference(model.gradients(), alone.gradients()), 1e-2);
  });
}

EngineOptions engine_options() {
  EngineOptions options;
  options.clip_gradient_norm = 0.5;
  return options;
}

constexpr double kRate = 1e-4;

Gradients weights_after_three_steps(TrainingEngine& engine,
                                    const std::function<TrainingBatch(float)>& batch_of,
                                    const std::function<void(const StepReport&)>& look) {
  for (const float contrast : {1.0F, 2.0F, 3.0F}) look(engine.step(batch_of(contrast), kRate));
  Gradients found;
  for (const Parameter& weight : engine.weights()) {
    const std::vector<float> values = weight.read();
    found.emplace_back(weight.name(), std::vector<double>(values.begin(), values.end()));
  }
  return found;
}

TEST(ProcessesOfAnEngine, LearnWhatOneLearnsFromTheWholeBatch) {
  for (const char* folder : {"clip/odd_sizes", "siglip/odd_sizes"}) {
    const Learner learner(folder);
    EngineOptions options = engine_options();
    if (std::string(folder) == "siglip/odd_sizes") options.loss.kind = LossKind::sigmoid;
    std::vector<StepReport> expected;
    const auto alone = learner.engine(options);
    const Gradients weights = weights_after_three_steps(
        *alone, [&](float contrast) { return learner.batch(contrast); },
        [&](const StepReport& report) { expected.push_back(report); });
    EXPECT_GT(expected.front().gradient_norm, options.clip_gradient_norm);
    for (const int count : {2, 3}) {
      together(count, [&](const TrainProcesses& processes) {
        EngineOptions of_this = options;
        of_this.processes = processes;
        of_this.chunk_items = 1;
        const auto engine = learner.engine(of_this);
        std::size_t step = 0;
        const Gradients found = weights_after_three_steps(
            *engine, [&](float contrast) { return share_of(learner.batch(contrast), processes.rank, count); },
            [&](const StepReport& report) {
              EXPECT_NEAR(report.loss, expected[step].loss, 1e-6 * expected[step].loss);
              EXPECT_NEAR(report.gradient_norm, expected[step].gradient_norm,
                          1e-5 * expected[step].gradient_norm);
              EXPECT_NEAR(report.logit_scale, expected[step].logit_scale, 1e-5);
              EXPECT_NEAR(report.logit_bias, expected[step].logit_bias, 1e-5);
              ++step;
            });
        for (std::size_t i = 0; i < weights.size(); ++i) {
          for (std::size_t j = 0; j < weights[i].second.size(); ++j)
            ASSERT_NEAR(found[i].second[j], weights[i].second[j], 1e-6) << weights[i].first;
        }
      });
    }
  }
}

TEST(ProcessesOfAnEngine, GoOnFromTheStateOfTheFirst) {
  const Learner learner("clip/odd_sizes");
  const auto before = learner.engine(engine_options());
  before->step(learner.batch(), 1e-2);
  const EngineState state = before->state();
  const double expected = before->loss(learner.batch());
  together(2, [&](const TrainProcesses& processes) {
    EngineOptions options = engine_options();
    options.processes = processes;
    const auto engine = learner.engine(options);
    if (processes.rank == 0) engine->restore(state);
    engine->share_state();
    EXPECT_EQ(engine->state().steps, 1);
    EXPECT_NEAR(engine->step(share_of(learner.batch(), processes.rank, 2), 1e-2).loss, expected, 1e-6);
  });
}

TEST(ProcessesOfAnEngine, AreNotEndedByASocketWhoseOtherEndIsGone) {
  ::signal(SIGPIPE, SIG_DFL);
  const Learner learner("clip/odd_sizes");
  together(2, [&](const TrainProcesses& processes) {
    EngineOptions options;
    options.processes = processes;
    learner.engine(options);
  });
  EXPECT_EQ(::raise(SIGPIPE), 0);  // what writing there does
}

TEST(ProcessesOfAnEngine, NoticeThatAnotherIsLost) {
  const Learner learner("clip/odd_sizes");
  MOA_EXPECT_ERROR(together(3,
                            [&](const TrainProcesses& processes) {
                              EngineOptions options;
                              options.processes = processes;
                              const auto engine = learner.engine(options);
                              if (processes.rank == 2) return;
                              engine->step(share_of(learner.batch(), processes.rank, 3), kRate);
                            }),
                   io_error);
}

TEST(ProcessesOfAnEngine, RefuseToLearnDifferentThings) {
  const Learner learner("clip/odd_sizes");
  MOA_EXPECT_ERROR(together(2,
                            [&](const TrainProcesses& processes) {
                              EngineOptions options;
                              options.processes = processes;
                              if (processes.rank == 1) options.trainable.include = {"text_model.*"};
                              learner.engine(options)->share_state();
                            }),
                   model_mismatch);
}

TEST(ProcessesOfAnEngine, RefuseAPlaceWhereNobodyCanMeet) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  for (const char* place : {"", "tcp://", "tcp://host", "tcp://host:0", "tcp://:29500", "udp://host:1"}) {
    options.processes = {0, 2, place};
    MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
  }
  options.processes = {2, 2, "file:///tmp/none"};
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
}

}  // namespace
}  // namespace moa::train
