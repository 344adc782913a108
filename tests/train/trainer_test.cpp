// The loop of training with an engine that learns one number: the mean of what it is shown.
#include "train/trainer.hpp"

#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "train/checkpoint_store.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

class MeanEngine : public TrainingEngine {
 public:
  std::int64_t fails_at = -1;
  std::int64_t steps = 0;
  float number = 0;

  StepReport step(const TrainingBatch& batch, double rate) override {
    StepReport report;
    const auto& values = std::get<VectorBatch>(batch.first).values;
    const float mean =
        std::accumulate(values.begin(), values.end(), 0.0F) / static_cast<float>(values.size());
    report.loss = std::abs(mean - number);
    report.updated = steps + 1 != fails_at;
    if (!report.updated) report.loss = std::numeric_limits<double>::quiet_NaN();
    if (report.updated) number += static_cast<float>(rate) * (mean - number);
    ++steps;
    return report;
  }
  double loss(const TrainingBatch&) override { return 0; }
  std::vector<float> embed(const Side&) override { return {}; }
  std::vector<Parameter> weights() override { return {Parameter::from_values("number", {1}, {number})}; }
  std::vector<Parameter> adapter() override { return {}; }
  std::int64_t trained_numbers() const override { return 1; }
  EngineState state() override { return {steps, weights()}; }
  void restore(const EngineState& state) override {
    if (state.tensors.size() != 1) throw Error(ErrorCode::model_mismatch, "expected one number");
    steps = state.steps;
    number = state.tensors.front().read().front();
  }
};

// Ten numbers from `least` on as pairs, in an order that the epoch decides.
class TenNumbers : public PairSource {
 public:
  explicit TenNumbers(std::uint64_t least = 0) : least_(least) {}
  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override {
    struct Stream : PairStream {
      std::optional<RawPair> next() override {
        if (at == 10) return std::nullopt;
        RawPair pair;
        pair.group = least + (at++ + first) % 10;
        return pair;
      }
      std::uint64_t at = 0;
      std::uint64_t first = 0;
      std::uint64_t least = 0;
    };
    auto stream = std::make_unique<Stream>();
    stream->first = Random({seed, epoch}).below(10);
    stream->least = least_;
    return stream;
  }
  std::optional<std::uint64_t> size() const override { return 10; }

 private:
  std::uint64_t least_;
};

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class Trainer : public ::testing::Test {
 protected:
  Trainer() {
    config_.output = folder_.path() / "out";
    config_.batch = 3;
    config_.steps = 20;
    config_.learning_rate = 0.5;
    config_.seed = 4;
    config_.checkpoint_every = 6;
    fs::create_directories(config_.output);
  }
  TrainResult run(MeanEngine& engine, const TrainOptions& options = {}) {
    const TrainerParts parts{
        sources_,
        [](RawPair&& pair, Random& random) {
          return Sample{{static_cast<std::uint8_t>(pair.group + random.below(100))}, {}, pair.group};
        },
        [](const std::vector<Sample>& samples) {
          TrainingBatch batch;
          VectorBatch values;
          for (const Sample& sample : samples) values.values.push_back(sample.pixels.front());
          batch.first = values;
          return batch;
        },
        engine,
        validates_ ? [&engine] {
          Evaluation found;
          found.metrics = {{"number", engine.number, 0, 0}};
          return found;
        } : std::function<Evaluation()>()};
    return run_training(config_, parts, options);
  }
  // Interrupts the training after each of `stops` steps, and lets it go on.
  void expect_to_go_on(const std::vector<std::int64_t>& stops) {
    MeanEngine whole;
    run(whole);
    for (const std::int64_t stop : stops) {
      fs::remove_all(config_.output);
      fs::create_directories(config_.output);
      std::atomic<bool> cancelled = false;
      TrainOptions options{.progress = [&](const TrainProgress& at) { cancelled = at.step >= stop; },
                           .cancelled = &cancelled};
      config_.log_every = 1;
      MeanEngine first;
      MOA_EXPECT_ERROR(run(first, options), cancelled);
      EXPECT_EQ(first.steps, stop);
      MeanEngine second;
      run(second, {.resume = true});
      EXPECT_EQ(second.number, whole.number) << stop;
      EXPECT_EQ(second.steps, 20);
      const std::string metrics = content(config_.output / "metrics.csv");
      EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 21) << stop;
    }
  }
  std::vector<std::string> checkpoints() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(config_.output / "checkpoints"))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  testing::TemporaryDirectory folder_;
  TrainConfig config_;
  TenNumbers source_;
  TenNumbers other_{100};
  std::vector<SharedSource> sources_{{&source_, 1}};
  bool validates_ = false;
};

TEST_F(Trainer, LeavesCheckpointsMetricsAndACurve) {
  MeanEngine engine;
  const TrainResult result = run(engine);
  EXPECT_EQ(result.steps, 20);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-000000000018", "step-000000000020"}));
  const std::string metrics = content(config_.output / "metrics.csv");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 21);
  EXPECT_NE(content(config_.output / "loss.svg").find("<polyline"), std::string::npos);
}

TEST_F(Trainer, GoesOnBitForBitWhereverItWasInterrupted) {
  expect_to_go_on({1, 5, 6, 13});
}

TEST_F(Trainer, GoesOnBitForBitInEachOfSeveralSources) {
  sources_ = {{&source_, 1}, {&other_, 2}};
  expect_to_go_on({1, 2, 5, 6, 13, 19});
  const std::string metrics = content(config_.output / "metrics.csv");
  EXPECT_NE(metrics.find(",0\n"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find(",1\n"), std::string::npos) << metrics;
}

TEST_F(Trainer, ACheckpointOfOtherSourcesIsRefused) {
  MeanEngine engine;
  run(engine);
  sources_ = {{&source_, 1}, {&other_, 2}};
  MeanEngine again;
  MOA_EXPECT_ERROR(run(again, {.resume = true}), model_mismatch);
}

TEST_F(Trainer, ARunThatWasKilledBetweenCheckpointsGoesOnFromTheLast) {
  MeanEngine whole;
  run(whole);
  fs::remove_all(config_.output / "checkpoints/step-000000000020");
  fs::create_directories(config_.output / "checkpoints/.unfinished-000000000019");
  MeanEngine again;
  run(again, {.resume = true});
  EXPECT_EQ(again.number, whole.number);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-000000000018", "step-000000000020"}));
}

TEST_F(Trainer, ALossThatIsNoNumberStopsItOrIsSkipped) {
  MeanEngine engine;
  engine.fails_at = 9;
  MOA_EXPECT_ERROR(run(engine), out_of_range);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-000000000006"}));
  config_.stops_at_nan = false;
  MeanEngine other;
  other.fails_at = 9;
  std::vector<std::string> notes;
  EXPECT_EQ(run(other, {.note = [&](const std::string& text) { notes.push_back(text); }}).steps, 20);
  EXPECT_EQ(notes.size(), 1u);
}

TEST_F(Trainer, ValidatesNowAndThenAndAtTheEnd) {
  validates_ = true;
  config_.validate_every = 8;
  MeanEngine engine;
  const TrainResult result = run(engine);
  ASSERT_EQ(result.validation.size(), 1u);
  EXPECT_EQ(result.validation.front().value, engine.number);
  const std::string table = content(config_.output / "validation.csv");
  EXPECT_NE(table.find("\n8,number,"), std::string::npos) << table;
  EXPECT_NE(table.find("\n20,number,"), std::string::npos) << table;
}

TEST_F(Trainer, EpochsAreCountedInFullBatches) {
  config_.steps = 0;
  config_.epochs = 2;
  MeanEngine engine;
  EXPECT_EQ(run(engine).steps, 6);
}

TEST_F(Trainer, AFullDiskLeavesTheLastCheckpoint) {
  MeanEngine engine;
  run(engine);
  CheckpointStore store(config_.output / "checkpoints", 2);
  TrainingState state = *store.newest_sound();
  EXPECT_EQ(state.step, 20);
  state.step = 21;
  // A tensor whose content cannot be read stands for a disk that cannot be written.
  struct Broken : ParameterSource {
    void read(std::int64_t, std::int64_t, float*) const override { throw Error(ErrorCode::io_error, "full"); }
  };
  state.engine.tensors = {Parameter("number", {1}, DType::f32, std::make_shared<Broken>())};
  MOA_EXPECT_ERROR(store.save(state), io_error);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-000000000018", "step-000000000020"}));
  EXPECT_EQ(store.newest_sound()->step, 20);
}

TEST_F(Trainer, ALineOfMetricsThatWasCutOffIsLeftOut) {
  MeanEngine whole;
  run(whole);
  fs::remove_all(config_.output / "checkpoints/step-000000000020");
  std::ofstream(config_.output / "metrics.csv", std::ios::app) << "21,0,1.5";
  MeanEngine again;
  run(again, {.resume = true});
  EXPECT_EQ(again.number, whole.number);
  const std::string metrics = content(config_.output / "metrics.csv");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 21);
}

TEST_F(Trainer, OfSeveralProcessesTheFirstAloneWrites) {
  struct OneOfTwo : MeanEngine {
    void sum(std::span<double> numbers) override {  // the other one brings the same
      for (double& each : numbers) each *= 2;
    }
  };
  fs::remove_all(config_.output);
  validates_ = true;
  OneOfTwo second;
  EXPECT_EQ(run(second, {.processes = {.rank = 1, .count = 2}}).steps, 20);
  EXPECT_FALSE(fs::exists(config_.output));
}

// What can happen to a checkpoint on disk.
struct Damage {
  const char* name;
  void (*happens)(const fs::path& checkpoint);
};

void flip_last_byte(const fs::path& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(-1, std::ios::end);
  const char byte = static_cast<char>(file.peek() ^ 1);
  file.seekp(-1, std::ios::end);
  file.put(byte);
}

const Damage kDamages[] = {
    {"tensors cut off", [](const fs::path& at) { fs::resize_file(at / "state.safetensors", 20); }},
    {"tensors empty", [](const fs::path& at) { fs::resize_file(at / "state.safetensors", 0); }},
    {"tensors gone", [](const fs::path& at) { fs::remove(at / "state.safetensors"); }},
    {"a tensor's bit", [](const fs::path& at) { flip_last_byte(at / "state.safetensors"); }},
    {"facts cut off", [](const fs::path& at) { fs::resize_file(at / "training.json", 5); }},
    {"facts gone", [](const fs::path& at) { fs::remove(at / "training.json"); }},
    {"facts of another", [](const fs::path& at) { std::ofstream(at / "training.json") << "{\"step\": 3}"; }},
    {"checksums gone", [](const fs::path& at) { fs::remove(at / "checksums.xxh128"); }},
    {"all files gone", [](const fs::path& at) { fs::remove_all(at), fs::create_directory(at); }},
};

TEST_F(Trainer, GoesOnFromTheNewestCheckpointThatIsSound) {
  MeanEngine whole;
  run(whole);
  for (const Damage& damage : kDamages) {
    SCOPED_TRACE(damage.name);
    damage.happens(config_.output / "checkpoints/step-000000000020");
    MeanEngine again;
    std::vector<std::string> notes;
    run(again, {.resume = true, .note = [&](const std::string& text) { notes.push_back(text); }});
    EXPECT_EQ(again.number, whole.number);
    ASSERT_EQ(notes.size(), 2u);
    EXPECT_NE(notes[0].find("damaged-step-000000000020"), std::string::npos) << notes[0];
    EXPECT_EQ(notes[1], "going on after step 18");
    // The step is written anew in its place, and the damaged one takes no place of those that are kept.
    EXPECT_EQ(checkpoints(), (std::vector<std::string>{"damaged-step-000000000020", "step-000000000018",
                                                       "step-000000000020"}));
    EXPECT_EQ(CheckpointStore(config_.output / "checkpoints", 2).newest_sound()->step, 20);
  }
}

TEST_F(Trainer, WithoutASoundCheckpointSaysSoAndLeavesAllAsItIs) {
  MeanEngine engine;
  run(engine);
  for (const char* step : {"step-000000000018", "step-000000000020"})
    fs::resize_file(config_.output / "checkpoints" / step / "state.safetensors", 20);
  MeanEngine again;
  MOA_EXPECT_ERROR(run(again, {.resume = true}), corrupt_data);
  EXPECT_EQ(again.steps, 0);
  EXPECT_EQ(checkpoints(), (std::vector<std::string>{"step-000000000018", "step-000000000020"}));
}

}  // namespace
}  // namespace moa::train
