#include "train/train_config.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

class Settings : public ::testing::Test {
 protected:
  TrainConfig read(const std::string& more) { return read_data("{train: pairs.csv}", more); }
  TrainConfig read_data(const std::string& data, const std::string& more = "schedule: {steps: 1}") {
    return read_train_config(folder_.write("t.yaml", "output: out\ndata: " + data + "\n" + more));
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(Settings, HaveDefaultsAndPathsBesideTheFile) {
  const TrainConfig config = read("schedule: {steps: 10}\n");
  EXPECT_EQ(config.output, folder_.path() / "out");
  ASSERT_EQ(config.sources.size(), 1u);
  EXPECT_EQ(config.sources[0].places, (std::vector<std::string>{(folder_.path() / "pairs.csv").string()}));
  EXPECT_EQ(config.sources[0].kind, DataSource::Kind::pictures);
  EXPECT_EQ(config.model, "moa-mini");
  EXPECT_EQ(config.steps, 10);
  EXPECT_EQ(config.epochs, 0);
  EXPECT_EQ(read("").epochs, 3);
  EXPECT_EQ(read("schedule: {warmup_steps: 2}\n").epochs, 3);
  EXPECT_EQ(read("").steps, 0);
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

TEST_F(Settings, NameModelsFromTheirOwnFolderOn) {
  std::filesystem::create_directory(folder_.path() / "clip");
  const auto model_of = [&](const std::string& name) {
    return std::filesystem::path(read("schedule: {steps: 1}\nmodel: " + name + "\n").model);
  };
  EXPECT_EQ(model_of("clip"), folder_.path() / "clip");
  EXPECT_EQ(model_of("./none"), folder_.path() / "./none");
  EXPECT_EQ(model_of("org/name"), "org/name");
  EXPECT_EQ(read("schedule: {steps: 1}\ndistillation: {teacher: clip}\n").teacher,
            (folder_.path() / "clip").string());
}

TEST_F(Settings, MayNameSeveralSourcesOfTwoKinds) {
  const TrainConfig config = read_data(
      "{bad_pairs: stop, sources: [{train: [a.tar, b.tar], shuffle: 5}, "
      "{train: w.tsv, kind: texts, first_column: ko, second_column: en, quotes: false, share: 3}]}");
  EXPECT_TRUE(config.stops_at_bad_pairs);
  ASSERT_EQ(config.sources.size(), 2u);
  EXPECT_EQ(config.sources[0].kind, DataSource::Kind::pictures);
  EXPECT_EQ(config.sources[0].places.size(), 2u);
  EXPECT_EQ(config.sources[0].shuffle, 5u);
  EXPECT_EQ(config.sources[0].share, 1);
  const DataSource& texts = config.sources[1];
  EXPECT_EQ(texts.kind, DataSource::Kind::texts);
  EXPECT_EQ(texts.places, (std::vector<std::string>{(folder_.path() / "w.tsv").string()}));
  EXPECT_EQ(texts.texts.first_column, "ko");
  EXPECT_EQ(texts.texts.second_column, "en");
  EXPECT_FALSE(texts.texts.reading.has_quotes);
  EXPECT_EQ(texts.share, 3);
  EXPECT_EQ(read_data("{train: w.tsv, kind: texts}").sources[0].kind, DataSource::Kind::texts);
}

TEST_F(Settings, RefuseSourcesThatCannotBe) {
  for (const char* data : {
           "{sources: []}",
           "{sources: pairs.csv}",
           "{sources: [pairs.csv]}",
           "{sources: [{train: a.csv}], train: b.csv}",
           "{sources: [{kind: texts}]}",
           "{sources: [{train: a.csv, kind: sounds}]}",
           "{sources: [{train: a.csv, share: 0}]}",
           "{sources: [{train: a.csv, first_column: x}]}",
           "{sources: [{train: a.csv, kind: texts, image_column: x}]}",
           "{sources: [{train: a.csv, workers: 3}]}",
           "{train: a.csv, share: 2}",
       }) {
    MOA_EXPECT_ERROR(read_data(data), invalid_argument);
  }
  for (const char* schedule : {"", "schedule: {epochs: 2}"}) {
    MOA_EXPECT_ERROR(read_data("{sources: [{train: a.csv}, {train: b.csv}]}", schedule), invalid_argument);
  }
  try {
    read_data("\n  sources:\n  - train: a.csv\n  - train: b.tsv\n    kinds: texts\n");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("line 6: 'data.sources[1].kinds'"), std::string::npos)
        << error.what();
  }
}

TEST_F(Settings, MayNameAColumnOfNegatives) {
  const std::string steps = "schedule: {steps: 1}\n";
  const DataSource pictures = read_data("{train: a.csv, negative_column: no}").sources.front();
  EXPECT_EQ(pictures.negative_column, "no");
  EXPECT_EQ(pictures.table.columns.caption, "");
  const std::string texts = "{train: a.csv, kind: texts, negative_column: no}";
  EXPECT_EQ(read_data(texts).sources.front().texts.negative_column, "no");
  EXPECT_FALSE(have_negatives(read(steps).sources));
  // What has no place for them refuses them by name.
  const auto expect_refused = [&](const std::string& data, const std::string& more) {
    try {
      read_data(data, steps + more);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      EXPECT_NE(std::string(error.what()).find("negative_column"), std::string::npos) << error.what();
    }
  };
  for (const char* more : {"loss: {kind: sup_con}", "loss: {weight: 0}\ndistillation: {teacher: x}"}) {
    read(steps + more);
    expect_refused("{train: a.csv, negative_column: no}", more);
    expect_refused(texts, more);
  }
  expect_refused("{train: set, kind: classes, negative_column: no}", "");
}

TEST_F(Settings, MayNameClassesToLearn) {
  const std::string steps = "schedule: {steps: 1}\n";
  const TrainConfig config =
      read_data("{train: set, kind: classes, classnames: names.tsv, templates: [\"a {}\"], label_column: l}",
                steps + "validation: {folder: held}\n");
  const DataSource& source = config.sources.front();
  EXPECT_EQ(source.kind, DataSource::Kind::classes);
  EXPECT_EQ(source.classes.names, folder_.path() / "names.tsv");
  EXPECT_EQ(source.classes.templates, (std::vector<std::string>{"a {}"}));
  EXPECT_EQ(source.table.columns.label, "l");
  EXPECT_EQ(config.engine.loss.kind, LossKind::cross_entropy);
  EXPECT_EQ(config.validation, folder_.path() / "held");
  EXPECT_EQ(config.validation_table.columns.label, "l");
  const std::string classes = "{train: set, kind: classes}";
  EXPECT_EQ(read_data(classes, steps + "loss: {label_smoothing: 0.1}").engine.loss.kind,
            LossKind::cross_entropy);
  for (const char* more :
       {"loss: {kind: info_nce}", "distillation: {teacher: x}", "validation: {folder: a, table: b.csv}"}) {
    MOA_EXPECT_ERROR(read_data(classes, steps + more), invalid_argument);
  }
  MOA_EXPECT_ERROR(read_data("{train: set, kind: classes, caption_column: c}", steps), invalid_argument);
  MOA_EXPECT_ERROR(read_data("{sources: [{train: a, kind: classes}, {train: b.csv}]}", steps),
                   invalid_argument);
  MOA_EXPECT_ERROR(read(steps + "loss: {kind: cross_entropy}"), invalid_argument);
  MOA_EXPECT_ERROR(read(steps + "validation: {folder: a}"), invalid_argument);
}

TEST_F(Settings, MayNameATeacherAndWhatIsKept) {
  const std::string steps = "schedule: {steps: 1}\n";
  const TrainConfig plain = read(steps);
  EXPECT_TRUE(plain.teacher.empty());
  EXPECT_EQ(plain.engine.loss.distillation.squared, 0);
  EXPECT_FALSE(plain.writes_tensorboard);
  const TrainConfig squared = read(steps + "distillation: {teacher: x, weight: 2}\nloss: {weight: 0}\n");
  EXPECT_EQ(squared.teacher, "x");
  EXPECT_EQ(squared.engine.loss.distillation.squared, 2);
  EXPECT_EQ(squared.engine.loss.weight, 0);
  const TrainConfig scores =
      read(steps +
           "distillation: {teacher: x, kind: distribution, teacher_scale: 50}\ntensorboard: true\n"
           "keep_vectors: {megabytes: 3, file: true}\n");
  EXPECT_EQ(scores.engine.loss.distillation.distribution, 1);
  EXPECT_EQ(scores.engine.loss.distillation.squared, 0);
  EXPECT_EQ(scores.engine.loss.distillation.teacher_scale, 50);
  EXPECT_TRUE(scores.writes_tensorboard);
  EXPECT_EQ(scores.kept_vector_bytes, std::size_t{3} << 20);
  EXPECT_TRUE(scores.keeps_vectors_in_file);
  EXPECT_EQ(read(steps + "distillation: {teacher: x, kind: cosine}").engine.loss.distillation.cosine, 1);
  for (const char* more :
       {"distillation: {weight: 1}", "distillation: {teacher: x, weight: 0}",
        "distillation: {teacher: x, kind: hard}", "distillation: {teacher: x, temperature: 2}",
        "loss: {weight: 0}", "loss: {weight: -1}", "keep_vectors: {megabytes: -1}", "keep_vectors: {file: 3}",
        "tensorboard: maybe"}) {
    MOA_EXPECT_ERROR(read(steps + more), invalid_argument);
  }
}

TEST_F(Settings, NameAnAdapterBesideWhichNothingIsLearned) {
  const TrainConfig plain = read("schedule: {steps: 1}\n");
  EXPECT_FALSE(plain.engine.adapter.has_value());
  const TrainConfig config = read(
      "schedule: {steps: 1}\nadapter: {kind: tt_lora, rank: 6, targets: [text, \"*fc1\"], merge: true}\n");
  ASSERT_TRUE(config.engine.adapter.has_value());
  EXPECT_EQ(config.engine.adapter->kind, AdapterKind::tt_lora);
  EXPECT_EQ(config.engine.adapter->rank, 6);
  EXPECT_EQ(config.engine.adapter->alpha, 6);
  EXPECT_EQ(config.adapter_targets, (std::vector<std::string>{"text", "*fc1"}));
  EXPECT_TRUE(config.merges_adapter);
  EXPECT_TRUE(config.learn.empty());
  const TrainConfig both = read("schedule: {steps: 1}\nadapter: {}\nlearn: [logit_scale]\n");
  EXPECT_EQ(both.engine.adapter->kind, AdapterKind::lora);
  EXPECT_EQ(both.adapter_targets, (std::vector<std::string>{"all"}));
  EXPECT_EQ(both.learn, (std::vector<std::string>{"logit_scale"}));
}

TEST_F(Settings, RefuseWhatCannotBe) {
  for (const char* more : {
           "schedule: {steps: 1, epochs: 1}",
           "schedule: {steps: 0}",
           "schedule: {steps: 1}\nbatch: 0",
           "schedule: {steps: 1}\nbatchsize: 4",
           "schedule: {steps: 1}\nloss: {kind: mse}",
           "schedule: {steps: 1}\naugmentation: {scale: [1, 0.5]}",
           "schedule: {steps: 1}\naugmentation: {random_resized_crop: false, scale: [0.5, 1]}",
           "schedule: {steps: 1}\nloss: {kind: sigmoid, label_smoothing: 0.1}",
           "schedule: {steps: 1}\nloss: {margin: 0.1}",
           "schedule: {steps: 1}\nloss: {temperature: 0.1}",
           "schedule: {steps: 1}\nloss: {initial_logit_bias: -1}",
           "schedule: {steps: 1}\nloss: {initial_logit_scale: -1}",
           "schedule: {steps: 1}\nvalidation: {every: 1}",
           "schedule: {steps: 1}\nprecision: f16",
           "schedule: {steps: 1}\nadapter: {kind: dora}",
           "schedule: {steps: 1}\nadapter: {rank: 0}",
           "schedule: {steps: 1}\nadapter: {alpha: 0}",
           "schedule: {steps: 1}\nadapter: {targets: []}",
           "schedule: {steps: 1}\nadapter: lora",
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
