// Where an adapter sits, from the words of a configuration.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "models/golden.hpp"
#include "train/learned_names.hpp"

namespace moa::train {
namespace {

class AdapterTargets : public testing::Test {
 protected:
  std::vector<std::string> targets(const std::vector<std::string>& words,
                                   const std::vector<std::string>& freeze = {},
                                   AdapterKind kind = AdapterKind::lora) const {
    return adapter_targets(*golden_.model, kind, words, freeze);
  }
  static bool any_begins(const std::vector<std::string>& names, const std::string& beginning) {
    return std::ranges::any_of(names, [&](const std::string& name) { return name.starts_with(beginning); });
  }
  Golden golden_ = Golden::load("clip/odd_sizes");
};

TEST_F(AdapterTargets, AreAllLinearLayersOfTheTowersThatLearn) {
  const std::vector<std::string> all = targets({"all"});
  const std::vector<std::string> text = targets({"text"});
  const std::vector<std::string> image = targets({"image"});
  EXPECT_EQ(all.size(), text.size() + image.size());
  EXPECT_EQ(text.size() % 6, 1U);  // six a layer, and the projection
  EXPECT_EQ(std::ranges::count(text, "text_model.encoder.layers.0.mlp.fc2"), 1);
  EXPECT_FALSE(any_begins(text, "vision_model"));
  EXPECT_EQ(targets({"all"}, {"image"}), text);
}

TEST_F(AdapterTargets, InATrunkMakeItLearn) {
  const auto learns = [&](const std::vector<std::string>& names, const std::vector<std::string>& layers) {
    EngineOptions options;
    options.trainable.include = names;
    if (!layers.empty()) options.adapter = AdapterOptions{.targets = layers};
    return learns_trunk(*golden_.model, "text", options);
  };
  EXPECT_FALSE(learns({"text_projection.weight"}, {}));
  EXPECT_TRUE(learns({"text_model.final_layer_norm.bias"}, {}));
  EXPECT_FALSE(learns({}, {"text_projection"}));
  EXPECT_TRUE(learns({}, {"text_model.encoder.layers.0.mlp.fc2"}));
  EXPECT_TRUE(learns_tower(*golden_.model, "text", {.trainable = {{"text_projection.weight"}, {}}}));
}

TEST_F(AdapterTargets, MayBeNamed) {
  const std::vector<std::string> some = targets({"*q_proj"});
  EXPECT_TRUE(any_begins(some, "text_model") && any_begins(some, "vision_model"));
  EXPECT_EQ(targets({"*q_proj"}, {"text"}).size() + targets({"*q_proj"}, {"image"}).size(), some.size());
  EXPECT_EQ(targets({"*q_proj", "text_projection"}).size(), some.size() + 1);
}

TEST_F(AdapterTargets, OfSharedFactorsAreWhatCanBeCutIntoSquares) {
  for (const std::string& name : targets({"all"}, {}, AdapterKind::shared)) {
    EXPECT_TRUE(name.find("self_attn") != std::string::npos) << name;  // fc1 is [75, 36]
  }
  EXPECT_FALSE(
      targets({"*fc1"}, {}, AdapterKind::shared).empty());  // whoever names them is told by the engine
}

TEST_F(AdapterTargets, ThatNameNothingAreRefused) {
  MOA_EXPECT_ERROR(targets({"*q_proj", "*token_embedding"}), invalid_argument);
  MOA_EXPECT_ERROR(targets({"all"}, {"all"}), invalid_argument);
}

}  // namespace
}  // namespace moa::train
