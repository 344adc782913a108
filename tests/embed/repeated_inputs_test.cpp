// What is given twice is computed once, and its vector is the same to the bit.
#include <moa/model.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const fs::path kCheckpoint = fs::path(MOA_TEST_DATA) / "golden" / "clip" / "odd_sizes";

struct Outcome {
  std::vector<std::vector<float>> vectors;
  EmbedReport report;
};

Outcome run(const Model& model, const std::vector<Input>& inputs, const EmbedOptions& options = {}) {
  Outcome outcome;
  outcome.report = model.embed(inputs, options, [&](Embedded result) {
    EXPECT_FALSE(result.error.has_value());
    outcome.vectors.push_back(result.vector);
  });
  return outcome;
}

Model load(std::size_t text_cache_bytes) {
  return Model::load(kCheckpoint.string(), {.threads = 2, .text_cache_bytes = text_cache_bytes});
}

TEST(RepeatedInputs, EqualTextsOfABatchAreComputedOnce) {
  const Model model = load(0);
  std::vector<Input> inputs;
  for (int i = 0; i < 40; ++i) inputs.push_back(Input::text("text " + std::to_string(i % 5)));
  const Outcome together = run(model, inputs);
  EXPECT_EQ(together.report.computed, 5U);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(together.vectors[i], run(model, {inputs[i]}).vectors.front()) << i;
  }
}

TEST(RepeatedInputs, TextsOfTheSameIdsAreTheSame) {
  const Model model = load(0);
  EXPECT_EQ(run(model, {Input::text("A Dog"), Input::text("a  dog")}).report.computed, 1U);
}

TEST(RepeatedInputs, EqualPicturesOfARunAreComputedOnceWhereverTheyLie) {
  const Model model = load(0);
  const Input file = Input::file(kCheckpoint / "picture0.png");
  const Input bytes = Input::bytes(read_file(kCheckpoint / "picture0.png", 1 << 20));
  const Input other = Input::file(kCheckpoint / "picture1.png");
  const Outcome together = run(model, {file, bytes, other, other, file, bytes, other, file}, {.batch = 2});
  EXPECT_EQ(together.report.computed, 2U);
  const std::vector<float> first = run(model, {file}).vectors.front();
  const std::vector<float> second = run(model, {other}).vectors.front();
  EXPECT_NE(first, second);
  for (const std::size_t i : {0, 1, 4, 5, 7}) EXPECT_EQ(together.vectors[i], first) << i;
  for (const std::size_t i : {2, 3, 6}) EXPECT_EQ(together.vectors[i], second) << i;
}

TEST(RepeatedInputs, ARepeatedBadFileFailsEachTime) {
  const Model model = load(0);
  const std::vector<Input> inputs(3, Input::bytes("no picture"));
  std::size_t failures = 0;
  const EmbedReport report =
      model.embed(inputs, {}, [&](Embedded result) { failures += result.error.has_value(); });
  EXPECT_EQ(failures, 3U);
  EXPECT_EQ(report.computed, 0U);
}

TEST(TextCache, ATextThatComesAgainCostsNothing) {
  const Model model = load(1 << 20);
  const std::vector<Input> inputs = {Input::text("a dog"), Input::text("강아지")};
  const Outcome before = run(model, inputs);
  const Outcome after = run(model, inputs);
  EXPECT_EQ(before.report.computed, 2U);
  EXPECT_EQ(after.report.computed, 0U);
  EXPECT_EQ(after.vectors, before.vectors);
}

TEST(TextCache, OptionsThatMoveTheVectorAreToldApart) {
  const Model cached = load(1 << 20);
  const Model plain = load(0);
  const std::vector<Input> inputs = {Input::text("a dog")};
  for (const EmbedOptions& options :
       {EmbedOptions{}, EmbedOptions{.raw = true}, EmbedOptions{.dim = 5},
        EmbedOptions{.raw = true, .dim = 5}, EmbedOptions{.prompt = "query: "}, EmbedOptions{}}) {
    EXPECT_EQ(run(cached, inputs, options).vectors, run(plain, inputs, options).vectors);
  }
}

TEST(TextCache, ATruncatedTextIsReportedEachTime) {
  const Model model = load(1 << 20);
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "dog ";
  const std::vector<Input> inputs = {Input::text(longest)};
  EXPECT_EQ(run(model, inputs).report.truncated_texts, 1U);
  const Outcome again = run(model, inputs);
  EXPECT_EQ(again.report.computed, 0U);
  EXPECT_EQ(again.report.truncated_texts, 1U);
}

}  // namespace
}  // namespace moa
