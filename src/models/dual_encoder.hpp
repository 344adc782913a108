// A picture tower and a text tower that were trained apart, joined by a projection each: LiT, Zhai et al.
// 2022 (arXiv 2111.07991). Reference: transformers VisionTextDualEncoderModel. Other models that are made of
// the same parts (Chinese-CLIP, AltCLIP) build the same class.
#pragma once

#include <cstdint>
#include <memory>

#include "models/two_towers.hpp"
#include "nn/bert_text.hpp"

namespace moa {

// The projection of a text's pooled row into the common space: "text_projection" of `model`.
RowStep take_text_projection(const WeightScope& model, const BertText& text, std::int64_t dim);
// What is to be known about texts for a tower.
TextTowerFacts facts_of(const BertText& text);
// Such a text tower, and `image`, side by side; `logit_scale` is the logarithm of the temperature's inverse.
std::unique_ptr<EmbeddingModel> join(BertText text, std::unique_ptr<const ImageTower> image,
                                     const Parameter& logit_scale);

std::unique_ptr<EmbeddingModel> build_dual_encoder(const Config& config, Weights& weights);

inline constexpr Architecture kDualEncoderArchitecture{
    "dual_encoder", CheckpointLayout::transformers, "vision-text-dual-encoder",
    "VisionTextDualEncoder, pictures by CLIP, ViT, DeiT or DINOv2, texts by BERT, RoBERTa, XLM-RoBERTa or "
    "MPNet: "
    "clip-italian/clip-italian, koclip/koclip-base-pt",
    build_dual_encoder};

}  // namespace moa
