// The public Model, from files and texts to vectors, on golden checkpoints.
#include <moa/model.hpp>
#include <moa/quantize.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/config.hpp"
#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors.hpp"
#include "embed/pipeline.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";

std::vector<float> expected(const fs::path& checkpoint, const std::string& name) {
  const SafetensorsFile file = SafetensorsFile::open(checkpoint / "expected.safetensors");
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == name) return file.parameter(tensor, name).read();
  }
  return {};
}

std::vector<std::string> golden_texts(const fs::path& checkpoint) {
  const std::string list = read_file(checkpoint / "texts.json", 1 << 20);
  return Config::parse("{\"texts\":" + list + "}", "texts.json").strings("texts", {});
}

std::vector<fs::path> golden_pictures(const fs::path& checkpoint) {
  std::vector<fs::path> paths;
  for (int i = 0; fs::exists(checkpoint / ("picture" + std::to_string(i) + ".png")); ++i) {
    paths.push_back(checkpoint / ("picture" + std::to_string(i) + ".png"));
  }
  return paths;
}

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "expected an error";
  return ErrorCode::internal;
}

void expect_rows_near(const Vectors& found, const std::vector<float>& wanted) {
  ASSERT_EQ(found.values().size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(found.values()[i], wanted[i], 1e-5) << "component " << i;
}

class ModelOnGolden : public ::testing::TestWithParam<const char*> {
 protected:
  fs::path checkpoint_ = kGolden / GetParam();
  Model model_ = Model::load(checkpoint_.string(), {.threads = 2});
};

TEST_P(ModelOnGolden, TextsBecomeTheReferencesVectors) {
  expect_rows_near(model_.embed_texts(golden_texts(checkpoint_)), expected(checkpoint_, "text_vectors"));
}

TEST_P(ModelOnGolden, PictureFilesBecomeTheReferencesVectors) {
  expect_rows_near(model_.embed_images(golden_pictures(checkpoint_)), expected(checkpoint_, "image_vectors"));
}

TEST_P(ModelOnGolden, MatchGivesTheReferencesProbabilities) {
  std::vector<Input> images;
  for (const fs::path& path : golden_pictures(checkpoint_)) images.push_back(Input::file(path));
  const std::vector<std::string> texts = golden_texts(checkpoint_);
  const MatchResult result = model_.match(images, texts);
  const std::vector<float> wanted = expected(checkpoint_, "probabilities");
  for (std::size_t image = 0; image < images.size(); ++image) {
    for (std::size_t text = 0; text < texts.size(); ++text) {
      EXPECT_NEAR(result.score[image][text], wanted[image * texts.size() + text], 1e-4);
    }
  }
}

TEST_P(ModelOnGolden, InfoCountsEveryParameter) {
  if (checkpoint_.filename().string().starts_with("dinov2")) {
    GTEST_SKIP() << "it has a mask token, which only training used";
  }
  const ModelInfo info = model_.info();
  std::int64_t towers = 0;
  for (const ModelInfo::Tower& tower : info.towers) towers += tower.parameters;
  EXPECT_EQ(info.towers.size(), 2U);
  // The logit scale, and the logit bias of a sigmoid, are in neither tower.
  const bool has_bias = std::string(GetParam()).find("siglip") != std::string::npos;
  EXPECT_EQ(towers + (has_bias ? 2 : 1), info.parameters);
  EXPECT_EQ(info.dim, model_.dim());
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, ModelOnGolden,
    ::testing::Values("clip/odd_sizes", "clip/legacy_eos_gelu_f16", "clip/open_clip_tiny",
                      "clip/open_clip_custom_text", "siglip/odd_sizes", "siglip/gemma_f16",
                      "siglip/native_sizes", "siglip/native_more_patches_f16", "siglip/native_one_patch",
                      "open_clip/siglip_base", "open_clip/siglip2_so400m", "open_clip/siglip_i18n_so400m",
                      "open_clip/clipa", "open_clip/mean_of_normed_first", "open_clip/eos_both_ways",
                      "dual_encoder/vit_bert", "dual_encoder/deit_xlm_roberta", "dual_encoder/clip_roberta",
                      "dual_encoder/dinov2_swiglu_mpnet", "dual_encoder/dinov2_bert",
                      "chinese_clip/odd_sizes", "chinese_clip/other_activations", "altclip/odd_sizes",
                      "altclip/three_layers", "metaclip_2/odd_sizes", "metaclip_2/gelu_f16"),
    [](const auto& checkpoint) {
      std::string name = checkpoint.param;
      std::replace(name.begin(), name.end(), '/', '_');
      return name;
    });

TEST(FastDecode, IsAnotherIdentity) {
  const std::string model = (kGolden / "clip/odd_sizes").string();
  const Model exact = Model::load(model);
  const Model fast = Model::load(model, {.fast_decode = true});
  EXPECT_NE(exact.identity(), fast.identity());
  EXPECT_EQ(fast.identity(), model_identity(model, {.fast_decode = true}));
}

// A golden checkpoint, to be changed.
class ChangedModel {
 public:
  explicit ChangedModel(const std::string& golden) {
    fs::copy(kGolden / golden, copy_.path(), fs::copy_options::recursive);
  }
  void replace(const std::string& file, const std::string& what, const std::string& by) const {
    std::string content = read_file(copy_.path() / file, 1 << 20);
    const std::size_t at = content.find(what);
    ASSERT_NE(at, std::string::npos);
    write_file_atomically(copy_.path() / file, content.replace(at, what.size(), by));
  }
  const fs::path& path() const { return copy_.path(); }
  Model load() const { return Model::load(copy_.path().string()); }

 private:
  testing::TemporaryDirectory copy_;
};

TEST(PictureProcessor, IsTheArchitecturesWhereItsFileNamesNone) {
  const ChangedModel changed("clip/odd_sizes");
  changed.replace("preprocessor_config.json", "image_processor_type", "nothing");
  const fs::path picture = kGolden / "clip/odd_sizes/picture1.png";
  EXPECT_EQ(changed.load().embed_image(picture),
            Model::load((kGolden / "clip/odd_sizes").string()).embed_image(picture));
  const ChangedModel unnamed("dual_encoder/vit_bert");
  unnamed.replace("preprocessor_config.json", "image_processor_type", "nothing");
  EXPECT_EQ(code_of([&] { unnamed.load().embed_image(picture); }), ErrorCode::unsupported);
}

TEST(PictureProcessor, OfProcessorConfigWinsOverItsOwnFile) {
  const ChangedModel changed("clip/odd_sizes");
  const std::string own = read_file(changed.path() / "preprocessor_config.json", 1 << 20);
  write_file_atomically(changed.path() / "processor_config.json", R"({"image_processor": )" + own + "}");
  changed.replace("preprocessor_config.json", "0.00392156862745098", "1");
  const fs::path picture = kGolden / "clip/odd_sizes/picture1.png";
  EXPECT_EQ(changed.load().embed_image(picture),
            Model::load((kGolden / "clip/odd_sizes").string()).embed_image(picture));
  write_file_atomically(changed.path() / "processor_config.json", R"({"processor_class": "CLIPProcessor"})");
  EXPECT_NE(changed.load().embed_image(picture),
            Model::load((kGolden / "clip/odd_sizes").string()).embed_image(picture));
}

TEST(OpenClipTexts, AreCutAtTheContextLengthWhateverTheTokenizersFilesSay) {
  const ChangedModel changed("clip/open_clip_tiny");
  changed.replace("tokenizer_config.json", R"("model_max_length": 20)", R"("model_max_length": 5)");
  const std::string text = "a photo of the dog";
  EXPECT_EQ(changed.load().embed_text(text),
            Model::load((kGolden / "clip/open_clip_tiny").string()).embed_text(text));
}

class ModelTest : public ::testing::Test {
 protected:
  fs::path checkpoint_ = kGolden / "clip/odd_sizes";
  // Nothing is remembered: what is compared here is to be computed each time.
  Model model_ = Model::load(checkpoint_.string(), {.threads = 2, .text_cache_bytes = 0});
};

TEST_F(ModelTest, ItemsComeInOrderWhateverTheirKind) {
  std::vector<Input> inputs;
  for (int i = 0; i < 150; ++i) {
    inputs.push_back(i % 3 == 0 ? Input::file(checkpoint_ / "picture0.png")
                                : Input::text("text " + std::to_string(i)));
  }
  std::size_t next = 0;
  model_.embed(inputs, {.batch = 7}, [&](Embedded result) {
    EXPECT_EQ(result.index, next);
    EXPECT_EQ(result.modality, next % 3 == 0 ? Modality::image : Modality::text);
    EXPECT_FALSE(result.error.has_value());
    ++next;
  });
  EXPECT_EQ(next, inputs.size());
}

TEST_F(ModelTest, AVectorIsTheSameInAnyBatchBitForBit) {
  const std::vector<std::string> texts = golden_texts(checkpoint_);
  const Vectors together = model_.embed_texts(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<float> alone = model_.embed_text(texts[i]);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.row(i).begin()));
  }
}

TEST_F(ModelTest, OneBadFileIsThatRowsError) {
  const std::vector<fs::path> paths = {checkpoint_ / "picture0.png", checkpoint_ / "no such file.png",
                                       checkpoint_ / "picture1.png", checkpoint_ / "texts.json"};
  const Vectors vectors = model_.embed_images(paths);
  ASSERT_EQ(vectors.size(), 4U);
  EXPECT_EQ(vectors.failures(), 2U);
  EXPECT_EQ(vectors.error(0), nullptr);
  ASSERT_NE(vectors.error(1), nullptr);
  EXPECT_EQ(vectors.error(1)->code(), ErrorCode::not_found);
  EXPECT_TRUE(std::isnan(vectors.row(1)[0]));
  ASSERT_NE(vectors.error(3), nullptr);
  EXPECT_EQ(vectors.error(3)->code(), ErrorCode::invalid_argument);
}

TEST_F(ModelTest, ATruncatedPictureIsCorruptAndItsNeighboursAreNot) {
  const std::string whole = read_file(checkpoint_ / "picture1.png", 1 << 20);
  const std::vector<Input> inputs = {Input::bytes(whole), Input::bytes(whole.substr(0, whole.size() / 2)),
                                     Input::bytes(whole)};
  std::vector<std::optional<Error>> errors;
  model_.embed(inputs, {}, [&](Embedded result) { errors.push_back(result.error); });
  EXPECT_FALSE(errors[0].has_value());
  ASSERT_TRUE(errors[1].has_value());
  EXPECT_EQ(errors[1]->code(), ErrorCode::corrupt_data);
  EXPECT_FALSE(errors[2].has_value());
}

TEST_F(ModelTest, TextsThatAreTooLongAreTruncatedAndCounted) {
  const std::vector<Input> inputs = {Input::text("short"), Input::text(std::string(500, 'x')),
                                     Input::text(std::string(900, 'y'))};
  const EmbedReport report =
      model_.embed(inputs, {}, [](Embedded result) { EXPECT_FALSE(result.error.has_value()); });
  EXPECT_EQ(report.truncated_texts, 2U);
  EXPECT_EQ(report.first_truncated, 1U);
  const Truncation truncated = model_.embed_all(inputs).truncated();
  EXPECT_EQ(truncated.texts, 2U);
  EXPECT_EQ(truncated.first_index, 1U);
  EXPECT_EQ(truncated.first, inputs[1].value);
}

TEST_F(ModelTest, TemplatesOfTheConfigurationNeedAPlaceForTheLabel) {
  const testing::TemporaryDirectory folder;
  const fs::path copy = folder.path() / "copy";
  fs::copy(checkpoint_, copy, fs::copy_options::recursive);
  const std::string config = read_file(checkpoint_ / "config.json", 1 << 20);
  const auto configure = [&](const std::string& templates) {
    fs::remove(copy / "config.json");
    std::ofstream(copy / "config.json")
        << "{\"zero_shot_templates\":" << templates << "," << config.substr(config.find('{') + 1);
    return Model::load(copy.string());
  };
  EXPECT_EQ(configure(R"(["the {}"])").info().templates, std::vector<std::string>{"the {}"});
  EXPECT_EQ(configure("[]").info().templates, std::vector<std::string>{"a photo of a {}."});
  EXPECT_EQ(code_of([&] { configure(R"(["a photo"])").info(); }), ErrorCode::corrupt_data);
}

TEST_F(ModelTest, DimensionsThatAreAllZeroHaveNoDirection) {
  const std::vector<float> vector = {0, 0, 1};
  EXPECT_EQ(code_of([&] { cut(vector, {.dim = 2}); }), ErrorCode::corrupt_data);
  EXPECT_EQ(cut(vector, {.raw = true, .dim = 2}), (std::vector<float>{0, 0}));
  EXPECT_EQ(cut(vector, {}), vector);
}

TEST_F(ModelTest, TextThatIsNotUtf8IsThatItemsError) {
  EXPECT_EQ(code_of([&] { model_.embed_text("\xC3\x28"); }), ErrorCode::corrupt_data);
}

TEST_F(ModelTest, VectorsHaveUnitLengthUnlessRaw) {
  const auto length = [](const std::vector<float>& vector) {
    double squares = 0;
    for (const float value : vector) squares += static_cast<double>(value) * value;
    return std::sqrt(squares);
  };
  EXPECT_NEAR(length(model_.embed_text("a dog")), 1, 1e-6);
  EXPECT_GT(std::abs(length(model_.embed_text("a dog", {.raw = true})) - 1), 1e-3);
  EXPECT_NEAR(length(model_.embed_text("a dog", {.dim = 5})), 1, 1e-6);
}

TEST_F(ModelTest, DimKeepsTheFirstNumbersAndNormalisesAgain) {
  const std::vector<float> whole = model_.embed_text("a dog");
  const std::vector<float> part = model_.embed_text("a dog", {.dim = 5});
  ASSERT_EQ(part.size(), 5U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_NEAR(part[i] * whole[0], whole[i] * part[0], 1e-6);
  EXPECT_EQ(code_of([&] { model_.embed_text("a dog", {.dim = model_.dim() + 1}); }),
            ErrorCode::invalid_argument);
}

TEST_F(ModelTest, APromptGoesBeforeEachText) {
  EXPECT_EQ(model_.embed_text("dog", {.prompt = "a photo of a "}), model_.embed_text("a photo of a dog"));
}

TEST_F(ModelTest, WhatIsCancelledIsDeliveredAsSuch) {
  const std::atomic<bool> cancelled = true;
  const std::vector<Input> inputs = {Input::text("a"), Input::text("b")};
  std::size_t delivered = 0;
  model_.embed(inputs, {.cancelled = &cancelled}, [&](Embedded result) {
    ++delivered;
    ASSERT_TRUE(result.error.has_value());
    EXPECT_EQ(result.error->code(), ErrorCode::cancelled);
  });
  EXPECT_EQ(delivered, 2U);
}

TEST_F(ModelTest, ClassifyAveragesTemplatesOnTheUnitSphere) {
  const std::vector<Input> images = {Input::file(checkpoint_ / "picture0.png")};
  const std::vector<std::string> labels = {"dog", "cat", "fox"};
  const Classification one = model_.classify(images, labels, {.templates = {"a {}."}});
  const Classification twice = model_.classify(images, labels, {.templates = {"a {}.", "a {}."}});
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    EXPECT_NEAR(one.scores[0][i], twice.scores[0][i], 1e-5);
    sum += one.scores[0][i];
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_EQ(code_of([&] { model_.classify(images, labels, {.templates = {"no place"}}); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { model_.classify(images, {}, {}); }), ErrorCode::invalid_argument);
}

TEST_F(ModelTest, RawVectorsMakeNoCosines) {
  const std::vector<std::string> labels = {"dog", "cat"};
  EXPECT_EQ(code_of([&] { model_.embed_labels(labels, {.embed = {.raw = true}}); }),
            ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] {
              compare(model_, model_, {{}, labels, {}}, {.raw = true});
            }),
            ErrorCode::invalid_argument);
}

TEST(ModelLoad, ADeviceThatIsNotThereIsAnErrorNotAFallback) {
  const std::string path = (kGolden / "clip/odd_sizes").string();
  EXPECT_EQ(code_of([&] { Model::load(path, {.device = "cuda"}); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([&] { Model::load(path, {.device = "abacus"}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { Model::load(path, {.dtype = "int4"}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { Model::load(path, {.provider = "cuda"}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { Model::load(path, {.threads = -5}); }), ErrorCode::invalid_argument);
  const auto with_provider = [&](const std::string& device, const std::string& provider) {
    return code_of(
        [&] { Model::load(path, {.device = device, .engine = "onnxruntime", .provider = provider}); });
  };
  EXPECT_EQ(with_provider("cuda", "cpu"), ErrorCode::unsupported);
  EXPECT_EQ(with_provider("cpu", "tensorrt"), ErrorCode::unsupported);
  EXPECT_EQ(with_provider("cuda", "cuda"), ErrorCode::not_found);  // there is no graph
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(ModelLoad, EveryPrecisionGivesVectorsCloseToF32AndAnIdentityOfItsOwn) {
  const std::string path = (kGolden / "clip/odd_sizes").string();
  const fs::path picture = fs::path(path) / "picture0.png";
  const Model f32 = Model::load(path);
  EXPECT_EQ(f32.dtype(), "f32");
  EXPECT_EQ(f32.info().precision, "f32");
  EXPECT_EQ(Model::load(path, {.dtype = "f32"}).identity(), f32.identity());
  const std::map<std::string, double> closest = {{"bf16", 0.999}, {"int8", 0.99}};
  for (const auto& [dtype, least] : closest) {
    const Model model = Model::load(path, {.dtype = dtype});
    EXPECT_EQ(model.dtype(), dtype);
    EXPECT_EQ(model.info().precision, dtype);
    EXPECT_EQ(model.identity(), model_identity(path, {.dtype = dtype}));
    EXPECT_TRUE(model.identity().ends_with("-" + dtype));
    EXPECT_NE(model.identity().substr(0, 32), f32.identity());
    const std::vector<float> vector = model.embed_image(picture);
    EXPECT_NE(vector, f32.embed_image(picture));
    EXPECT_GT(cosine(vector, f32.embed_image(picture)), least);
    EXPECT_GT(cosine(model.embed_text("a dog"), f32.embed_text("a dog")), least);
  }
}

#if !defined(__SANITIZE_ADDRESS__)  // which keeps what was freed, to notice its use
std::int64_t own_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
  }
  return 0;
}

TEST(ModelLoad, UnloadingGivesTheMemoryBack) {
  const std::int64_t before = own_kilobytes();
  std::int64_t with_it = 0;
  {
    const Model model = Model::load((fs::path(MOA_SOURCE_DIR) / "models/moa-mini").string());
    std::vector<std::string> texts;
    for (int i = 0; i < 200; ++i) texts.push_back("text number " + std::to_string(i));
    model.embed_texts(texts);
    with_it = own_kilobytes();
  }
  EXPECT_GT(with_it, before + 50'000);
  EXPECT_LT(own_kilobytes(), before + 20'000);
}
#endif

TEST(ModelLoad, AModelThatIsNotThereIsNotFound) {
  EXPECT_EQ(code_of([] { Model::load("no-such-org/no-such-model"); }), ErrorCode::not_found);
}

class BrokenCheckpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("moa-broken-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::copy(kGolden / "clip/odd_sizes", folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string content = read_file(folder_ / file, 1 << 24);
    const std::size_t at = content.find(from);
    ASSERT_NE(at, std::string::npos);
    std::ofstream(folder_ / file, std::ios::binary) << content.replace(at, from.size(), to);
  }
  ErrorCode code() {
    return code_of([this] {
      const Model model = Model::load(folder_.string());
      model.embed_text("a dog");
      model.embed_image(folder_ / "picture0.png");
    });
  }

  fs::path folder_;
};

TEST_F(BrokenCheckpoint, AConfigurationThatContradictsItsTensorsDoesNotLoad) {
  replace("config.json", "\"projection_dim\": 29", "\"projection_dim\": 30");
  EXPECT_EQ(code(), ErrorCode::shape_mismatch);
}

TEST_F(BrokenCheckpoint, ARenamedTensorDoesNotLoad) {
  replace("model.safetensors", "text_model.final_layer_norm.bias", "text_model.final_layer_norm.bios");
  EXPECT_EQ(code(), ErrorCode::shape_mismatch);
}

TEST_F(BrokenCheckpoint, AProcessorOfAnotherSizeIsRefused) {
  replace("preprocessor_config.json", "\"height\": 49", "\"height\": 48");
  EXPECT_EQ(code(), ErrorCode::shape_mismatch);
}

TEST_F(BrokenCheckpoint, WithoutATokenizerATextIsNotFound) {
  fs::remove(folder_ / "tokenizer.json");
  fs::remove(folder_ / "tokenizer_config.json");
  EXPECT_EQ(code(), ErrorCode::not_found);
}

TEST_F(BrokenCheckpoint, WithoutAProcessorAPictureIsNotFound) {
  fs::remove(folder_ / "preprocessor_config.json");
  EXPECT_EQ(code(), ErrorCode::not_found);
}

TEST_F(BrokenCheckpoint, WithoutATokenizerAndAProcessorItIsDescribedAsLackingThem) {
  for (const char* file : {"tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"}) {
    fs::remove(folder_ / file);
  }
  const ModelInfo info = Model::load(folder_.string()).info();
  EXPECT_TRUE(info.tokenizer.starts_with("not there: ")) << info.tokenizer;
  EXPECT_TRUE(info.processor.starts_with("not there: ")) << info.processor;
}

TEST_F(BrokenCheckpoint, PreparingTellsWhatAModelLacksForOneKindOfInput) {
  fs::remove(folder_ / "preprocessor_config.json");
  const Model model = Model::load(folder_.string());
  EXPECT_EQ(code_of([&] { model.prepare(Modality::image); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { model.prepare(Modality::audio); }), ErrorCode::unsupported);
  EXPECT_NO_THROW(model.prepare(Modality::text));
}

TEST_F(BrokenCheckpoint, HalfAWeightFileIsCorrupt) {
  fs::resize_file(folder_ / "model.safetensors", fs::file_size(folder_ / "model.safetensors") / 2);
  EXPECT_EQ(code(), ErrorCode::corrupt_data);
}

}  // namespace
}  // namespace moa
