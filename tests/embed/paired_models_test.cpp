// The pictures of one model with the texts of another, on golden checkpoints whose vectors are equally wide.
#include <moa/model.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moa/quantize.hpp>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa {
namespace {

using testing::TemporaryDirectory;

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";
const std::string kPictures = (kGolden / "clip" / "open_clip_tiny").string();
const std::string kTexts = (kGolden / "sentence_transformers" / "mpnet_mean").string();
const fs::path kPicture = fs::path(kPictures) / "picture0.png";

TEST(PairedModels, TextsAreTheOnesAndPicturesTheOthers) {
  const Model pair = Model::load(kPictures, {.text_model = kTexts});
  EXPECT_EQ(pair.embed_text("a photo of a dog."), Model::load(kTexts).embed_text("a photo of a dog."));
  EXPECT_EQ(pair.embed_image(kPicture), Model::load(kPictures).embed_image(kPicture));
}

TEST(PairedModels, ScoresAreMadeOfBoth) {
  const Model pair = Model::load(kPictures, {.text_model = kTexts});
  const std::vector<Input> pictures = {Input::file(kPicture)};
  const std::vector<std::string> texts = {"a dog", "two foxes"};
  const MatchResult result = pair.match(pictures, texts);
  const std::vector<float> picture = pair.embed_image(kPicture);
  const std::vector<float> text = pair.embed_text(texts[1]);
  float cosine = 0;
  for (std::size_t i = 0; i < text.size(); ++i) cosine += picture[i] * text[i];
  EXPECT_NEAR(result.cosine[0][1], cosine, 1e-6);
}

TEST(PairedModels, HaveAnIdentityOfTheirOwn) {
  const LoadOptions options = {.text_model = kTexts};
  const std::string identity = Model::load(kPictures, options).identity();
  EXPECT_EQ(identity, model_identity(kPictures, options));
  EXPECT_NE(identity, model_identity(kPictures));
  EXPECT_NE(identity, model_identity(kTexts));
}

TEST(PairedModels, TellThePrecisionOfEach) {
  const TemporaryDirectory folder;
  const std::string texts = (folder.path() / "int8").string();
  quantize(kTexts, texts, "int8");
  const Model pair = Model::load(kPictures, {.text_model = texts});
  EXPECT_EQ(pair.dtype(Modality::text), "int8");
  EXPECT_EQ(pair.dtype(Modality::image), "f32");
  EXPECT_EQ(pair.dtype(), "int8+f32");
  EXPECT_EQ(pair.info().precision, "int8+f32");
  EXPECT_EQ(Model::load(kPictures, {.text_model = kTexts}).dtype(), "f32");
}

TEST(PairedModels, AreDescribedTogether) {
  const ModelInfo info = Model::load(kPictures, {.text_model = kTexts}).info();
  EXPECT_EQ(info.text_model, kTexts);
  ASSERT_EQ(info.towers.size(), 2U);
  EXPECT_EQ(info.towers[0].description, Model::load(kTexts).info().towers[0].description);
  EXPECT_EQ(info.towers[1].name, "image");
  EXPECT_EQ(info.modalities.size(), 2U);
}

TEST(PairedModels, MustFit) {
  const std::string narrower = (kGolden / "sentence_transformers" / "mpnet_cls").string();
  MOA_EXPECT_ERROR(Model::load(kPictures, {.text_model = narrower}), shape_mismatch);
  MOA_EXPECT_ERROR(Model::load(kTexts, {.text_model = kTexts}), unsupported);
  MOA_EXPECT_ERROR(Model::load(kPictures, {.text_model = "no/such-model"}), not_found);
}

}  // namespace
}  // namespace moa
