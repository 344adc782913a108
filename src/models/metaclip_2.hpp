// MetaCLIP 2: CLIP learned from captions in every language ("MetaCLIP 2: A Worldwide Scaling Recipe", Chuang
// et al. 2025, arXiv 2507.22062). Reference: transformers 5.23 MetaClip2Model.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

std::unique_ptr<EmbeddingModel> build_metaclip_2(const Config& config, Weights& weights);

inline constexpr Architecture kMetaClip2Architecture{
    "metaclip_2",        CheckpointLayout::transformers,
    "metaclip_2",        "MetaCLIP 2, CLIP for texts in any language: facebook/metaclip-2-worldwide-*",
    build_metaclip_2,    TowerSet::text_and_image,
    "CLIPImageProcessor"};

}  // namespace moa
