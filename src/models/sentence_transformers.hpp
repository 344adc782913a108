// Text models as sentence-transformers publishes them: a list of modules, from a text's hidden states to its
// vector. Reimers and Gurevych 2019 (arXiv 1908.10084). Reference: sentence-transformers 6.2.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

// Of ModelDirectory's configuration of modules. Modules: Transformer (a text tower of BERT's family),
// Pooling, then any of Dense, LayerNorm, Normalize and Dropout.
std::unique_ptr<EmbeddingModel> build_sentence_transformers(const Config& config, Weights& weights);

inline constexpr Architecture kSentenceTransformersArchitecture{
    "sentence_transformers",
    CheckpointLayout::sentence_transformers,
    "",
    "sentence-transformers' text models of BERT, RoBERTa, XLM-RoBERTa, DistilBERT or MPNet: "
    "sentence-transformers/all-MiniLM-L6-v2, all-mpnet-base-v2, clip-ViT-B-32-multilingual-v1, "
    "intfloat/multilingual-e5-*, BAAI/bge-*",
    build_sentence_transformers,
    TowerSet::text};

}  // namespace moa
