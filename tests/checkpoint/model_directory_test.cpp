#include "checkpoint/model_directory.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/pytorch_bytes.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

using testing::SafetensorsBuilder;
using testing::TemporaryDirectory;

std::string one_tensor(const std::string& name, float value = 1) {
  return SafetensorsBuilder().add(name, "F32", "[1]", std::vector<float>{value}).bytes();
}

TEST(ModelDirectory, OpensTheTransformersLayout) {
  const TemporaryDirectory directory;
  directory.write("config.json", R"({"model_type":"clip"})");
  directory.write("model.safetensors", one_tensor("logit_scale", 4.6F));
  const ModelDirectory model = ModelDirectory::open(directory.path());
  EXPECT_EQ(model.layout(), ModelDirectory::Layout::transformers);
  EXPECT_EQ(model.config().string("model_type", ""), "clip");
  EXPECT_EQ(model.weights_name(), "model.safetensors");
  Weights weights = model.weights();
  EXPECT_EQ(weights.take("logit_scale", {1}).read().at(0), 4.6F);
  weights.finish(model.weights_name());
}

TEST(ModelDirectory, OpensTheOpenClipLayout) {
  const TemporaryDirectory directory;
  directory.write("open_clip_config.json", R"({"model_cfg":{}})");
  directory.write("open_clip_model.safetensors", one_tensor("logit_scale"));
  EXPECT_EQ(ModelDirectory::open(directory.path()).layout(), ModelDirectory::Layout::open_clip);
  // A lone config.json, as some repositories have it, does not make it another layout.
  directory.write("config.json", "{}");
  EXPECT_EQ(ModelDirectory::open(directory.path()).layout(), ModelDirectory::Layout::open_clip);
  directory.write("config.json", R"({"model_type":"clip"})");
  directory.write("model.safetensors", one_tensor("logit_scale"));
  EXPECT_EQ(ModelDirectory::open(directory.path()).layout(), ModelDirectory::Layout::transformers);
}

TEST(ModelDirectory, OfSentenceTransformersClipReadsTheRootsFilesToo) {
  const TemporaryDirectory directory;
  const auto open_with = [&](const std::string& modules) {
    directory.write("modules.json", modules);
    return ModelDirectory::open(directory.path());
  };
  directory.write("README.md", "---\nlicense: mit\n---\n");
  directory.write("0_CLIPModel/config.json", R"({"model_type":"clip"})");
  directory.write("0_CLIPModel/model.safetensors", one_tensor("logit_scale"));
  const std::string clip = R"({"type":"sentence_transformers.models.CLIPModel","path":"0_CLIPModel"})";
  EXPECT_EQ(open_with("[" + clip + "]").licence(), "mit");
  EXPECT_EQ(open_with("[" + clip + R"(,{"type":"a.Normalize","path":"1_Normalize"}])").licence(), "mit");
  MOA_EXPECT_ERROR(open_with("[" + clip + R"(,{"type":"a.Dense","path":"1_Dense"}])"), unsupported);
  MOA_EXPECT_ERROR(open_with(R"([{"type":"a.StaticEmbedding","path":"0_CLIPModel"}])"), unsupported);
}

TEST(ModelDirectory, TellsAPointerOfGitLfsFromTheFile) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n";
  const TemporaryDirectory directory;
  directory.write("config.json", R"({"model_type":"clip"})");
  directory.write("model.safetensors", pointer);
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), not_found);
  directory.write("model.safetensors", one_tensor("logit_scale"));
  directory.write("tokenizer.json", pointer);
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()).file("tokenizer.json"), not_found);
}

TEST(ModelDirectory, OfTwoLayoutsTakesOpenClipsWhereTheOtherIsNotTransformersOwn) {
  const auto layout_with = [](const std::string& config) {
    const TemporaryDirectory directory;
    directory.write("config.json", config);
    directory.write("model.safetensors", one_tensor("other"));
    directory.write("open_clip_config.json", R"({"model_cfg":{}})");
    directory.write("open_clip_pytorch_model.bin", "PK");
    return ModelDirectory::open(directory.path()).layout();
  };
  EXPECT_EQ(layout_with(R"({"model_type":"clip"})"), ModelDirectory::Layout::transformers);
  EXPECT_EQ(layout_with(R"({"architecture":"vit_base_patch32_clip_224"})"),
            ModelDirectory::Layout::open_clip);
  EXPECT_EQ(layout_with(R"({"model_type":"siglip","auto_map":{"AutoModel":"code.Model"}})"),
            ModelDirectory::Layout::open_clip);
}

TEST(ModelDirectory, SaysWhatIsMissing) {
  MOA_EXPECT_ERROR(ModelDirectory::open("/nonexistent"), not_found);
  const TemporaryDirectory directory;
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), not_found);
  directory.write("config.json", "{}");
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), not_found);
  directory.write("pytorch_model.bin", "no archive");
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()).weights(), corrupt_data);
}

TEST(ModelDirectory, RejectsABrokenConfiguration) {
  const TemporaryDirectory directory;
  directory.write("model.safetensors", one_tensor("a"));
  for (const char* config : {"", "[]", "{", R"({"a":1,"a":2})"}) {
    directory.write("config.json", config);
    MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), corrupt_data);
  }
  directory.write("config.json", std::string((16u << 20) + 1, ' '));
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()), limit_exceeded);
}

TEST(ModelDirectory, LeavesOutBuffersThatNoModelNeeds) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  const std::vector<std::int64_t> ids{0, 1};
  directory.write("model.safetensors",
                  SafetensorsBuilder()
                      .add("text_model.embeddings.position_ids", "I64", "[1,2]", ids)
                      .add("embeddings.token_type_ids", "I64", "[1,2]", ids)
                      .add("attn_mask", "F8_E5M2", "[2]", "xx")
                      .add("bn.num_batches_tracked", "I64", "[]", std::vector<std::int64_t>{3})
                      .add("my_position_ids", "I64", "[2]", ids)
                      .bytes());
  EXPECT_EQ(ModelDirectory::open(directory.path()).weights().left_over(),
            std::vector<std::string>{"my_position_ids"});
}

TEST(ModelDirectory, ModernisesTheNamesOfTheFirstBertFiles) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("model.safetensors", SafetensorsBuilder()
                                           .add("bert.LayerNorm.gamma", "F32", "[1]", std::vector<float>{1})
                                           .add("bert.LayerNorm.beta", "F32", "[1]", std::vector<float>{2})
                                           .add("gamma", "F32", "[1]", std::vector<float>{3})
                                           .bytes());
  const Weights weights = ModelDirectory::open(directory.path()).weights();
  EXPECT_TRUE(weights.has("bert.LayerNorm.weight"));
  EXPECT_TRUE(weights.has("bert.LayerNorm.bias"));
  EXPECT_TRUE(weights.has("gamma"));
}

TEST(ModelDirectory, RejectsATensorThatIsThereUnderItsOldAndItsNewName) {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("model.safetensors", SafetensorsBuilder()
                                           .add("LayerNorm.gamma", "F32", "[1]", std::vector<float>{1})
                                           .add("LayerNorm.weight", "F32", "[1]", std::vector<float>{2})
                                           .bytes());
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.path()).weights(), corrupt_data);
}

TEST(ModelDirectory, GivesFilesAndTheLicence) {
  const TemporaryDirectory directory;
  directory.write("config.json", R"({"license":"from-config"})");
  directory.write("model.safetensors", one_tensor("a"));
  directory.write("tokenizer.json", R"({"version":"1.0"})");
  const ModelDirectory model = ModelDirectory::open(directory.path());
  EXPECT_EQ(model.file("tokenizer.json"), R"({"version":"1.0"})");
  EXPECT_EQ(model.file("vocab.json"), std::nullopt);
  EXPECT_EQ(model.json("tokenizer.json").string("version", ""), "1.0");
  EXPECT_TRUE(model.json("preprocessor_config.json").keys().empty());
  EXPECT_EQ(model.licence(), "from-config");
  directory.write("README.md", "---\nlicense: mit\n---\n");
  EXPECT_EQ(model.licence(), "mit");
}

TEST(ModelDirectory, ListsTheFilesThatDecideAVector) {
  const TemporaryDirectory directory;
  for (const char* name : {"config.json", "tokenizer.json", "preprocessor_config.json", "README.md"}) {
    directory.write(name, "{}");
  }
  directory.write("model.safetensors", one_tensor("a"));
  std::vector<std::string> names;
  for (const auto& file : ModelDirectory::open(directory.path()).identity_files()) {
    names.push_back(file.filename().string());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"config.json", "model.safetensors", "preprocessor_config.json",
                                             "tokenizer.json"}));
}

TEST(ModelDirectory, OpensALoneFileAsOpenAiPublishedThem) {
  const TemporaryDirectory directory;
  const auto file = directory.write("ViT-B-32.pt", testing::pytorch_file_of({}));
  directory.write("merges.txt", "#version");
  directory.write("config.json", R"({"model_type":"another model's"})");
  directory.write("config_sentence_transformers.json", "{}");
  directory.write("README.md", "---\nlicense: another's\n---\n");
  const ModelDirectory model = ModelDirectory::open(file);
  EXPECT_EQ(model.layout(), ModelDirectory::Layout::openai);
  EXPECT_EQ(model.weights_name(), "ViT-B-32.pt");
  EXPECT_TRUE(model.config().keys().empty());
  EXPECT_EQ(model.file("merges.txt"), "#version");
  EXPECT_EQ(model.file("config.json"), std::nullopt);
  EXPECT_TRUE(model.json("config_sentence_transformers.json").keys().empty());
  EXPECT_EQ(model.licence(), std::nullopt);
  EXPECT_EQ(model.identity_files().size(), 2u);
  EXPECT_TRUE(model.weights().has("w"));
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.write("model.safetensors", "")), unsupported);
  MOA_EXPECT_ERROR(ModelDirectory::open(directory.write("text.pt", "no archive")).weights(), corrupt_data);
}

// Two shards, and the index that `weight_map` makes.
class ShardedModel : public ::testing::Test {
 protected:
  ShardedModel() {
    directory_.write("config.json", "{}");
    directory_.write("model-00001-of-00002.safetensors", one_tensor("a", 1));
    directory_.write("model-00002-of-00002.safetensors", one_tensor("b", 2));
  }
  ModelDirectory open(const std::string& weight_map) {
    directory_.write("model.safetensors.index.json",
                     R"({"metadata":{"total_size":8},"weight_map":)" + weight_map + "}");
    return ModelDirectory::open(directory_.path());
  }
  TemporaryDirectory directory_;
};

TEST_F(ShardedModel, GivesTheTensorsOfAllShards) {
  const ModelDirectory model =
      open(R"({"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"})");
  EXPECT_EQ(model.weights_name(), "model.safetensors.index.json");
  EXPECT_EQ(model.weight_files().size(), 2u);
  Weights weights = model.weights();
  EXPECT_EQ(weights.take("a", {1}).read().at(0), 1);
  EXPECT_EQ(weights.take("b", {1}).read().at(0), 2);
}

TEST_F(ShardedModel, RejectsAMissingShard) {
  MOA_EXPECT_ERROR(open(R"({"a":"model-00001-of-00003.safetensors"})"), not_found);
}

TEST_F(ShardedModel, RejectsShardsOutsideTheDirectory) {
  for (const char* shard : {"../model-00001-of-00002.safetensors", "/etc/x.safetensors", "..", "", ".",
                            "sub/model.safetensors", "model.bin", ".safetensors", "a\\u0000.safetensors"}) {
    MOA_EXPECT_ERROR(open(std::string(R"({"a":")") + shard + "\"}"), corrupt_data);
  }
  MOA_EXPECT_ERROR(open(R"({"a":1})"), corrupt_data);
  MOA_EXPECT_ERROR(open(R"([])"), corrupt_data);
  MOA_EXPECT_ERROR(open(R"({})"), corrupt_data);
}

TEST_F(ShardedModel, RejectsAnIndexThatContradictsItsShards) {
  const std::string a = R"("a":"model-00001-of-00002.safetensors")";
  const std::string b = R"("b":"model-00002-of-00002.safetensors")";
  MOA_EXPECT_ERROR(
      open(R"({"b":"model-00001-of-00002.safetensors","a":"model-00002-of-00002.safetensors"})").weights(),
      corrupt_data);
  MOA_EXPECT_ERROR(open("{" + a + "," + b + R"(,"c":"model-00002-of-00002.safetensors"})").weights(),
                   corrupt_data);
  directory_.write("model-00002-of-00002.safetensors", SafetensorsBuilder()
                                                           .add("b", "F32", "[1]", std::vector<float>{1})
                                                           .add("more", "F32", "[1]", std::vector<float>{1})
                                                           .bytes());
  MOA_EXPECT_ERROR(open("{" + a + "," + b + "}").weights(), corrupt_data);
  directory_.write("model-00002-of-00002.safetensors", SafetensorsBuilder()
                                                           .add("b", "F32", "[1]", std::vector<float>{1})
                                                           .add("a", "F32", "[1]", std::vector<float>{1})
                                                           .bytes());
  MOA_EXPECT_ERROR(open("{" + a + "," + b + "}").weights(), corrupt_data);
}

class Q4Model : public ::testing::Test {
 protected:
  Weights load(const SafetensorsBuilder& tensors) {
    directory_.write("config.json", "{}");
    directory_.write("model.safetensors", tensors.bytes());
    return ModelDirectory::open(directory_.path()).weights();
  }
  TemporaryDirectory directory_;
  const std::string blocks_ = std::string(96, '\x9F');  // [3, 64]: 15 - 8 and 9 - 8
  const std::vector<std::uint16_t> scales_{0x3C00, 0x4000, 0x3C00,
                                           0x3C00, 0x3C00, 0xC000};  // 1, 2, 1, 1, 1, -2
};

TEST_F(Q4Model, JoinsBlocksAndScalesToOneMatrix) {
  Weights weights =
      load(SafetensorsBuilder().add("w.scale", "F16", "[3,2]", scales_).add("w.q4", "U8", "[3,32]", blocks_));
  const Parameter matrix = weights.take("w", {3, 64});
  weights.finish("model.safetensors");
  EXPECT_EQ(matrix.dtype(), DType::q4);
  std::vector<float> row(64);
  matrix.read_rows(0, 1, row.data());
  EXPECT_EQ(row[0], 7);
  EXPECT_EQ(row[1], 1);
  EXPECT_EQ(row[32], 14);
  matrix.rows(2, 3).read_rows(0, 1, row.data());
  EXPECT_EQ(row[63], -2);
  matrix.drop_pages();
  EXPECT_EQ(matrix.read().size(), 192u);
}

TEST_F(Q4Model, LeavesScalesWithoutBlocksAlone) {
  EXPECT_TRUE(load(SafetensorsBuilder().add("w.scale", "F16", "[3,2]", scales_)).has("w.scale"));
}

TEST_F(Q4Model, RejectsBlocksThatDoNotFitTheirScales) {
  MOA_EXPECT_ERROR(load(SafetensorsBuilder().add("w.q4", "U8", "[3,32]", blocks_)), corrupt_data);
  const auto load_pair = [&](const char* blocks_type, const char* blocks_shape, const char* scales_type,
                             const char* scales_shape) {
    load(SafetensorsBuilder()
             .add("w.q4", blocks_type, blocks_shape, blocks_)
             .add("w.scale", scales_type, scales_shape, scales_));
  };
  MOA_EXPECT_ERROR(load_pair("U8", "[3,32]", "F16", "[2,3]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("U8", "[3,32]", "F16", "[6]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("U8", "[96]", "F16", "[3,2]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("U8", "[6,16]", "F16", "[3,2]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("U8", "[4,24]", "F16", "[3,2]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("BOOL", "[3,32]", "F16", "[3,2]"), corrupt_data);
  MOA_EXPECT_ERROR(load_pair("U8", "[3,32]", "BF16", "[3,2]"), corrupt_data);
  MOA_EXPECT_ERROR(
      load(SafetensorsBuilder().add("w.q4", "U8", "[0,16]", "").add("w.scale", "F16", "[0,1]", "")),
      corrupt_data);
}

TEST_F(Q4Model, RejectsAMatrixThatIsThereTwice) {
  MOA_EXPECT_ERROR(load(SafetensorsBuilder()
                            .add("w.q4", "U8", "[3,32]", blocks_)
                            .add("w.scale", "F16", "[3,2]", scales_)
                            .add("w", "F32", "[1]", std::vector<float>{1})),
                   corrupt_data);
}

}  // namespace
}  // namespace moa
