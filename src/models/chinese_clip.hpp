// Chinese-CLIP: CLIP's pictures, and texts by a Chinese BERT.
// Yang et al. 2022 (arXiv 2211.01335). Reference: transformers 5.23 ChineseCLIPModel.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

std::unique_ptr<EmbeddingModel> build_chinese_clip(const Config& config, Weights& weights);

inline constexpr Architecture kChineseClipArchitecture{
    "chinese_clip",
    CheckpointLayout::transformers,
    "chinese_clip",
    "Chinese-CLIP with ViT pictures: OFA-Sys/chinese-clip-vit-*",
    build_chinese_clip,
    TowerSet::text_and_image,
    "ChineseCLIPImageProcessor"};

}  // namespace moa
