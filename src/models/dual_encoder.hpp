// A picture tower and a text tower that were trained apart, joined by a projection each: LiT, Zhai et al.
// 2022 (arXiv 2111.07991). Reference: transformers VisionTextDualEncoderModel. Other models that are made of
// the same parts (Chinese-CLIP, AltCLIP) build the same class.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"
#include "models/picture_tower.hpp"
#include "nn/text_tower.hpp"

namespace moa {

class DualEncoder final : public EmbeddingModel {
 public:
  // `text`'s last step is its projection. `logit_scale` is the logarithm of the temperature's inverse.
  DualEncoder(TextTower text, std::unique_ptr<const PictureTower> pictures, const Parameter& logit_scale);

  std::int64_t dim() const override { return dim_; }
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &pictures_->facts(); }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_.forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override {
    return pictures_->forward(ops, pixels);
  }
  ScoreRule score_rule() const override { return score_rule_; }

 private:
  TextTower text_;
  std::unique_ptr<const PictureTower> pictures_;
  TextTowerFacts text_facts_;
  ScoreRule score_rule_;
  std::int64_t dim_;
};

// The projection of a text's pooled row into the common space: "text_projection" of `model`.
RowStep take_text_projection(const WeightScope& model, const TextTower& text, std::int64_t dim);
// What is to be known about texts for a tower.
TextTowerFacts facts_of(const TextTower& text);

std::unique_ptr<EmbeddingModel> build_dual_encoder(const Config& config, Weights& weights);

inline constexpr Architecture kDualEncoderArchitecture{
    "dual_encoder", CheckpointLayout::transformers, "vision-text-dual-encoder",
    "VisionTextDualEncoder, pictures by CLIP, ViT, DeiT or DINOv2, texts by BERT, RoBERTa, XLM-RoBERTa or "
    "MPNet: "
    "clip-italian/clip-italian, koclip/koclip-base-pt",
    build_dual_encoder};

}  // namespace moa
