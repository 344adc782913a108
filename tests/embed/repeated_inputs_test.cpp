// What is given twice is computed once, and its vector is the same to the bit.
#include <moa/model.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temporary_directory.hpp"

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

// A model as a process would find it: the cache's folder, and a copy of a checkpoint that may be changed.
class TextCacheOnDisk : public ::testing::Test {
 protected:
  TextCacheOnDisk() {
    ::setenv("XDG_CACHE_HOME", (folder_.path() / "cache").c_str(), 1);
    fs::copy(kCheckpoint, folder_.path() / "model");
  }
  ~TextCacheOnDisk() override { ::unsetenv("XDG_CACHE_HOME"); }
  Outcome embed(bool on_disk = true, const std::string& dtype = "f32") const {
    const Model model = Model::load((folder_.path() / "model").string(),
                                    {.dtype = dtype, .threads = 1, .text_cache_on_disk = on_disk});
    return run(model, {Input::text("a dog")});
  }

  testing::TemporaryDirectory folder_;
};

TEST_F(TextCacheOnDisk, SparesTheNextRunTheSameText) {
  const Outcome first = embed();
  const Outcome second = embed();
  EXPECT_EQ(first.report.computed, 1U);
  EXPECT_EQ(second.report.computed, 0U);
  EXPECT_EQ(second.vectors, first.vectors);
  EXPECT_EQ(embed(false).report.computed, 1U);
}

TEST_F(TextCacheOnDisk, AChangedModelOrPrecisionIsComputed) {
  const Outcome first = embed();
  EXPECT_EQ(embed(true, "bf16").report.computed, 1U);
  const fs::path weights = folder_.path() / "model" / "model.safetensors";
  std::fstream file(weights, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-1, std::ios::end);
  file.put('\x3c');  // of the last number of the last tensor
  file.close();
  EXPECT_EQ(embed().report.computed, 1U);
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

TEST(RepeatedInputs, EachTellsWhetherItselfWasCut) {
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "dog ";
  const Outcome outcome = run(load(0), {Input::text(longest + "a"), Input::text(longest + "b")});
  EXPECT_EQ(outcome.report.computed, 1U);
  EXPECT_EQ(outcome.report.truncated_texts, 2U);
}

}  // namespace
}  // namespace moa
