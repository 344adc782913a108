#include "embed/examples.hpp"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

// Two examples of label 1, one of label 0, in the plane.
ExampleCache three_examples() {
  ExampleCache examples;
  examples.vectors = Vectors(2);
  for (const std::vector<float>& row : {std::vector<float>{1, 0}, {0, 1}, {-1, 0}})
    examples.vectors.append(row);
  examples.labels = {1, 0, 1};
  return examples;
}

TEST(Examples, SpeakForTheirLabelByTheirCosine) {
  const ExampleCache examples = three_examples();
  std::vector<float> cosines = {0.25F, 0.5F, 0.75F};
  add_examples(examples, std::vector<float>{0.6F, 0.8F}, cosines);
  EXPECT_NEAR(cosines[0], 0.25 + std::exp(-5.5 * (1 - 0.8)) / 100, 1e-7);
  EXPECT_NEAR(cosines[1], 0.5 + (std::exp(-5.5 * (1 - 0.6)) + std::exp(-5.5 * (1 + 0.6))) / 100, 1e-7);
  EXPECT_EQ(cosines[2], 0.75F);
}

TEST(Examples, WithoutWeightTheyChangeNothing) {
  ExampleCache examples = three_examples();
  examples.alpha = 0;
  std::vector<float> cosines = {0.25F, 0.5F};
  add_examples(examples, std::vector<float>{0, 1}, cosines);
  EXPECT_EQ(cosines, (std::vector<float>{0.25F, 0.5F}));
}

TEST(Examples, OnlyEqualPicturesSpeakWhereTheSayFallsAtOnce) {
  ExampleCache examples = three_examples();
  examples.beta = 1e6;
  std::vector<float> cosines = {0, 0};
  add_examples(examples, std::vector<float>{0, 1}, cosines);
  EXPECT_FLOAT_EQ(cosines[0], 0.01F);
  EXPECT_EQ(cosines[1], 0);
}

TEST(Examples, ThatDoNotFitAreRefused) {
  const ExampleCache sound = three_examples();
  check_examples(sound, 2, 2);
  MOA_EXPECT_ERROR(check_examples(sound, 1, 2), invalid_argument);
  MOA_EXPECT_ERROR(check_examples(sound, 2, 3), shape_mismatch);
  ExampleCache unlabelled = three_examples();
  unlabelled.labels.pop_back();
  MOA_EXPECT_ERROR(check_examples(unlabelled, 2, 2), invalid_argument);
  ExampleCache failed = three_examples();
  failed.vectors.append(Error(ErrorCode::corrupt_data, "broken"));
  failed.labels.push_back(0);
  MOA_EXPECT_ERROR(check_examples(failed, 2, 2), invalid_argument);
}

}  // namespace
}  // namespace moa
