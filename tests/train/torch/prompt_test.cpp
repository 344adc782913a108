// Prompt vectors against the reference's (tests/parity/prompt_vectors.py), by the interpreter that learns and
// the one that embeds.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/cpu/cpu_backend.hpp"
#include "base/expect_error.hpp"
#include "train/component/gradients.hpp"
#include "train/torch/learner.hpp"

namespace moa::train {
namespace {

constexpr std::size_t kNameTokens = 8;

class Prompt : public ::testing::Test {
 protected:
  Prompt() {
    const SafetensorsFile file = SafetensorsFile::open(learner_.golden.path / "prompt.safetensors");
    for (const StoredTensor& stored : file.tensors()) golden_.add(file.parameter(stored, stored.name));
    options_.trainable = {.include = {}, .exclude = {}};
    options_.prompt_vectors = golden("initial");
    options_.loss.kind = LossKind::cross_entropy;
    options_.optimizer.weight_decay = 0.01;
    batch_ = learner_.batch();
    batch_.texts_a_class = 1;
    batch_.classes = {2, 0, 1};
    batch_.second = TextBatch::of(texts());
  }

  Parameter golden(const std::string& name) const {
    return Weights(golden_).take(name, golden_.shape_of(name));
  }

  // The first texts, cut short, behind their first token the vectors.
  std::vector<std::vector<std::int32_t>> texts() const {
    const TextBatch whole = std::get<TextBatch>(learner_.batch().second);
    std::vector<std::vector<std::int32_t>> all;
    for (std::int64_t item = 0; item < whole.sequences.items(); ++item) {
      const auto first = whole.ids.begin() + whole.sequences.begin(item);
      const auto length = static_cast<std::size_t>(whole.sequences.length(item));
      std::vector<std::int32_t> ids{*first};
      for (std::int32_t i = 0; i < golden("initial").shape()[0]; ++i) ids.push_back(-1 - i);
      for (std::size_t i = 0; i < std::min(kNameTokens, length - 2); ++i)
        ids.push_back(*(first + 1 + static_cast<std::ptrdiff_t>(i)));
      ids.push_back(*(first + static_cast<std::ptrdiff_t>(length) - 1));
      all.push_back(std::move(ids));
    }
    return all;
  }

  static double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    double worst = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
    return worst;
  }

  Learner learner_{"clip/odd_sizes"};
  Weights golden_;
  EngineOptions options_;
  TrainingBatch batch_;
};

TEST_F(Prompt, HasTheReferencesGradient) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  std::vector<LearnedTensor> none;
  const LogitScale scale(
      options_.loss, learner_.parameters, weights, [](const std::string&) { return false; }, none);
  const Towers towers(*learner_.model, weights, Precision::f32, options_.prompt_vectors);
  const at::Tensor vectors = weights.learn(options_.prompt_vectors);
  const double loss = LossOfBatch{towers, scale, options_.loss}.backward(batch_, 0);
  EXPECT_NEAR(loss, golden("losses").read().front(), 1e-5);
  const at::Tensor gradient = vectors.grad().contiguous();
  const std::vector<float> found(gradient.data_ptr<float>(), gradient.data_ptr<float>() + gradient.numel());
  const std::vector<float> expected = golden("gradient").read();
  const float longest = std::ranges::max(expected, {}, [](float value) { return std::abs(value); });
  EXPECT_LT(largest_difference(found, expected), 1e-4 * std::abs(longest));
}

TEST_F(Prompt, FollowsTheReferencesCurveAndNothingElseLearns) {
  const auto engine = learner_.engine(options_);
  EXPECT_EQ(engine->trained_numbers(), options_.prompt_vectors.shape().elements());
  for (const float expected : golden("losses").read())
    EXPECT_NEAR(engine->step(batch_, 0.02).loss, expected, 1e-4);
  EXPECT_TRUE(engine->weights().empty());
  EXPECT_LT(largest_difference(engine->prompt_vectors().read(), golden("vectors").read()), 1e-3);
}

TEST_F(Prompt, GoesOnBitForBitFromItsState) {
  const auto whole = learner_.engine(options_);
  const auto before = learner_.engine(options_);
  for (int step = 0; step < 3; ++step) {
    whole->step(batch_, 0.02);
    before->step(batch_, 0.02);
  }
  const auto after = learner_.engine(options_);
  after->restore(before->state());
  whole->step(batch_, 0.02);
  after->step(batch_, 0.02);
  EXPECT_EQ(whole->prompt_vectors().read(), after->prompt_vectors().read());
}

TEST_F(Prompt, GivesTheSameVectorsWhereItIsLearnedAndWhereItEmbeds) {
  const std::vector<float> expected = golden("classes").read();
  const auto engine = learner_.engine(options_);
  EXPECT_LT(largest_difference(engine->embed(batch_.second), expected), 1e-5);
  CpuBackend backend(CpuOptions{.threads = 1});
  const auto ops = backend.interpreter();
  ops->set_prompt_vectors(options_.prompt_vectors);
  const auto& batch = std::get<TextBatch>(batch_.second);
  const Rows rows = learner_.model->forward_text(*ops, ops->tokens(batch.ids, {}, batch.sequences));
  EXPECT_LT(largest_difference(ops->read(ops->l2_normalize(rows, learner_.model->normalize_eps())), expected),
            1e-5);
}

TEST_F(Prompt, IdsThatNameNoVectorAreRefused) {
  const auto look_up = [&](Interpreter& ops) {
    const std::vector<std::int32_t> ids{-5};
    learner_.model->forward_text(ops, ops.tokens(ids, {}, Sequences(std::vector<std::int64_t>{1})));
  };
  CpuBackend backend(CpuOptions{.threads = 1});
  MOA_EXPECT_ERROR(look_up(*backend.interpreter()), out_of_range);
  const auto narrow = backend.interpreter();
  narrow->set_prompt_vectors(golden("initial"));
  MOA_EXPECT_ERROR(look_up(*narrow), out_of_range);
  narrow->set_prompt_vectors(Parameter::from_values("prompt_vectors", {8, 1}, std::vector<float>(8)));
  MOA_EXPECT_ERROR(look_up(*narrow), shape_mismatch);
}

}  // namespace
}  // namespace moa::train
