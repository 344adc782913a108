// Matching by a head that reads picture and text together, on a golden checkpoint of BLIP.
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moa/model.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(MOA_TEST_DATA) / "golden";
const fs::path kBlip = kGolden / "blip/odd_sizes";

std::vector<float> expected(const std::string& name) {
  const SafetensorsFile file = SafetensorsFile::open(kBlip / "expected.safetensors");
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name == name) return file.parameter(tensor, name).read();
  }
  return {};
}

class Matching : public testing::Test {
 protected:
  const Model model_ = Model::load(kBlip.string());
  const std::vector<Input> images_{Input::file(kBlip / "picture0.png"), Input::file(kBlip / "picture1.png"),
                                   Input::file(kBlip / "picture2.png")};
  const std::vector<std::string> texts_ =
      Config::parse("{\"texts\":" + read_file(kBlip / "texts.json", 1 << 20) + "}", "texts.json")
          .strings("texts", {});
};

TEST_F(Matching, ScoresOfTheHeadAndCosinesEqualTheReferences) {
  const MatchResult result = model_.match(images_, texts_);
  const std::vector<float> probabilities = expected("match_probabilities");
  const std::vector<float> cosines = expected("probabilities");
  ASSERT_EQ(result.score.size(), images_.size());
  for (std::size_t i = 0; i < images_.size(); ++i) {
    for (std::size_t t = 0; t < texts_.size(); ++t) {
      EXPECT_NEAR(result.score[i][t], probabilities[i * texts_.size() + t], 1e-4);
      EXPECT_NEAR(result.cosine[i][t], cosines[i * texts_.size() + t], 1e-5);
    }
  }
}

TEST_F(Matching, AsksNoHeadWhereItIsToScoreByVectors) {
  const MatchResult result = model_.match(images_, texts_, {.scorer = Scorer::itc});
  EXPECT_EQ(result.score, result.cosine);
}

TEST_F(Matching, APairsScoreIsTheSameAloneBitForBit) {
  const MatchResult together = model_.match(images_, texts_);
  for (std::size_t i = 0; i < images_.size(); ++i) {
    for (std::size_t t = 0; t < texts_.size(); ++t) {
      const MatchResult alone = model_.match({&images_[i], 1}, {&texts_[t], 1});
      EXPECT_EQ(alone.score[0][0], together.score[i][t]);
      EXPECT_EQ(alone.cosine[0][0], together.cosine[i][t]);
    }
  }
}

TEST_F(Matching, ManyTextsAreScoredInSeveralPasses) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.insert(many.end(), texts_.begin(), texts_.end());
  const MatchResult result = model_.match(images_, many);
  const MatchResult once = model_.match(images_, texts_);
  for (std::size_t i = 0; i < images_.size(); ++i) {
    for (std::size_t t = 0; t < many.size(); ++t)
      EXPECT_EQ(result.score[i][t], once.score[i][t % texts_.size()]);
  }
}

TEST_F(Matching, WhatIsBrokenIsThatItemsErrorAndTheOthersAreScored) {
  std::vector<Input> images = images_;
  images[1] = Input::file(kBlip / "gone.png");
  const std::vector<std::string> texts{texts_[0], "\xff not UTF-8", texts_[1]};
  const MatchResult result = model_.match(images, texts);
  const MatchResult sound = model_.match(images_, texts_);
  ASSERT_TRUE(result.image_errors[1].has_value());
  EXPECT_EQ(result.image_errors[1]->code(), ErrorCode::not_found);
  EXPECT_TRUE(result.score[1].empty());
  ASSERT_TRUE(result.text_errors[1].has_value());
  EXPECT_EQ(result.text_errors[1]->code(), ErrorCode::corrupt_data);
  EXPECT_EQ(result.score[0][0], sound.score[0][0]);
  EXPECT_TRUE(std::isnan(result.score[0][1]));
  EXPECT_EQ(result.score[0][2], sound.score[0][1]);
}

TEST_F(Matching, ATextAmongThePicturesIsThatItemsError) {
  const std::vector<Input> images{Input::text("a dog"), images_[0]};
  for (const Scorer scorer : {Scorer::itm, Scorer::itc}) {
    const MatchResult result = model_.match(images, texts_, {.scorer = scorer});
    ASSERT_TRUE(result.image_errors[0].has_value());
    EXPECT_EQ(result.image_errors[0]->code(), ErrorCode::invalid_argument);
    EXPECT_TRUE(result.score[0].empty());
    EXPECT_EQ(result.score[1], model_.match(images_, texts_, {.scorer = scorer}).score[0]);
  }
  const Classification kinds = model_.classify(images, texts_);
  EXPECT_EQ(kinds.errors[0]->code(), ErrorCode::invalid_argument);
  EXPECT_EQ(kinds.scores[1].size(), texts_.size());
}

TEST_F(Matching, CosinesAreOfTheDimensionsAskedForAndTheHeadSeesAll) {
  const MatchResult whole = model_.match(images_, texts_);
  const MatchResult few = model_.match(images_, texts_, {.embed = {.dim = 3}});
  const auto image = model_.embed_image(kBlip / "picture0.png", {.dim = 3});
  const auto text = model_.embed_text(texts_[0], {.dim = 3});
  EXPECT_NEAR(few.cosine[0][0], image[0] * text[0] + image[1] * text[1] + image[2] * text[2], 1e-6);
  EXPECT_EQ(few.score, whole.score);
}

TEST(MatchingWithoutAHead, IsUnsupportedIfAskedFor) {
  const Model clip = Model::load((kGolden / "clip/odd_sizes").string());
  EXPECT_FALSE(clip.matches_pairs());
  const std::vector<Input> image{Input::file(kBlip / "picture0.png")};
  const std::vector<std::string> text{"a"};
  try {
    clip.match(image, text, {.scorer = Scorer::itm});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace moa
