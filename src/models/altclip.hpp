// AltCLIP: CLIP's pictures, and texts in many languages by an XLM-RoBERTa that was taught CLIP's text space.
// Chen et al. 2022 (arXiv 2211.06679). Reference: transformers 5.23 AltCLIPModel.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

std::unique_ptr<EmbeddingModel> build_altclip(const Config& config, Weights& weights);

inline constexpr Architecture kAltClipArchitecture{
    "altclip",           CheckpointLayout::transformers,
    "altclip",           "AltCLIP: BAAI/AltCLIP, AltCLIP-m9, AltCLIP-m18",
    build_altclip,       TowerSet::text_and_image,
    "CLIPImageProcessor"};

}  // namespace moa
