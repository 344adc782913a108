// Evaluations of a golden checkpoint, whose weights are random: its own vectors decide what is right.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include <moa/eval.hpp>

#include "base/expect_error.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
const fs::path kCheckpoint = fs::path(MOA_TEST_DATA) / "golden/clip/odd_sizes";

class Evaluations : public ::testing::Test {
 protected:
  const Model model_ = Model::load(kCheckpoint.string());
  const std::vector<Input> pictures_ = {Input::file(kCheckpoint / "picture0.png"),
                                        Input::file(kCheckpoint / "picture1.png")};
};

TEST_F(Evaluations, ZeroShotCountsPicturesWhoseClassIsBest) {
  const std::vector<std::string> names = {"a dog", "two cats", "the sea"};
  const Classification scores = model_.classify(pictures_, names);
  LabelledPictures set{pictures_, {}, names};
  for (const std::vector<float>& row : scores.scores) {
    set.classes.push_back(static_cast<std::size_t>(std::ranges::max_element(row) - row.begin()));
  }
  EXPECT_DOUBLE_EQ(evaluate_zero_shot(model_, set).value("acc1"), 1);
  set.classes[1] = (set.classes[1] + 1) % 3;
  const Evaluation half = evaluate_zero_shot(model_, set, {.top = {1, 3}});
  EXPECT_DOUBLE_EQ(half.value("acc1"), 0.5);
  EXPECT_DOUBLE_EQ(half.value("acc3"), 1);
  MOA_EXPECT_ERROR(half.value("acc5"), not_found);
}

TEST_F(Evaluations, RawVectorsAreRefusedWhereCosinesAreMade) {
  const LabelledPictures set{{pictures_[0]}, {0}, {"a dog"}};
  MOA_EXPECT_ERROR(evaluate_zero_shot(model_, set, {.embed = {.raw = true}}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_retrieval(model_, {{pictures_[0]}, {"a dog"}, {0}}, {.embed = {.raw = true}}),
                   invalid_argument);
}

TEST_F(Evaluations, TheBestNoneAreRefused) {
  const LabelledPictures set{{pictures_[0]}, {0}, {"a dog"}};
  MOA_EXPECT_ERROR(evaluate_zero_shot(model_, set, {.top = {0}}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_linear_probe(model_, set, set, {.top = {1, 0}}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_retrieval(model_, {{pictures_[0]}, {"a dog"}, {0}}, {.top = {0}}),
                   invalid_argument);
}

TEST_F(Evaluations, ABrokenPictureIsReportedAndCountsInNothing) {
  LabelledPictures set{{pictures_[0], Input::bytes("no picture"), pictures_[1]}, {0, 0, 0}, {"a dog"}};
  const Evaluation found = evaluate_zero_shot(model_, set);
  EXPECT_EQ(found.pictures, 2u);
  ASSERT_EQ(found.picture_errors.size(), 3u);
  EXPECT_TRUE(found.picture_errors[1].has_value());
  EXPECT_DOUBLE_EQ(found.value("acc1"), 1);
}

TEST_F(Evaluations, RetrievalIsPerfectWhereEveryPairIsTheOnlyOne) {
  const CaptionedPictures set{{pictures_[0]}, {"a dog", "an animal"}, {0, 0}};
  const Evaluation found = evaluate_retrieval(model_, set);
  for (const Metric& metric : found.metrics) {
    if (metric.name.find("precision") == std::string::npos) {
      EXPECT_DOUBLE_EQ(metric.value, 1) << metric.name;
    }
  }
  EXPECT_DOUBLE_EQ(found.value("image_retrieval_precision@5"), 0.2);
  EXPECT_DOUBLE_EQ(found.value("text_retrieval_precision@5"), 0.4);
}

TEST_F(Evaluations, EqualPicturesAndCaptionsTieAgainstTheModel) {
  const CaptionedPictures set{{pictures_[0], pictures_[0]}, {"a dog", "a dog"}, {0, 1}};
  const Evaluation apart = evaluate_retrieval(model_, set, {.top = {1, 2}});
  EXPECT_DOUBLE_EQ(apart.value("image_retrieval_recall@1"), 0);
  EXPECT_DOUBLE_EQ(apart.value("text_retrieval_recall@1"), 0);
  EXPECT_DOUBLE_EQ(apart.value("image_retrieval_recall@2"), 1);
  const Evaluation merged = evaluate_retrieval(model_, set, {.top = {1, 2}, .merge_equal_captions = true});
  EXPECT_EQ(merged.texts, 1u);
  EXPECT_DOUBLE_EQ(merged.value("image_retrieval_recall@1"), 1);
  EXPECT_DOUBLE_EQ(merged.value("image_retrieval_precision@2"), 1);
}

TEST_F(Evaluations, WhatFailedOnOneSideLeavesTheOtherWithout) {
  const CaptionedPictures set{
      {pictures_[0], Input::bytes("broken"), pictures_[1]}, {"a dog", "lost", "\xFF"}, {0, 1, 2}};
  const Evaluation found = evaluate_retrieval(model_, set);
  EXPECT_EQ(found.pictures, 2u);
  EXPECT_EQ(found.texts, 1u);
  EXPECT_TRUE(found.picture_errors[1] && found.text_errors[2]);
  EXPECT_FALSE(found.text_errors[1]);
}

TEST_F(Evaluations, TellWhichCaptionsAndClassesWereCut) {
  const std::string words(900, 'x');
  const Evaluation captions = evaluate_retrieval(model_, {pictures_, {"a dog", words, words}, {0, 1, 1}});
  EXPECT_EQ(captions.truncated.texts, 2u);
  EXPECT_EQ(captions.truncated.first_index, 1u);
  EXPECT_EQ(captions.truncated.first, words);
  const Evaluation classes =
      evaluate_zero_shot(model_, {pictures_, {0, 0}, {"a dog", words}}, {.templates = {"a {}", "the {}"}});
  EXPECT_EQ(classes.truncated.texts, 2u);
  EXPECT_EQ(classes.truncated.first_index, 1u);
  EXPECT_EQ(classes.truncated.first, "a " + words);
  EXPECT_EQ(evaluate_zero_shot(model_, {pictures_, {0, 0}, {"a dog"}}).truncated.texts, 0u);
}

TEST_F(Evaluations, ALinearProbeLearnsWhichPictureIsWhich) {
  LabelledPictures set{{}, {}, {"one", "other"}};
  for (std::size_t i = 0; i < 20; ++i) {
    set.pictures.push_back(pictures_[i % 2]);
    set.classes.push_back(i % 2);
  }
  const auto [train, test] = split_by_class(set, 0.5, 0);
  const Evaluation found = evaluate_linear_probe(model_, train, test);
  EXPECT_DOUBLE_EQ(found.value("lp_acc1"), 1);
  EXPECT_GT(found.value("lp_c"), 0);
  LabelledPictures one = set;
  std::ranges::fill(one.classes, 0u);
  MOA_EXPECT_ERROR(evaluate_linear_probe(model_, one, test), invalid_argument);
  one.class_names = {"another"};
  MOA_EXPECT_ERROR(evaluate_linear_probe(model_, one, test), invalid_argument);
}

TEST_F(Evaluations, RefuseSetsThatDoNotFitTogether) {
  MOA_EXPECT_ERROR(evaluate_zero_shot(model_, {}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_zero_shot(model_, {pictures_, {0}, {"a"}}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_zero_shot(model_, {pictures_, {0, 1}, {"a"}}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_retrieval(model_, {}), invalid_argument);
  MOA_EXPECT_ERROR(evaluate_retrieval(model_, {pictures_, {"a"}, {2}}), invalid_argument);
  const std::atomic<bool> cancelled = true;
  MOA_EXPECT_ERROR(
      evaluate_zero_shot(model_, {pictures_, {0, 0}, {"a"}}, {.embed = {.cancelled = &cancelled}}),
      cancelled);
}

}  // namespace
}  // namespace moa
