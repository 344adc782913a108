// CLIP: one tower for pictures, one for texts, into one space.
// Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision" (arXiv
// 2103.00020), section 2.4. Reference: transformers 5.23 CLIPModel.
#pragma once

#include <cstdint>
#include <vector>

#include "models/embedding_model.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct ClipTextConfig {
  TransformerSizes transformer{12, 512, 8, 2048, Activation::quick_gelu, 1e-5};
  std::int64_t vocabulary = 49408;
  std::int64_t context_tokens = 77;
  TokenRule end_of_text{TokenRule::Kind::first_of, 49407};
};

struct ClipVisionConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::quick_gelu, 1e-5};
  std::int64_t image_px = 224;
  std::int64_t patch_px = 32;
  std::int64_t channels = 3;

  std::int64_t patches() const { return (image_px / patch_px) * (image_px / patch_px); }
};

// A picture's patches, a class token before them, transformer blocks; the class token's row is the picture.
struct ClipVision {
  Convolution patch_embedding;   // stride = patch size, no bias
  Parameter class_embedding;     // [width]
  Parameter position_embedding;  // [1 + patches, width]
  LayerNorm pre_norm;
  std::vector<TransformerBlock> blocks;
  LayerNorm post_norm;
  Linear projection;  // [dim, width], no bias
  std::int64_t patch_px = 0;

  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// Tokens under a causal mask; the end-of-text token's row is the text.
struct ClipText {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter position_embedding;  // [context, width]
  std::vector<TransformerBlock> blocks;
  LayerNorm final_norm;
  Linear projection;  // [dim, width], no bias
  TokenRule end_of_text;

  Rows forward(Ops& ops, const Tokens& tokens) const;
};

// The two towers, whatever the names their tensors had in the checkpoint.
class Clip final : public EmbeddingModel {
 public:
  // `logit_scale` is the logarithm of the temperature's inverse, a scalar.
  Clip(ClipText text, const ClipTextConfig& text_config, ClipVision vision,
       const ClipVisionConfig& vision_config, const Parameter& logit_scale);

  std::int64_t dim() const override;
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &image_facts_; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override { return text_.forward(ops, tokens); }
  Rows forward_image(Ops& ops, const Tensor& pixels) const override { return vision_.forward(ops, pixels); }
  ScoreRule score_rule() const override { return score_rule_; }
  // The towers themselves, for whoever wants what is inside them, layer by layer.
  const ClipText& text_tower() const { return text_; }
  const ClipVision& vision_tower() const { return vision_; }

 private:
  ClipText text_;
  ClipVision vision_;
  ScoreRule score_rule_;
  TextTowerFacts text_facts_;
  ImageTowerFacts image_facts_;
};

// "12 layers, width 512, 8 heads".
std::string describe(const TransformerSizes& sizes);
// Error: unsupported or out_of_range if heads do not divide the width, or a size is 0.
void check_sizes(const TransformerSizes& sizes, std::string_view where);

std::unique_ptr<EmbeddingModel> build_clip(const Config& config, Weights& weights);

inline constexpr Architecture kClipArchitecture{
    "clip", CheckpointLayout::transformers, "clip",
    "CLIP with ViT pictures: openai/clip-vit-*, laion/CLIP-ViT-*, apple/DFN*, and fine-tunes of them",
    build_clip};

}  // namespace moa
