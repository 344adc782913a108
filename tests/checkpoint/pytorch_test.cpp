// Files that torch wrote (tests/parity/pytorch_files.py), and what must be read out of them.
#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/pytorch_bytes.hpp"
#include "checkpoint/pytorch_file.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden" / "pytorch";

// The tensors that `expected.safetensors` has for `file`, and no others, must be in it, number by number.
void expect_golden(const std::string& file) {
  const PytorchFile found = PytorchFile::open(kGolden / file);
  std::set<std::string> names;
  for (const StoredTensor& tensor : found.tensors()) names.insert(tensor.name);
  const SafetensorsFile expected = SafetensorsFile::open(kGolden / "expected.safetensors");
  std::size_t compared = 0;
  for (const StoredTensor& wanted : expected.tensors()) {
    if (!wanted.name.starts_with(file + "/")) continue;
    const std::string name = wanted.name.substr(file.size() + 1);
    ASSERT_TRUE(names.contains(name)) << name;
    for (const StoredTensor& tensor : found.tensors()) {
      if (tensor.name != name) continue;
      EXPECT_EQ(tensor.shape, wanted.shape) << name;
      EXPECT_EQ(found.parameter(tensor, name).read(), expected.parameter(wanted, name).read()) << name;
      ++compared;
    }
  }
  EXPECT_GT(compared, 0u);
  EXPECT_EQ(compared, names.size());
}

class PytorchGolden : public ::testing::TestWithParam<const char*> {};

TEST_P(PytorchGolden, HasTheNumbersThatTorchSaved) {
  expect_golden(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Files, PytorchGolden,
                         ::testing::Values("kinds.bin", "state_dict.bin", "training.pt", "script.pt",
                                           "trace.pt", "sharded/pytorch_model-00001-of-00002.bin"),
                         [](const auto& test) {
                           std::string name = test.param;
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name;
                         });

TEST(Pytorch, TiedTensorsShareTheirBytes) {
  const PytorchFile file = PytorchFile::open(kGolden / "kinds.bin");
  const StoredTensor* tied[2] = {};
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == "tied") tied[0] = &tensor;
    if (tensor.name == "tied_too") tied[1] = &tensor;
  }
  ASSERT_TRUE(tied[0] != nullptr && tied[1] != nullptr);
  EXPECT_EQ(tied[0]->bytes.data(), tied[1]->bytes.data());
}

TEST(Pytorch, ReadsRowsOutOfTheMiddleOfATransposedTensor) {
  const PytorchFile file = PytorchFile::open(kGolden / "kinds.bin");
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name != "transposed") continue;
    const Parameter parameter = file.parameter(tensor, "t");
    const std::vector<float> whole = parameter.read();
    std::vector<float> rows(12);
    parameter.read_rows(2, 2, rows.data());
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), whole.begin() + 12));
    EXPECT_EQ(parameter.rows_in_place(0, 1), nullptr);
    parameter.drop_pages();
    EXPECT_EQ(parameter.read(), whole);
  }
}

TEST(Pytorch, GivesF32InPlaceWhereItIsAlignedAndInOrder) {
  const PytorchFile file = PytorchFile::open(kGolden / "state_dict.bin");
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name != "projection") continue;
    const Parameter parameter = file.parameter(tensor, "projection");
    ASSERT_NE(parameter.rows_in_place(0, 5), nullptr);
    EXPECT_EQ(*parameter.rows_in_place(0, 5), parameter.read().at(0));
  }
}

TEST(Pytorch, RefusesTheFormatBefore16) {
  MOA_EXPECT_ERROR(PytorchFile::open(kGolden / "legacy.bin"), unsupported);
}

TEST(Pytorch, RefusesATensorThatIsNoStateDict) {
  MOA_EXPECT_ERROR(PytorchFile::open(kGolden / "tensor_alone.pt"), unsupported);
}

TEST(Pytorch, RejectsEveryTruncation) {
  const std::string whole = read_file(kGolden / "kinds.bin", 1 << 20);
  for (std::size_t length = 0; length < whole.size(); length += length < 4096 ? 7 : 97) {
    MOA_EXPECT_ERROR(parse_pytorch(as_bytes(whole.substr(0, length)), "test"), corrupt_data);
  }
}

TEST(ModelDirectory, ReadsPytorchWeightsInShards) {
  const ModelDirectory model = ModelDirectory::open(kGolden / "sharded");
  EXPECT_EQ(model.weight_format(), WeightFormat::pytorch);
  EXPECT_EQ(model.weights_name(), "pytorch_model.bin.index.json");
  EXPECT_EQ(model.weight_files().size(), 2u);
  Weights weights = model.weights();
  EXPECT_EQ(weights.take("projection", {5, 3}).read().size(), 15u);
  EXPECT_EQ(weights.take("blocks.0.mlp.2.bias", {5}).read().size(), 5u);
}

TEST(ModelDirectory, RejectsHalfASetOfPytorchShards) {
  const testing::TemporaryDirectory directory;
  for (const char* name :
       {"config.json", "pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin"}) {
    fs::copy(kGolden / "sharded" / name, directory.path() / name);
  }
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), not_found);
  // The first shard under the second one's name: tensors are missing, others are there twice.
  fs::copy(directory.path() / "pytorch_model-00001-of-00002.bin",
           directory.path() / "pytorch_model-00002-of-00002.bin");
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()).weights(), corrupt_data);
}

TEST(ModelDirectory, PrefersSafetensorsOfAnyLayout) {
  const testing::TemporaryDirectory directory;
  directory.write("config.json", R"({"model_type":"clip"})");
  directory.write("pytorch_model.bin", "never opened");
  EXPECT_EQ(ModelDirectory::open(directory.path()).weights_name(), "pytorch_model.bin");
  directory.write("open_clip_config.json", "{}");
  directory.write("open_clip_model.safetensors", "never opened");
  EXPECT_EQ(ModelDirectory::open(directory.path()).weights_name(), "open_clip_model.safetensors");
  directory.write("model.safetensors", "never opened");
  EXPECT_EQ(ModelDirectory::open(directory.path()).weights_name(), "model.safetensors");
}

TEST(ModelDirectory, OpensOpenClipsPytorchWeights) {
  const testing::TemporaryDirectory directory;
  directory.write("open_clip_config.json", "{}");
  directory.write("open_clip_pytorch_model.bin", testing::pytorch_file_of({}));
  const ModelDirectory model = ModelDirectory::open(directory.path());
  EXPECT_EQ(model.layout(), ModelDirectory::Layout::open_clip);
  Weights weights = model.weights();
  EXPECT_EQ(weights.take("w", {2, 2}).read(), (std::vector<float>{1, 2, 3, 4}));
}

TEST(ModelDirectory, ModernisesNamesInPytorchWeightsToo) {
  const testing::TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("pytorch_model.bin",
                  testing::pytorch_file(testing::pickle_of(testing::pickled_dict(
                                            "bert.LayerNorm.gamma", testing::PickledTensorPieces{}.bytes())),
                                        std::string(16, '\0')));
  EXPECT_TRUE(ModelDirectory::open(directory.path()).weights().has("bert.LayerNorm.weight"));
}

}  // namespace
}  // namespace moa
