// What every architecture owes, checked on every golden checkpoint below tests/golden: a folder with
// expected.safetensors beside a checkpoint. A new architecture gets these tests by adding its folder.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "models/golden.hpp"

namespace moa {
namespace {

constexpr double kVectorTolerance = 1e-5;  // for each component of a unit vector

class EveryGolden : public testing::TestWithParam<std::string> {
 protected:
  // Rows [items, dim] of all texts or pictures in one batch, on the unit sphere.
  std::vector<float> texts(CpuBackend& backend) {
    const auto ops = backend.interpreter();
    return unit(*ops, golden_.model->forward_text(*ops, golden_.tokens(*ops)));
  }
  std::vector<float> images(CpuBackend& backend) {
    const auto ops = backend.interpreter();
    return unit(*ops, golden_.forward_images(*ops));
  }
  std::vector<float> unit(Interpreter& ops, const Rows& rows) const {
    return ops.read(ops.l2_normalize(rows, golden_.model->normalize_eps()));
  }
  bool expects(const char* name) const { return golden_.expected.has(name); }

  Golden golden_ = Golden::load(GetParam());
};

TEST_P(EveryGolden, VectorsEqualTheReferences) {
  CpuBackend backend({.threads = 2});
  if (expects("text_vectors")) expect_near(texts(backend), golden_.values("text_vectors"), kVectorTolerance);
  if (expects("image_vectors")) {
    expect_near(images(backend), golden_.values("image_vectors"), kVectorTolerance);
  }
}

// `probabilities` is what the reference makes of the cosines of every picture (a row each) with every text;
// for a model without a scale of its own, the cosines.
TEST_P(EveryGolden, ProbabilitiesEqualTheReferences) {
  if (!expects("probabilities")) GTEST_SKIP() << "the reference gives none";
  CpuBackend backend({.threads = 2});
  const std::vector<float> text_rows = texts(backend);
  const std::vector<float> image_rows = images(backend);
  const ScoreRule rule = golden_.model->score_rule();
  const auto dim = static_cast<std::size_t>(golden_.model->dim());
  std::vector<float> probabilities;
  for (std::size_t image = 0; image < image_rows.size(); image += dim) {
    std::vector<double> cosines;
    std::vector<double> powers;
    double sum = 0;
    for (std::size_t text = 0; text < text_rows.size(); text += dim) {
      double cosine = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        cosine += static_cast<double>(image_rows[image + i]) * text_rows[text + i];
      }
      cosines.push_back(cosine);
      powers.push_back(std::exp(rule.scale * cosine + rule.bias));
      sum += powers.back();
    }
    for (std::size_t i = 0; i < cosines.size(); ++i) {
      double score = cosines[i];
      if (rule.kind == ScoreRule::Kind::softmax) score = powers[i] / sum;
      if (rule.kind == ScoreRule::Kind::sigmoid) score = powers[i] / (1 + powers[i]);
      probabilities.push_back(static_cast<float>(score));
    }
  }
  expect_near(probabilities, golden_.values("probabilities"), 1e-4);
}

TEST_P(EveryGolden, ATextIsTheSameAloneAndWithAnyNumberOfThreads) {
  if (!expects("text_vectors")) GTEST_SKIP() << "no text tower";
  CpuBackend backend({.threads = 2});
  CpuBackend single({.threads = 1});
  const std::vector<float> together = texts(backend);
  const auto dim = together.size() / golden_.lengths.size();
  std::size_t begin = 0;
  for (std::size_t item = 0; item < golden_.lengths.size(); ++item) {
    const auto length = static_cast<std::size_t>(golden_.lengths[item]);
    const auto ops = single.interpreter();
    const Tokens tokens =
        ops->tokens(std::span(golden_.ids).subspan(begin, length), {}, Sequences({golden_.lengths[item]}));
    const auto alone = unit(*ops, golden_.model->forward_text(*ops, tokens));
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(item * dim)))
        << "text " << item;
    begin += length;
  }
}

TEST_P(EveryGolden, APictureIsTheSameAloneAndWithAnyNumberOfThreads) {
  if (!expects("image_vectors") || !expects("pixels")) GTEST_SKIP() << "no picture tower";
  CpuBackend backend({.threads = 2});
  CpuBackend single({.threads = 1});
  const std::vector<float> together = images(backend);
  const std::vector<float> pixels = golden_.values("pixels");
  const Shape shape = golden_.expected.shape_of("pixels");
  const bool has_patches = !golden_.grids.empty();
  const auto items = has_patches ? golden_.grids.size() : static_cast<std::size_t>(shape[0]);
  const auto dim = together.size() / items;
  std::size_t begin = 0;
  for (std::size_t item = 0; item < items; ++item) {
    const auto ops = single.interpreter();
    const auto size = has_patches ? static_cast<std::size_t>(golden_.grids[item].patches() * shape[1])
                                  : pixels.size() / items;
    const std::span<const float> values = std::span(pixels).subspan(begin, size);
    begin += size;
    const Rows rows =
        has_patches
            ? golden_.model->forward_patches(
                  *ops, ops->patches(values, shape[1], std::span(golden_.grids).subspan(item, 1)))
            : golden_.model->forward_image(*ops, ops->pixels(values, 1, shape[1], shape[2], shape[3]));
    const auto alone = unit(*ops, rows);
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(item * dim)))
        << "picture " << item;
  }
}

TEST_P(EveryGolden, RunsThroughAnInterpreterThatHasNoNumbers) {
  RecordingInterpreter recording;
  if (expects("text_vectors")) golden_.model->forward_text(recording, golden_.tokens(recording));
  if (expects("image_vectors")) golden_.forward_images(recording);
  EXPECT_FALSE(recording.calls().empty());
}

std::string test_name(const testing::TestParamInfo<std::string>& folder) {
  std::string name = folder.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, EveryGolden, testing::ValuesIn(golden_folders()), test_name);

}  // namespace
}  // namespace moa
