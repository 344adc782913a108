#include "train/train_config.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

class Settings : public ::testing::Test {
 protected:
  TrainConfig read(const std::string& more) {
    return read_train_config(folder_.write("t.yaml", "output: out\ndata: {train: pairs.csv}\n" + more));
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(Settings, HaveDefaultsAndPathsBesideTheFile) {
  const TrainConfig config = read("schedule: {steps: 10}\n");
  EXPECT_EQ(config.output, folder_.path() / "out");
  EXPECT_EQ(config.data, (std::vector<std::string>{(folder_.path() / "pairs.csv").string()}));
  EXPECT_EQ(config.model, "moa-mini");
  EXPECT_EQ(config.steps, 10);
  EXPECT_TRUE(config.stops_at_nan);
  EXPECT_EQ(config.engine.loss.kind, LossKind::info_nce);
}

TEST_F(Settings, SayEverythingInTheirOwnWords) {
  const TrainConfig config = read(
      "model: x\nseed: 5\nlearn: [text]\nfreeze: [\"*.bias\"]\nbatch: 8\nchunk: 4\nprecision: bf16\n"
      "augmentation: {scale: [0.5, 1], flip: 0.5, hue: 0.1}\n"
      "loss: {kind: sigmoid, initial_logit_bias: -5, prefix_dims: [64, 128]}\n"
      "optimizer: {learning_rate: 0.01, weight_decay: 0.1, clip_gradient_norm: 1}\n"
      "schedule: {epochs: 2.5, warmup_steps: 3}\nnot_a_number: skip\n"
      "validation: {table: val.tsv, every: 5}\ncheckpoint: {every: 7, keep: 3}\nlog_every: 1\n");
  EXPECT_EQ(config.engine.loss.kind, LossKind::sigmoid);
  EXPECT_EQ(config.engine.loss.prefix_dims, (std::vector<std::int64_t>{64, 128}));
  EXPECT_EQ(config.engine.precision, TrainingPrecision::bf16);
  EXPECT_EQ(config.engine.chunk_items, 4);
  EXPECT_EQ(config.learn, (std::vector<std::string>{"text"}));
  EXPECT_DOUBLE_EQ(config.augmentation.least_scale, 0.5);
  EXPECT_DOUBLE_EQ(config.epochs, 2.5);
  EXPECT_EQ(config.validation, folder_.path() / "val.tsv");
  EXPECT_EQ(config.keep_checkpoints, 3u);
  EXPECT_FALSE(config.stops_at_nan);
}

TEST_F(Settings, RefuseWhatCannotBe) {
  for (const char* more : {
           "",
           "schedule: {steps: 1, epochs: 1}",
           "schedule: {steps: 0}",
           "schedule: {steps: 1}\nbatch: 0",
           "schedule: {steps: 1}\nbatchsize: 4",
           "schedule: {steps: 1}\nloss: {kind: mse}",
           "schedule: {steps: 1}\naugmentation: {scale: [1, 0.5]}",
           "schedule: {steps: 1}\nprecision: f16",
           "schedule: {steps: 1}\naugmentation: {scale: [0.5]}",
           "schedule: {steps: 1}\nloss: {prefix_dims: [1.5]}",
           "schedule: {steps: 1, least_learning_rate: 1}\noptimizer: {learning_rate: 0.1}",
       }) {
    MOA_EXPECT_ERROR(read(more), invalid_argument);
  }
  MOA_EXPECT_ERROR(read_train_config(folder_.write("n.yaml", "output: x\nschedule: {steps: 1}\n")),
                   invalid_argument);
  MOA_EXPECT_ERROR(read_train_config(folder_.write("n.yaml", "data: {train: a.csv}\nschedule: {steps: 1}\n")),
                   invalid_argument);
  MOA_EXPECT_ERROR(read_train_config(folder_.path() / "none.yaml"), not_found);
}

TEST(LearningRate, RisesInALineAndFallsAlongACosine) {
  TrainConfig config;
  config.learning_rate = 1;
  config.least_learning_rate = 0.1;
  config.warmup_steps = 4;
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 0, 14), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 3, 14), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 4, 14), 1);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 9, 14), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 14, 14), 0.1);
}

}  // namespace
}  // namespace moa::train
