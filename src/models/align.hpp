// ALIGN: EfficientNet for pictures, BERT for texts, into one space.
// Jia et al. 2021, "Scaling Up Visual and Vision-Language Representation Learning With Noisy Text
// Supervision" (arXiv 2102.05918). Reference: transformers 5.23 AlignModel.
#pragma once

#include <cstdint>
#include <memory>

#include "models/efficientnet.hpp"
#include "models/embedding_model.hpp"
#include "nn/bert.hpp"

namespace moa {

struct AlignConfig {
  BertConfig text;
  EfficientNetConfig vision;

  // Errors: out_of_range, unsupported, shape_mismatch.
  static AlignConfig read(const Config& config);
};

// The first token's hidden state, projected.
struct AlignText {
  Bert bert;
  Linear projection;

  Rows forward(Ops& ops, const Tokens& tokens) const;
};

// A picture's vector is its pooled features: it has no projection, so they are as wide as the texts' vectors.
class Align final : public EmbeddingModel {
 public:
  Align(const AlignConfig& config, Weights& weights);

  std::int64_t dim() const override { return text_.projection.weight.shape()[0]; }
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &image_facts_; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_.forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override { return vision_.forward(ops, pixels); }
  ScoreRule score_rule() const override { return score_rule_; }
  // The towers themselves, for whoever wants what is inside them, layer by layer.
  const AlignText& text_tower() const { return text_; }
  const EfficientNet& vision_tower() const { return vision_; }

 private:
  AlignText text_;
  EfficientNet vision_;
  ScoreRule score_rule_;
  TextTowerFacts text_facts_;
  ImageTowerFacts image_facts_;
};

std::unique_ptr<EmbeddingModel> build_align(const Config& config, Weights& weights);

inline constexpr Architecture kAlignArchitecture{
    "align", CheckpointLayout::transformers, "align",
    "ALIGN, EfficientNet pictures and BERT texts: kakaobrain/align-base", build_align};

}  // namespace moa
