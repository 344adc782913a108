// BLIP's matching side: a ViT and a BERT into one space, and the same BERT reading a picture's rows to say
// whether a text belongs to it. Li et al. 2022, "BLIP: Bootstrapping Language-Image Pre-training for Unified
// Vision-Language Understanding and Generation" (arXiv 2201.12086), section 3.1; reference: transformers 5.23
// BlipForImageTextRetrieval.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/embedding_model.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct BlipConfig {
  TransformerSizes text{12, 768, 8, 3072, Activation::gelu, 1e-12};
  std::int64_t vocabulary = 30524;
  std::int64_t context_tokens = 512;
  TransformerSizes vision{12, 768, 12, 3072, Activation::gelu, 1e-5};
  std::int64_t image_px = 384;
  std::int64_t patch_px = 16;
  std::int64_t dim = 256;

  // Errors: unsupported (a BLIP that captions or answers), out_of_range, shape_mismatch.
  static BlipConfig read(const Config& config);
  std::int64_t patches() const { return (image_px / patch_px) * (image_px / patch_px); }
};

struct BlipVision {
  Convolution patch_embedding;
  Parameter class_embedding;     // [width]
  Parameter position_embedding;  // [1 + patches, width]
  std::vector<TransformerBlock> blocks;
  LayerNorm post_norm;
  std::int64_t patch_px = 0;

  // The class token's row and one a patch, all normalised.
  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// x = norm(x + attention to a picture's rows)
struct BlipCrossAttention {
  Linear query;
  Linear key_value;  // keys, and values below them; of the picture's width
  Linear out;
  LayerNorm norm;
  std::int64_t heads = 0;

  Rows forward(Ops& ops, const Rows& x, const Rows& picture) const;
};

// x = norm1(x + attention(x));  if there is a picture, cross(x);  x = norm2(x + mlp(x))
struct BlipTextBlock {
  SelfAttention attention;
  LayerNorm norm1;
  BlipCrossAttention cross;
  Linear mlp_in;
  Linear mlp_out;
  LayerNorm norm2;
  Activation activation = Activation::gelu;
};

struct BlipText {
  Parameter token_embedding;     // [vocabulary, width]
  Parameter position_embedding;  // [context, width]
  LayerNorm embedding_norm;
  std::vector<BlipTextBlock> blocks;

  // The first token's hidden state after the last block; with `picture`, its rows are read in every block.
  Rows forward(Ops& ops, const Tokens& tokens, const Rows* picture = nullptr) const;
};

class Blip final : public EmbeddingModel, private PairScorer {
 public:
  Blip(const BlipConfig& config, Weights& weights);

  std::int64_t dim() const override { return vision_projection_.weight.shape()[0]; }
  const TextTowerFacts* text() const override { return &text_facts_; }
  const ImageTowerFacts* image() const override { return &image_facts_; }
  Rows forward_text(Ops& ops, const Tokens& tokens) const override;
  Rows forward_image(Ops& ops, const Tensor& pixels) const override;
  ScoreRule score_rule() const override { return {.kind = ScoreRule::Kind::cosine}; }
  double normalize_eps() const override { return 1e-12; }
  const PairScorer* pair_scorer() const override { return this; }
  // The towers themselves, for whoever wants what is inside them, layer by layer.
  const BlipText& text_tower() const { return text_; }
  const BlipVision& vision_tower() const { return vision_; }

 private:
  Rows forward_picture(Ops& ops, const Tensor& pixels) const override { return vision_.forward(ops, pixels); }
  Rows vector_of(Ops& ops, const Rows& picture) const override;
  Rows forward_pairs(Ops& ops, const Rows& picture, const Tokens& texts) const override;

  BlipText text_;
  BlipVision vision_;
  Linear text_projection_;
  Linear vision_projection_;
  Linear match_head_;  // [2, width]: against, for
  TextTowerFacts text_facts_;
  ImageTowerFacts image_facts_;
};

std::unique_ptr<EmbeddingModel> build_blip(const Config& config, Weights& weights);

inline constexpr Architecture kBlipArchitecture{
    "blip",
    CheckpointLayout::transformers,
    "blip",
    "BLIP's matching side, which scores pairs of a picture and a text: Salesforce/blip-itm-*",
    build_blip,
    TowerSet::text_and_image,
    "BlipImageProcessor"};

}  // namespace moa
