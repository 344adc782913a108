#include "models/blip.hpp"

#include <algorithm>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include <moa/error.hpp>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "models/golden.hpp"

namespace moa {
namespace {

constexpr double kHiddenTolerance = 1e-4;
constexpr double kScoreTolerance = 1e-4;

class BlipStages : public testing::TestWithParam<const char*> {
 protected:
  // The ids of every text, `times` over, as one batch.
  Tokens repeated_tokens(Interpreter& ops, std::int64_t times) const {
    std::vector<std::int32_t> ids;
    std::vector<std::int64_t> lengths;
    for (std::int64_t i = 0; i < times; ++i) {
      ids.insert(ids.end(), golden_.ids.begin(), golden_.ids.end());
      lengths.insert(lengths.end(), golden_.lengths.begin(), golden_.lengths.end());
    }
    return ops.tokens(ids, {}, Sequences(lengths));
  }

  Golden golden_ = Golden::load(std::string("blip/") + GetParam());
  const Blip& blip_ = dynamic_cast<const Blip&>(*golden_.model);
  const PairScorer& scorer_ = *golden_.model->pair_scorer();
  CpuBackend backend_{CpuOptions{.threads = 2}};
};

TEST_P(BlipStages, LayersEqualTheReferences) {
  const auto ops = backend_.interpreter();
  BlipVision vision = blip_.vision_tower();
  expect_near(ops->read(vision.forward(*ops, golden_.pixels(*ops))), golden_.values("image_last_layer"),
              kHiddenTolerance, true);
  expect_near(ops->read(blip_.text_tower().forward(*ops, golden_.tokens(*ops))),
              golden_.values("text_last_layer"), kHiddenTolerance, true);
  Rows x = ops->rows_of(
      ops->convolution(golden_.pixels(*ops), vision.patch_embedding, {.stride = vision.patch_px}));
  x = ops->add_positions(ops->prepend_row(x, vision.class_embedding), vision.position_embedding);
  expect_near(ops->read(vision.blocks.front().forward(*ops, x, Mask::none)),
              golden_.values("image_first_layer"), kHiddenTolerance, true);
}

TEST_P(BlipStages, EveryPairsProbabilityEqualsTheReferences) {
  const auto ops = backend_.interpreter();
  const Rows pictures = scorer_.forward_picture(*ops, golden_.pixels(*ops));
  const Rows scores =
      scorer_.forward_pairs(*ops, pictures, repeated_tokens(*ops, golden_.expected.shape_of("pixels")[0]));
  expect_near(ops->read(scores), golden_.values("match_probabilities"), kScoreTolerance);
  EXPECT_EQ(ops->read(scorer_.vector_of(*ops, pictures)),
            ops->read(blip_.forward_image(*ops, golden_.pixels(*ops))));
}

TEST_P(BlipStages, APairIsTheSameAloneAndWithAnyNumberOfThreads) {
  const auto together = backend_.interpreter();
  const Shape shape = golden_.expected.shape_of("pixels");
  const std::vector<float> scores = together->read(
      scorer_.forward_pairs(*together, scorer_.forward_picture(*together, golden_.pixels(*together)),
                            repeated_tokens(*together, shape[0])));
  const std::vector<float> pixels = golden_.values("pixels");
  const std::size_t size = pixels.size() / static_cast<std::size_t>(shape[0]);
  CpuBackend single({.threads = 1});
  std::size_t pair = 0;
  for (std::size_t picture = 0; picture < static_cast<std::size_t>(shape[0]); ++picture) {
    std::size_t begin = 0;
    for (const std::int64_t length : golden_.lengths) {
      const auto ops = single.interpreter();
      const Tensor one =
          ops->pixels(std::span(pixels).subspan(picture * size, size), 1, 3, shape[2], shape[3]);
      const Tokens text = ops->tokens(std::span(golden_.ids).subspan(begin, static_cast<std::size_t>(length)),
                                      {}, Sequences({length}));
      EXPECT_EQ(ops->read(scorer_.forward_pairs(*ops, scorer_.forward_picture(*ops, one), text)).front(),
                scores[pair++]);
      begin += static_cast<std::size_t>(length);
    }
  }
}

TEST_P(BlipStages, PairsRunThroughAnInterpreterThatHasNoNumbers) {
  RecordingInterpreter recording;
  const Rows picture = scorer_.forward_picture(recording, golden_.pixels(recording));
  scorer_.forward_pairs(recording, picture, golden_.tokens(recording));
  const auto attentions = std::ranges::count_if(recording.calls(), [](const std::string& call) {
    return call.find(" = attention(") != std::string::npos;
  });
  EXPECT_EQ(attentions, static_cast<std::ptrdiff_t>(blip_.vision_tower().blocks.size() +
                                                    2 * blip_.text_tower().blocks.size()));
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, BlipStages, testing::Values("odd_sizes", "tanh_gelu"),
                         [](const auto& checkpoint) { return std::string(checkpoint.param); });

ErrorCode code_of(const std::string& json) {
  try {
    BlipConfig::read(Config::parse(json, "config.json"));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(BlipConfig, ABlipThatWritesIsUnsupported) {
  EXPECT_EQ(code_of(R"({"architectures": ["BlipForConditionalGeneration"]})"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"({"architectures": ["BlipForQuestionAnswering"]})"), ErrorCode::unsupported);
  EXPECT_EQ(code_of(R"({"text_config": {"is_decoder": false}})"), ErrorCode::unsupported);
}

TEST(BlipConfig, ContradictionsAndImpossibleSizesAreRefused) {
  EXPECT_EQ(code_of(R"({"text_config": {"num_attention_heads": 7}})"), ErrorCode::shape_mismatch);
  EXPECT_EQ(code_of(R"({"vision_config": {"patch_size": 400}})"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"({"image_text_hidden_size": 0})"), ErrorCode::out_of_range);
  EXPECT_EQ(code_of(R"({"text_config": {"hidden_act": "mish"}})"), ErrorCode::unsupported);
}

}  // namespace
}  // namespace moa
