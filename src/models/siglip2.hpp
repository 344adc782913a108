// SigLIP 2 NaFlex: pictures keep their own shapes, and their number of patches is what is bounded.
// Tschannen et al. 2025, "SigLIP 2" (arXiv 2502.14786), section 2.4.2. Reference: transformers 5.23
// Siglip2Model.
#pragma once

#include <cstdint>
#include <vector>

#include "models/siglip.hpp"

namespace moa {

struct Siglip2VisionConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::gelu_tanh, 1e-6};
  std::int64_t patch_px = 16;
  std::int64_t channels = 3;
  std::int64_t grid_edge = 16;  // of the square table of positions
};

// SigLIP's picture tower, but a patch is a row of pixels, and the positions are resized to each picture.
struct Siglip2Vision {
  Linear patch_embedding;  // [width, patch_px * patch_px * channels]
  PositionGrid positions;
  std::vector<TransformerBlock> blocks;
  LayerNorm post_norm;
  AttentionPool head;

  Rows forward(Ops& ops, const Patches& patches) const;
};

class Siglip2 final : public EmbeddingModel {
 public:
  Siglip2(ClipText text, const ClipTextConfig& text_config, Siglip2Vision vision,
          const Siglip2VisionConfig& vision_config, const Parameter& logit_scale,
          const Parameter& logit_bias);

  std::int64_t dim() const override;
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &image_facts_; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_.forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override;
  Rows forward_patches(Ops& ops, const Patches& patches) const override {
    return vision_.forward(ops, patches);
  }
  ScoreRule score_rule() const override { return score_rule_; }
  // The towers themselves, for whoever wants what is inside them, layer by layer.
  const ClipText& text_tower() const { return text_; }
  const Siglip2Vision& vision_tower() const { return vision_; }

 private:
  ClipText text_;
  Siglip2Vision vision_;
  ScoreRule score_rule_;
  TextTowerFacts text_facts_;
  ImageTowerFacts image_facts_;
};

std::unique_ptr<EmbeddingModel> build_siglip2(const Config& config, Weights& weights);

inline constexpr Architecture kSiglip2Architecture{
    "siglip2",
    CheckpointLayout::transformers,
    "siglip2",
    "SigLIP 2 NaFlex, pictures in their own shapes: google/siglip2-*-naflex",
    build_siglip2,
    TowerSet::text_and_image,
    "Siglip2ImageProcessor"};

}  // namespace moa
