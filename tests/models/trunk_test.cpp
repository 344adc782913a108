// A tower is the head of its trunk, and heads are what is small behind it.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/recording/recording.hpp"
#include "models/golden.hpp"
#include "models/tower_walk.hpp"

namespace moa {
namespace {

class Trunks : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_ = Golden::load(GetParam());
  CpuBackend backend_{CpuOptions{}};
};

TEST_P(Trunks, GiveTheHeadsWhatTheWholeTowersHave) {
  const auto ops = backend_.interpreter();
  const EmbeddingModel& model = *golden_.model;
  const Tokens tokens = ops->tokens(golden_.ids, {}, Sequences(golden_.lengths));
  EXPECT_EQ(ops->read(model.text_head(*ops, model.text_trunk(*ops, tokens))),
            ops->read(model.forward_text(*ops, tokens)));
  EXPECT_NE(ops->read(model.text_trunk(*ops, tokens)), ops->read(model.forward_text(*ops, tokens)));
  if (model.image() == nullptr) return;
  const Shape shape = golden_.expected.shape_of("pixels");
  const Tensor pixels = ops->pixels(golden_.values("pixels"), shape[0], shape[1], shape[2], shape[3]);
  EXPECT_EQ(ops->read(model.image_head(*ops, model.image_trunk(*ops, pixels))),
            ops->read(model.forward_image(*ops, pixels)));
}

TEST_P(Trunks, HaveAllOfTheTowerButItsProjection) {
  RecordingInterpreter whole;
  RecordingInterpreter trunk;
  walk_text(*golden_.model, whole);
  walk_text_trunk(*golden_.model, trunk);
  const auto is_in_trunk = [&](const Parameter& parameter) {
    return std::ranges::any_of(
        trunk.parameters(), [&](const Parameter& other) { return other.identity() == parameter.identity(); });
  };
  for (const Parameter& parameter : whole.parameters()) {
    if (!is_in_trunk(parameter)) {
      EXPECT_EQ(parameter.name().find("layer"), std::string::npos) << parameter.name();
    }
  }
  EXPECT_LT(trunk.parameters().size(), whole.parameters().size());
  EXPECT_GE(trunk.parameters().size() + 4, whole.parameters().size());
}

INSTANTIATE_TEST_SUITE_P(, Trunks,
                         testing::Values("clip/odd_sizes", "dual_encoder/vit_bert",
                                         "sentence_transformers/roberta_max_dense"));

}  // namespace
}  // namespace moa
