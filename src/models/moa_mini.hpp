// moa-mini, the bundled model: two published towers that never saw each other, joined through concepts.
// A picture becomes the probabilities of 1000 ImageNet classes, and those the weighted sum of the classes'
// vectors. A text becomes the mean of multilingual-e5-small's hidden states, moved by a small MLP to where
// the classes that it speaks of lie. How vectors and MLP were learned: recipes/moa-mini; reference:
// recipes/moa-mini/reference.py.
#pragma once

#include <cstdint>
#include <memory>

#include "models/efficientnet_lite.hpp"
#include "models/embedding_model.hpp"
#include "nn/bert.hpp"

namespace moa {

struct MoaMiniConfig {
  BertConfig text;
  std::int64_t text_projection_width = 768;  // inside the MLP
  EfficientNetLiteConfig vision;
  double temperature = 0.5;  // of the class probabilities
  bool has_feature_projection =
      false;  // a learned linear path from the picture's features besides the classes
  std::int64_t dim = 384;

  // Errors: out_of_range, unsupported, shape_mismatch.
  static MoaMiniConfig read(const Config& config);
};

// Hidden states of a multilingual text tower, averaged, centred, and moved by a residual MLP.
struct MoaMiniText {
  Bert bert;
  Parameter offset;  // minus the mean text, [width]
  Linear mlp_in;
  Linear mlp_out;

  // forward() is the head of the trunk, which gives the averages.
  Rows trunk(Ops& ops, const Tokens& tokens) const;
  Rows head(Ops& ops, const Rows& trunk) const;
  Rows forward(Ops& ops, const Tokens& tokens) const { return head(ops, trunk(ops, tokens)); }
};

// Class probabilities, mixed into a vector.
struct MoaMiniVision {
  EfficientNetLite classifier;
  double temperature = 1;
  Linear class_projection;    // [dim, classes]: a column is a class's vector
  Linear feature_projection;  // [dim, features]; without weight if there is none

  // forward() is the head of the trunk, which gives the classifier's features.
  Rows trunk(Ops& ops, const Tensor& pixels) const;
  Rows head(Ops& ops, const Rows& features) const;
  Rows forward(Ops& ops, const Tensor& pixels) const { return head(ops, trunk(ops, pixels)); }
};

class MoaMini final : public EmbeddingModel {
 public:
  MoaMini(const MoaMiniConfig& config, Weights& weights);

  std::int64_t dim() const override { return dim_; }
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &image_facts_; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_.forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override { return vision_.forward(ops, pixels); }
  Rows text_trunk(Ops& ops, const Tokens& tokens) const override { return text_.trunk(ops, tokens); }
  Rows text_head(Ops& ops, const Rows& trunk) const override { return text_.head(ops, trunk); }
  Rows image_trunk(Ops& ops, const Tensor& pixels) const override { return vision_.trunk(ops, pixels); }
  Rows image_head(Ops& ops, const Rows& trunk) const override { return vision_.head(ops, trunk); }
  ScoreRule score_rule() const override { return score_rule_; }

  const MoaMiniText& text_tower() const { return text_; }
  const MoaMiniVision& vision_tower() const { return vision_; }

 private:
  MoaMiniText text_;
  MoaMiniVision vision_;
  std::int64_t dim_;
  ScoreRule score_rule_;
  TextTowerFacts text_facts_;
  ImageTowerFacts image_facts_;
};

std::unique_ptr<EmbeddingModel> build_moa_mini(const Config& config, Weights& weights);

inline constexpr Architecture kMoaMiniArchitecture{
    "moa_mini", CheckpointLayout::transformers, "moa_mini",
    "moa-mini, the bundled model: ImageNet classes and multilingual texts in one space", build_moa_mini};

}  // namespace moa
