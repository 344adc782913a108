// SigLIP, and SigLIP 2 at fixed resolutions: one tower for pictures, one for texts, compared pair by pair.
// Zhai et al. 2023, "Sigmoid Loss for Language Image Pre-Training" (arXiv 2303.15343); Tschannen et al. 2025,
// "SigLIP 2" (arXiv 2502.14786). Reference: transformers 5.23 SiglipModel.
#pragma once

#include <cstdint>
#include <vector>

#include "models/clip.hpp"
#include "models/embedding_model.hpp"
#include "nn/attention_pool.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct SiglipVisionConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::gelu_tanh, 1e-6};
  std::int64_t image_px = 224;
  std::int64_t patch_px = 16;
  std::int64_t channels = 3;

  std::int64_t patches() const { return (image_px / patch_px) * (image_px / patch_px); }
};

// A picture's patches, transformer blocks; a learned query over all of them is the picture. There is no
// projection behind it: the width of this tower is the width of the common space.
struct SiglipVision {
  Convolution patch_embedding;   // stride = patch size, with bias
  Parameter position_embedding;  // [patches, width]
  std::vector<TransformerBlock> blocks;
  LayerNorm post_norm;
  AttentionPool head;
  std::int64_t patch_px = 0;

  Rows forward(Ops& ops, const Tensor& pixels) const;
};

ImageTowerFacts facts_of(const SiglipVisionConfig& config);

// The probability of a pair: sigmoid(exp(logit_scale) cosine + logit_bias); one number each. Error:
// corrupt_data unless they are finite.
ScoreRule sigmoid_rule(const Parameter& logit_scale, const Parameter& logit_bias);

// Parts that SigLIP 2's NaFlex has too. `config` is the whole model's, and `dim` the width of its vectors.
// Errors: shape_mismatch if texts come out in another width; unsupported without a pooling head.
ClipTextConfig read_siglip_text_config(const Config& config, std::int64_t dim);
void require_siglip_head(const Config& vision_config);
ClipText take_siglip_text(const WeightScope& tower, const ClipTextConfig& config, std::int64_t dim);
AttentionPool take_siglip_head(const WeightScope& head, const TransformerSizes& sizes);

std::unique_ptr<EmbeddingModel> build_siglip(const Config& config, Weights& weights);

inline constexpr Architecture kSiglipArchitecture{
    "siglip",
    CheckpointLayout::transformers,
    "siglip",
    "SigLIP and SigLIP 2 at fixed resolutions: google/siglip-*, google/siglip2-*-patch*-*, and fine-tunes of "
    "them",
    build_siglip,
    TowerSet::text_and_image,
    "SiglipImageProcessor"};

}  // namespace moa
