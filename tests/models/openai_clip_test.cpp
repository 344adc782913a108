#include "models/openai_clip.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

// No numbers, as none are looked at.
class NoNumbers final : public ParameterSource {
 public:
  void read(std::int64_t, std::int64_t, float*) const override { FAIL() << "sizes are told by shapes alone"; }
};

Weights weights_of(const std::map<std::string, Shape>& shapes) {
  Weights weights;
  for (const auto& [name, shape] : shapes) {
    weights.add(Parameter(name, shape, DType::f16, std::make_shared<NoNumbers>()));
  }
  return weights;
}

void add_text(std::map<std::string, Shape>& shapes, std::int64_t width, std::int64_t dim) {
  shapes["text_projection"] = {width, dim};
  shapes["positional_embedding"] = {77, width};
  shapes["token_embedding.weight"] = {49408, width};
  shapes["ln_final.weight"] = {width};
  for (int layer = 0; layer < 12; ++layer) {
    const std::string block = "transformer.resblocks." + std::to_string(layer);
    shapes[block + ".ln_1.weight"] = {width};
    shapes[block + ".mlp.c_fc.weight"] = {4 * width, width};
  }
}

std::map<std::string, Shape> vit_l_14_336() {
  std::map<std::string, Shape> shapes;
  add_text(shapes, 768, 768);
  shapes["visual.proj"] = {1024, 768};
  shapes["visual.conv1.weight"] = {1024, 3, 14, 14};
  shapes["visual.positional_embedding"] = {577, 1024};
  for (int layer = 0; layer < 24; ++layer) {
    shapes["visual.transformer.resblocks." + std::to_string(layer) + ".attn.in_proj_weight"] = {3072, 1024};
  }
  return shapes;
}

Config part(const Config& config, const char* name) {
  return config.object("model_cfg").object(name);
}

TEST(OpenAiClip, TellsAVitFromTheShapesOfItsTensors) {
  const Config config = openai_clip_config(weights_of(vit_l_14_336()), "ViT-L-14-336px.pt");
  EXPECT_TRUE(config.object("model_cfg").boolean("quick_gelu", false));
  EXPECT_EQ(config.object("model_cfg").integer("embed_dim", 0), 768);
  const Config vision = part(config, "vision_cfg");
  EXPECT_EQ(vision.integer("width", 0), 1024);
  EXPECT_EQ(vision.integer("layers", 0), 24);
  EXPECT_EQ(vision.integer("patch_size", 0), 14);
  EXPECT_EQ(vision.integer("image_size", 0), 336);
  const Config text = part(config, "text_cfg");
  EXPECT_EQ(text.integer("context_length", 0), 77);
  EXPECT_EQ(text.integer("vocab_size", 0), 49408);
  EXPECT_EQ(text.integer("width", 0), 768);
  EXPECT_EQ(text.integer("heads", 0), 12);
  EXPECT_EQ(text.integer("layers", 0), 12);
}

TEST(OpenAiClip, TellsAResNetFromTheShapesOfItsTensors) {
  std::map<std::string, Shape> shapes;  // RN50x4
  add_text(shapes, 640, 640);
  shapes["visual.conv1.weight"] = {40, 3, 3, 3};
  shapes["visual.attnpool.positional_embedding"] = {82, 2560};
  const int stages[] = {4, 6, 10, 6};
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < stages[stage]; ++block) {
      const std::string name = "visual.layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      shapes[name + ".conv1.weight"] = {80 << stage, 80, 1, 1};
      shapes[name + ".bn1.weight"] = {80 << stage};
    }
  }
  const Config vision = part(openai_clip_config(weights_of(shapes), "RN50x4.pt"), "vision_cfg");
  EXPECT_EQ(vision.numbers("layers", {}), (std::vector<double>{4, 6, 10, 6}));
  EXPECT_EQ(vision.integer("width", 0), 80);
  EXPECT_EQ(vision.integer("image_size", 0), 288);
  EXPECT_FALSE(vision.has("patch_size"));
}

TEST(OpenAiClip, RefusesWeightsThatDoNotTellItsSizes) {
  for (const char* needed :
       {"visual.proj", "visual.conv1.weight", "visual.positional_embedding", "text_projection",
        "positional_embedding", "ln_final.weight", "token_embedding.weight"}) {
    std::map<std::string, Shape> shapes = vit_l_14_336();
    shapes.erase(needed);
    MOA_EXPECT_ERROR(openai_clip_config(weights_of(shapes), "test"), unsupported);
  }
  std::map<std::string, Shape> flat = vit_l_14_336();
  flat["visual.conv1.weight"] = {1024, 588};
  MOA_EXPECT_ERROR(openai_clip_config(weights_of(flat), "test"), unsupported);
  MOA_EXPECT_ERROR(openai_clip_config(Weights(), "test"), unsupported);
}

}  // namespace
}  // namespace moa
