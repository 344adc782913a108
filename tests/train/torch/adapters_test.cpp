// Adapters while they are learned, and merged into the weights afterwards.
#include "train/component/adapters.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/cpu/cpu_backend.hpp"
#include "base/expect_error.hpp"
#include "train/torch/learner.hpp"

namespace moa::train {
namespace {

// How many numbers an adapter on matrices of these sizes has.
std::int64_t numbers(const AdapterOptions& options,
                     const std::vector<std::pair<std::string, Shape>>& layers) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  std::vector<Parameter> linears;
  for (const auto& [name, shape] : layers) {
    linears.push_back(Parameter::from_values(name + ".weight", shape,
                                             std::vector<float>(static_cast<std::size_t>(shape.elements()))));
  }
  std::vector<LearnedTensor> all;
  add_adapters(options, linears, 0, weights, all);
  std::int64_t count = 0;
  for (const LearnedTensor& tensor : all) count += tensor.value.numel();
  return count;
}

AdapterOptions everywhere(AdapterKind kind, std::int64_t rank) {
  return {kind, rank, 8, {"*"}};
}

TEST(Adapters, HaveAsManyNumbersAsTheirFormulasSay) {
  const std::vector<std::pair<std::string, Shape>> square{{"a", {768, 768}}};
  struct Row {
    std::int64_t rank, lora, tt_lora, tt_matrix;
  };
  for (const Row& row : {Row{2, 3072, 192, 672}, Row{4, 6144, 704, 1856}, Row{8, 12288, 2688, 5760},
                         Row{16, 24576, 8320, 19712}}) {
    EXPECT_EQ(numbers(everywhere(AdapterKind::lora, row.rank), square), row.lora);
    EXPECT_EQ(numbers(everywhere(AdapterKind::tt_lora, row.rank), square), row.tt_lora);
    EXPECT_EQ(numbers(everywhere(AdapterKind::tt_matrix, row.rank), square), row.tt_matrix);
  }
}

// Both towers of CLIP ViT-B/32, all six linears of each layer.
TEST(Adapters, HaveAsManyNumbersOnAWholeModelAsTheirFormulasSay) {
  std::vector<std::pair<std::string, Shape>> layers;
  for (const auto& [tower, width] :
       {std::pair<std::string, std::int64_t>{"vision_model", 768}, {"text_model", 512}}) {
    for (int layer = 0; layer < 2; ++layer) {  // of 12
      const std::string at = tower + "." + std::to_string(layer) + ".";
      for (const char* name : {"q", "k", "v", "o"}) layers.push_back({at + name, {width, width}});
      layers.push_back({at + "fc1", {4 * width, width}});
      layers.push_back({at + "fc2", {width, 4 * width}});
    }
  }
  EXPECT_EQ(6 * numbers(everywhere(AdapterKind::lora, 8), layers), 2211840);
  EXPECT_EQ(6 * numbers(everywhere(AdapterKind::tt_lora, 8), layers), 377856);
  EXPECT_EQ(6 * numbers(everywhere(AdapterKind::tt_lora, 16), layers), 1207296);
  EXPECT_EQ(6 * numbers(everywhere(AdapterKind::tt_matrix, 8), layers), 1004544);
  // What layers share counts once.
  const std::int64_t between = 2 * 8 * (768 + 512);
  EXPECT_EQ(6 * (numbers(everywhere(AdapterKind::shared, 8), layers) - between) + between, 38912);
  // A tensor train of rank 8 has 34 % of the numbers of LoRA of rank 4.
  EXPECT_EQ(6 * numbers(everywhere(AdapterKind::lora, 4), layers), 1105920);
  EXPECT_NEAR(100.0 * 377856 / 1105920, 34, 0.5);
}

class EveryAdapter : public testing::TestWithParam<AdapterKind> {
 protected:
  EngineOptions options(AdapterKind kind) const {
    EngineOptions options;
    options.trainable.include.clear();
    options.adapter = AdapterOptions{kind, 3, 6, {"*fc1", "*q_proj", "*out_proj"}};
    if (kind == AdapterKind::shared) options.adapter->targets = {"*q_proj", "*out_proj"};
    return options;
  }
  Adapter adapter_of(TrainingEngine& engine, const AdapterOptions& its_options) const {
    Adapter adapter;
    adapter.kind = its_options.kind;
    adapter.rank = its_options.rank;
    adapter.scale = its_options.alpha / static_cast<double>(its_options.rank);
    for (const Parameter& tensor : engine.adapter()) adapter.tensors.emplace(tensor.name(), tensor);
    return adapter;
  }
};

TEST_P(EveryAdapter, ChangesNothingAtFirstAndLearns) {
  const Learner learner("clip/odd_sizes");
  const auto plain = learner.engine({});
  const auto engine = learner.engine(options(GetParam()));
  const TrainingBatch batch = learner.batch();
  EXPECT_EQ(engine->embed(batch.second), plain->embed(batch.second));
  const double before = engine->loss(batch);
  for (int step = 0; step < 20; ++step) EXPECT_TRUE(engine->step(batch, 1e-2).updated);
  EXPECT_LT(engine->loss(batch), before);
  for (const Parameter& weight : engine->weights()) EXPECT_EQ(weight.name(), "");
}

TEST_P(EveryAdapter, MergedEqualsUnmerged) {
  const Learner learner("clip/odd_sizes");
  const EngineOptions its_options = options(GetParam());
  const auto engine = learner.engine(its_options);
  const TrainingBatch batch = learner.batch();
  for (int step = 0; step < 5; ++step) engine->step(batch, 1e-2);

  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) /
                                       ("moa_adapter_" + std::to_string(static_cast<int>(GetParam())));
  std::filesystem::create_directories(folder);
  adapter_of(*engine, *its_options.adapter).write(folder);
  Weights all;
  for (const Parameter& parameter : learner.parameters) all.add(parameter);
  Weights merged = Adapter::open(folder).merged_into(all);
  std::filesystem::remove_all(folder);
  const auto model = learner.build(merged);
  const auto plain = make_torch_engine(*model, merged.parameters(), {});
  expect_near(plain->embed(batch.first), engine->embed(batch.first), 1e-5);
  expect_near(plain->embed(batch.second), engine->embed(batch.second), 1e-5);

  // What learned it and what answers with it agree.
  CpuBackend backend;
  const std::unique_ptr<Interpreter> ops = backend.interpreter();
  const double eps = model->normalize_eps();
  expect_near(ops->read(ops->l2_normalize(model->forward_image(*ops, learner.golden.pixels(*ops)), eps)),
              engine->embed(batch.first), 1e-5);
  const auto& texts = std::get<TextBatch>(batch.second);
  expect_near(ops->read(ops->l2_normalize(
                  model->forward_text(*ops, ops->tokens(texts.ids, {}, texts.sequences)), eps)),
              engine->embed(batch.second), 1e-5);
}

TEST_P(EveryAdapter, BelongsToItsModel) {
  const Learner learner("clip/odd_sizes");
  const EngineOptions its_options = options(GetParam());
  const auto engine = learner.engine(its_options);
  const Adapter adapter = adapter_of(*engine, *its_options.adapter);
  MOA_EXPECT_ERROR(adapter.merged_into(Weights()), model_mismatch);
  Weights misshapen;
  for (const std::string& module : adapter.modules())
    misshapen.add(Parameter::from_values(module + ".weight", {5, 7}, std::vector<float>(35)));
  MOA_EXPECT_ERROR(adapter.merged_into(misshapen), shape_mismatch);
}

std::string kind_name(const testing::TestParamInfo<AdapterKind>& kind) {
  constexpr const char* kNames[] = {"lora", "tt_lora", "tt_matrix", "shared"};
  return kNames[static_cast<int>(kind.param)];
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryAdapter,
                         testing::Values(AdapterKind::lora, AdapterKind::tt_lora, AdapterKind::tt_matrix,
                                         AdapterKind::shared),
                         kind_name);

TEST(Adapters, RefuseTargetsThatNameNoLinearLayer) {
  const Learner learner("clip/odd_sizes");
  EngineOptions options;
  options.adapter = AdapterOptions{};
  options.adapter->targets = {"*token_embedding"};
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
  options.adapter = AdapterOptions{};
  options.adapter->rank = 0;
  MOA_EXPECT_ERROR(learner.engine(options), invalid_argument);
}

// Var A = 1 / (3 in), as LoRA's.
TEST(Adapters, TrainsBeginAsWideAsLora) {
  torch::TorchWeights weights{at::Device(at::kCPU)};
  const Parameter linear =
      Parameter::from_values("a.weight", {8, 768}, std::vector<float>(std::size_t{8} * 768));
  double squares = 0;
  constexpr int kDraws = 40;
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<LearnedTensor> all;
    add_adapters(everywhere(AdapterKind::tt_lora, 8), {linear}, static_cast<std::uint64_t>(draw), weights,
                 all);
    const auto core = [&](const std::string& name) {
      for (const LearnedTensor& tensor : all) {
        if (tensor.name == "a.tt_lora." + name) return tensor.value.detach();
      }
      return at::Tensor();
    };
    const at::Tensor two = at::matmul(core("q1").squeeze(0), core("q2").flatten(1)).reshape({-1, 8});
    squares += at::matmul(two, core("q3").flatten(1)).square().mean().item<double>() / kDraws;
  }
  EXPECT_NEAR(squares * 3 * 768, 1, 0.15);
}

}  // namespace
}  // namespace moa::train
