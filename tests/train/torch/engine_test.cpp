// The engine against the reference's gradients and curve (tests/parity/training.py), and against itself.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "embed/loaded_model.hpp"
#include "train/torch/whole_model.hpp"

namespace moa::train {
namespace {

Weights tensors_of(const std::filesystem::path& path) {
  Weights weights;
  const SafetensorsFile file = SafetensorsFile::open(path);
  for (const StoredTensor& stored : file.tensors()) weights.add(file.parameter(stored, stored.name));
  return weights;
}

// Every parameter's gradient of one batch, by name.
std::vector<std::pair<std::string, std::vector<double>>> gradients(const Learner& learner,
                                                                   const LossOptions& options,
                                                                   std::int64_t chunk, double* loss) {
  const WholeModel model(learner, options);
  *loss = LossOfBatch{model.towers, model.scale, model.options}.backward(learner.batch(), chunk);
  return model.gradients();
}

struct Case {
  const char* folder;
  LossKind kind;
};

class Gradients : public testing::TestWithParam<Case> {
 protected:
  Learner learner_{GetParam().folder};
  LossOptions options_{.kind = GetParam().kind};
};

TEST_P(Gradients, EqualTheReferences) {
  const Weights expected = tensors_of(learner_.golden.path / "gradients.safetensors");
  double loss = 0;
  const auto found = gradients(learner_, options_, 0, &loss);
  EXPECT_NEAR(loss, Weights(expected).take("loss", {1}).read().front(), 1e-5);
  double longest = 0;
  for (const auto& [name, values] : found) {
    for (const double value : values) longest = std::max(longest, std::abs(value));
  }
  std::size_t compared = 0;
  for (const auto& [name, values] : found) {
    if (!expected.has(name)) continue;
    ++compared;
    double squares = 0;
    double product = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      squares += values[i] * values[i];
      product += values[i] * std::cos(0.7 * static_cast<double>(i));
    }
    const std::vector<float> reference = Weights(expected).take(name, {2}).read();
    // A key's bias has no influence: what is left of its gradient is rounding, some ulps of the largest.
    const double tolerance = 1e-4 * std::max<double>(reference[0], 4e-3 * longest);
    EXPECT_NEAR(std::sqrt(squares), reference[0], tolerance) << name;
    EXPECT_NEAR(product, reference[1], tolerance) << name;
  }
  // All that the reference has, but the loss itself and what is not looked at.
  EXPECT_GE(compared + 2, expected.parameters().size());
}

TEST_P(Gradients, AreTheSameInChunksOfAnySize) {
  double whole_loss = 0;
  const auto whole = gradients(learner_, options_, 0, &whole_loss);
  for (const std::int64_t chunk : {1, 2}) {
    double loss = 0;
    const auto chunked = gradients(learner_, options_, chunk, &loss);
    EXPECT_NEAR(loss, whole_loss, 1e-6 * std::abs(whole_loss));
    ASSERT_EQ(chunked.size(), whole.size());
    double largest = 0;
    double worst = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
      ASSERT_EQ(chunked[i].second.size(), whole[i].second.size());
      for (std::size_t j = 0; j < whole[i].second.size(); ++j) {
        largest = std::max(largest, std::abs(whole[i].second[j]));
        worst = std::max(worst, std::abs(whole[i].second[j] - chunked[i].second[j]));
      }
    }
    // Convolutions of fewer pictures are summed in another order.
    EXPECT_LT(worst, 5e-6 * largest) << chunk;
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Gradients,
                         testing::Values(Case{"clip/odd_sizes", LossKind::info_nce},
                                         Case{"siglip/odd_sizes", LossKind::sigmoid},
                                         Case{"dual_encoder/vit_bert", LossKind::info_nce},
                                         Case{"align/odd_sizes", LossKind::info_nce},
                                         Case{"clip_resnet/odd_sizes", LossKind::info_nce}),
                         [](const auto& the_case) {
                           const std::string folder = the_case.param.folder;
                           return folder.substr(0, folder.find('/'));
                         });

// More texts than pictures, and chunks of both.
TEST(GradientsOfClasses, AreTheSameInChunksOfAnySize) {
  const Learner learner("clip/odd_sizes");
  TrainingBatch batch = learner.batch();
  const TextBatch three = std::get<TextBatch>(batch.second);
  std::vector<std::vector<std::int32_t>> texts;
  for (const std::int64_t item : {0, 1, 2, 1, 0, 0, 2, 2}) {
    const auto first = three.ids.begin() + three.sequences.begin(item);
    texts.emplace_back(first, first + three.sequences.length(item));
  }
  batch.second = TextBatch::of(texts);
  batch.texts_a_class = 2;
  batch.classes = {3, 0, 1};
  const auto gradients_by = [&](std::int64_t chunk, double* loss) {
    const WholeModel model(learner, {.kind = LossKind::cross_entropy});
    *loss = LossOfBatch{model.towers, model.scale, model.options}.backward(batch, chunk);
    return model.gradients();
  };
  double whole_loss = 0;
  const auto whole = gradients_by(0, &whole_loss);
  EXPECT_GT(whole_loss, 0.5);
  for (const std::int64_t chunk : {1, 3, 5}) {
    double loss = 0;
    const auto chunked = gradients_by(chunk, &loss);
    EXPECT_NEAR(loss, whole_loss, 1e-6);
    ASSERT_EQ(chunked.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (std::size_t j = 0; j < whole[i].second.size(); ++j)
        ASSERT_NEAR(chunked[i].second[j], whole[i].second[j], 2e-5) << whole[i].first;
    }
  }
}

EngineOptions curve_options() {
  EngineOptions options;
  options.clip_gradient_norm = 1;
  return options;
}

TEST(TrainingEngine, FollowsTheReferencesCurve) {
  const Learner learner("clip/odd_sizes");
  const std::vector<float> expected =
      tensors_of(learner.golden.path / "curve.safetensors").take("losses", {50}).read();
  const auto engine = learner.engine(curve_options());
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const StepReport report = engine->step(learner.batch(static_cast<float>(1 + step % 5)), 2e-4);
    EXPECT_NEAR(report.loss, expected[step], 1e-3) << step;
  }
}

TEST(TrainingEngine, StaysNearTheReferencesCurveInBf16) {
  const Learner learner("clip/odd_sizes");
  const std::vector<float> expected =
      tensors_of(learner.golden.path / "curve.safetensors").take("losses", {50}).read();
  EngineOptions options = curve_options();
  options.precision = TrainingPrecision::bf16;
  const auto engine = learner.engine(options);
  double furthest = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const StepReport report = engine->step(learner.batch(static_cast<float>(1 + step % 5)), 2e-4);
    ASSERT_NEAR(report.loss, expected[step], 0.02) << step;
    furthest = std::max(furthest, std::abs(report.loss - static_cast<double>(expected[step])));
  }
  EXPECT_GT(furthest, 1e-5);  // it was not f32
}

TEST(TrainingEngine, GoesOnBitForBitFromItsState) {
  const Learner learner("clip/odd_sizes");
  const auto whole = learner.engine(curve_options());
  const auto first = learner.engine(curve_options());
  for (int step = 0; step < 2; ++step) {
    whole->step(learner.batch(), 1e-3);
    first->step(learner.batch(), 1e-3);
  }
  const auto second = learner.engine(curve_options());
  second->restore(first->state());
  EXPECT_EQ(whole->step(learner.batch(), 1e-3).loss, second->step(learner.batch(), 1e-3).loss);
  const std::vector<Parameter> a = whole->weights();
  const std::vector<Parameter> b = second->weights();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i].read(), b[i].read()) << a[i].name();
}

TEST(TrainingEngine, ItsStateTakesNoMemoryOfItsOwn) {
  const Learner learner("clip/odd_sizes");
  const auto engine = learner.engine(curve_options());
  const EngineState before = engine->state();
  engine->step(learner.batch(), 1e-3);
  const EngineState after = engine->state();
  ASSERT_EQ(before.tensors.size(), after.tensors.size());
  for (std::size_t i = 0; i < before.tensors.size(); ++i) {
    if (before.tensors[i].shape().rank() == 0) continue;
    const float* memory = before.tensors[i].rows_in_place(0, 1);
    EXPECT_NE(memory, nullptr) << before.tensors[i].name();
    EXPECT_EQ(memory, after.tensors[i].rows_in_place(0, 1)) << before.tensors[i].name();
  }
}

TEST(TrainingEngine, RefusesTheStateOfAnother) {
  const Learner learner("clip/odd_sizes");
  EngineOptions some;
  some.trainable.include = {"text_model.*"};
  const EngineState state = learner.engine(some)->state();
  const auto all = learner.engine({});
  MOA_EXPECT_ERROR(all->restore(state), model_mismatch);
  EngineState misshapen = all->state();
  misshapen.tensors.front() = Parameter::from_values(misshapen.tensors.front().name(), {1, 1, 1}, {0});
  MOA_EXPECT_ERROR(all->restore(misshapen), model_mismatch);
}

TEST(TrainingEngine, LearnsWhatIsNamedAndNothingElse) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  options.trainable.include = {"text_model.*", "text_projection.weight"};
  options.trainable.exclude = {"*embedding*"};
  const auto engine = learner.engine(options);
  const std::vector<float> pictures = engine->embed(learner.batch().first);
  engine->step(learner.batch(), 1e-2);
  EXPECT_EQ(engine->embed(learner.batch().first), pictures);
  for (const Parameter& weight : engine->weights()) {
    EXPECT_EQ(weight.name().rfind("text_", 0), 0U) << weight.name();
    EXPECT_EQ(weight.name().find("embedding"), std::string::npos) << weight.name();
  }
}

TEST(TrainingEngine, WeightsKeepTheNamesAndShapesOfTheCheckpoint) {
  const Learner learner("clip/open_clip_tiny");
  const auto engine = learner.engine({});
  engine->step(learner.batch(), 1e-3);
  const std::vector<Parameter> weights = engine->weights();
  EXPECT_GT(weights.size(), 10U);
  for (const Parameter& weight : weights) {
    const auto own = std::find_if(learner.parameters.begin(), learner.parameters.end(),
                                  [&](const Parameter& other) { return other.name() == weight.name(); });
    ASSERT_NE(own, learner.parameters.end()) << weight.name();
    EXPECT_EQ(own->shape(), weight.shape()) << weight.name();
  }
}

TEST(TrainingEngine, ChangesNothingWhenTheLossIsNoNumber) {
  const Learner learner("clip/odd_sizes");
  const auto engine = learner.engine({});
  const std::vector<float> before = engine->weights().front().read();
  const StepReport report = engine->step(learner.batch(std::nanf("")), 1e-3);
  EXPECT_FALSE(report.updated);
  EXPECT_EQ(engine->weights().front().read(), before);
  EXPECT_EQ(engine->state().steps, 0);
}

TEST(TrainingEngine, KeepsTheLogitScaleWithinItsBounds) {
  const Learner learner("clip/odd_sizes");
  const auto engine = learner.engine({});
  StepReport report;
  for (int step = 0; step < 12; ++step) report = engine->step(learner.batch(), 0.5);
  EXPECT_GE(report.logit_scale, 1);
  EXPECT_LE(report.logit_scale, 100.001);
}

TEST(TrainingEngine, LearnsFromVectorsOfOneSide) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  options.trainable.include = {"text*"};
  const auto engine = learner.engine(options);
  TrainingBatch batch = learner.batch();
  const double with_pictures = engine->loss(batch);
  const std::int64_t dim = learner.model->dim();
  batch.first = VectorBatch{engine->embed(batch.first), Learner::kPairs, dim};
  EXPECT_NEAR(engine->loss(batch), with_pictures, 1e-5);
  const double before = engine->step(batch, 1e-3).loss;
  EXPECT_LT(engine->step(batch, 1e-3).loss, before);
}

// The same loss, and the same step, whether a head is given what its trunk gave once or what that is made of.
TEST(TrainingEngine, LearnsHeadsFromWhatTheirTrunksGaveOnce) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  options.trainable.include = {"*_projection.weight"};
  options.optimizer.eps = 1e-2;  // or a gradient that is all rounding moves a weight as far as any other
  const auto whole = learner.engine(options);
  const auto kept = learner.engine(options);
  const TrainingBatch batch = learner.batch();
  const auto model = LoadedModel::load(learner.golden.path.string(), {.dtype = "f32"});
  const auto& pictures = std::get<PictureBatch>(batch.first);
  const auto& texts = std::get<TextBatch>(batch.second);
  std::vector<PreparedImage> images;
  std::vector<PreparedText> captions;
  for (std::size_t i = 0; i < Learner::kPairs; ++i) {
    const auto each = pictures.pixels.size() / Learner::kPairs;
    const auto from = pictures.pixels.begin() + static_cast<std::ptrdiff_t>(i * each);
    images.push_back(
        {{from, from + static_cast<std::ptrdiff_t>(each)}, {}, pictures.height_px, pictures.width_px});
    const auto item = static_cast<std::int64_t>(i);
    const auto first = texts.ids.begin() + texts.sequences.begin(item);
    captions.push_back({{first, first + texts.sequences.length(item)}});
  }
  const auto rows = [](std::vector<float> values, VectorStage stage) {
    const auto width = static_cast<std::int64_t>(values.size() / Learner::kPairs);
    return VectorBatch{std::move(values), Learner::kPairs, width, stage};
  };
  TrainingBatch of_trunks;
  of_trunks.first = rows(model->engine().image_trunks(images), VectorStage::image_trunk);
  of_trunks.second = rows(model->engine().text_trunks(captions), VectorStage::text_trunk);
  for (int step = 0; step < 3; ++step) {
    EXPECT_NEAR(kept->step(of_trunks, 1e-2).loss, whole->step(batch, 1e-2).loss, 1e-5);
  }
  const std::vector<Parameter> learned = whole->weights();
  const std::vector<Parameter> again = kept->weights();
  ASSERT_EQ(learned.size(), 2U);
  for (std::size_t i = 0; i < learned.size(); ++i) {
    const std::vector<float> wanted = learned[i].read();
    const std::vector<float> found = again[i].read();
    for (std::size_t k = 0; k < wanted.size(); ++k)
      ASSERT_NEAR(found[k], wanted[k], 1e-4) << learned[i].name();
  }
}

TEST(TrainingEngine, TakesPicturesAsBytesAndWhatTheyBecome) {
  const Learner learner("clip/odd_sizes");
  const auto engine = learner.engine({});
  PictureBatch pictures = std::get<PictureBatch>(learner.batch().first);
  PictureBatch bytes = pictures;
  bytes.pixels.clear();
  for (int i = 0; i < 3 * 256; ++i) bytes.values.push_back(std::sin(static_cast<float>(i)));
  const auto plane = static_cast<std::size_t>(pictures.height_px * pictures.width_px);
  for (std::size_t i = 0; i < pictures.pixels.size(); ++i) {
    bytes.bytes.push_back(static_cast<std::uint8_t>(i * i % 251));
    pictures.pixels[i] = bytes.values[i / plane % 3 * 256 + bytes.bytes[i]];
  }
  EXPECT_EQ(engine->embed(bytes), engine->embed(pictures));
  bytes.values.pop_back();
  MOA_EXPECT_ERROR(engine->embed(bytes), shape_mismatch);
}

TEST(TrainingEngine, RefusesWhatItCannotDo) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  options.trainable.include = {"no_such_tower.*"};
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
  options = {};
  options.device = "tpu";
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
  options = {};
  options.optimizer.beta1 = 1;
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
  const auto engine = learner.engine({});
  TrainingBatch batch = learner.batch();
  std::get<PictureBatch>(batch.first).pictures = 2;
  MOA_EXPECT_ERROR(engine->step(batch, 1e-3), shape_mismatch);
  batch = learner.batch();
  std::get<TextBatch>(batch.second).ids.front() = 1 << 20;
  MOA_EXPECT_ERROR(engine->step(batch, 1e-3), out_of_range);
}

// The component as a program without libtorch opens it.
TEST(TrainingEngine, ComesThroughTheDoorOfTheComponent) {
  const Learner learner("clip/odd_sizes");
  const auto engine = make_training_engine(*learner.model, learner.parameters, {});
  const auto here = learner.engine({});
  EXPECT_EQ(engine->step(learner.batch(), 1e-3).loss, here->step(learner.batch(), 1e-3).loss);
  TrainingBatch batch = learner.batch();
  std::get<PictureBatch>(batch.first).pictures = 2;
  MOA_EXPECT_ERROR(engine->step(batch, 1e-3), shape_mismatch);
  EngineOptions options;
  options.device = "tpu";
  MOA_EXPECT_ERROR(make_training_engine(*learner.model, learner.parameters, options), invalid_argument);
}

}  // namespace
}  // namespace moa::train
