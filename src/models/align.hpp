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

// A picture's vector is the pooled features of its EfficientNet: it has no projection, so they are as wide as
// the texts' vectors.
std::unique_ptr<EmbeddingModel> build_align(const Config& config, Weights& weights);

inline constexpr Architecture kAlignArchitecture{
    "align",
    CheckpointLayout::transformers,
    "align",
    "ALIGN, EfficientNet pictures and BERT texts: kakaobrain/align-base",
    build_align,
    TowerSet::text_and_image,
    "EfficientNetImageProcessor"};

}  // namespace moa
