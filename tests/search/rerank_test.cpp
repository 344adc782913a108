// The best of a search, put in the order of the model's head for image-text matching.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <moa/collection.hpp>

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kBlip = fs::path(MOA_TEST_DATA) / "golden/blip/odd_sizes";
const char* const kText = "a photo of a dog.";  // the head gives pictures 0, 1 and 2: 0.70, 0.01 and 0.85

Found found(const std::string& file, float score) {
  return {(kBlip / file).string(), score};
}

std::vector<std::string> names(const std::vector<Found>& all) {
  std::vector<std::string> files;
  for (const Found& one : all) files.push_back(fs::path(one.path).filename());
  return files;
}

using Names = std::vector<std::string>;

TEST(Rerank, OrdersTheFirstByTheProbabilityOfTheHead) {
  const Model model = Model::load(kBlip.string());
  const std::vector<Found> result = rerank(
      model, kText, {found("picture1.png", 0.9F), found("picture0.png", 0.8F), found("picture2.png", 0.7F)});
  EXPECT_EQ(names(result), (Names{"picture2.png", "picture0.png", "picture1.png"}));
  EXPECT_NEAR(result[0].match.value_or(-1), 0.8479, 1e-3);
  EXPECT_EQ(result[0].score, 0.7F);
}

TEST(Rerank, LeavesTheRestAsItWas) {
  const Model model = Model::load(kBlip.string());
  const std::vector<Found> result = rerank(
      model, kText, {found("picture1.png", 0.9F), found("picture0.png", 0.8F), found("picture2.png", 0.7F)},
      {.first = 2});
  EXPECT_EQ(names(result), (Names{"picture0.png", "picture1.png", "picture2.png"}));
  EXPECT_FALSE(result[2].match.has_value());
}

TEST(Rerank, AFileThatIsGoneKeepsItsPlaceAndIsReported) {
  const Model model = Model::load(kBlip.string());
  Names reported;
  const RerankOptions options{.failed = [&](const std::string& path, const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    reported.push_back(fs::path(path).filename());
  }};
  const std::vector<Found> result =
      rerank(model, kText,
             {found("picture1.png", 0.9F), found("gone.png", 0.8F), found("picture2.png", 0.7F)}, options);
  EXPECT_EQ(names(result), (Names{"picture2.png", "gone.png", "picture1.png"}));
  EXPECT_FALSE(result[1].match.has_value());
  EXPECT_EQ(reported, Names{"gone.png"});
}

TEST(Rerank, NothingFoundStaysNothing) {
  EXPECT_TRUE(rerank(Model::load(kBlip.string()), kText, {}).empty());
}

TEST(Rerank, AModelWithoutAHeadIsUnsupported) {
  const Model clip = Model::load((kBlip.parent_path().parent_path() / "clip/odd_sizes").string());
  try {
    rerank(clip, kText, {found("picture0.png", 1)});
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace moa
