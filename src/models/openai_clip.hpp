// CLIP as OpenAI published it (https://github.com/openai/CLIP): one file of weights without a configuration.
// The network and its names are open_clip's (open_clip.hpp).
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "models/embedding_model.hpp"

namespace moa {

// Sizes come from the shapes of the tensors, by the rules of OpenAI's build_model: heads are 64 wide, the
// activation is quick_gelu. `config` only names the file. Error: unsupported if the tensors that tell the
// sizes are not there.
std::unique_ptr<EmbeddingModel> build_openai_clip(const Config& config, Weights& weights);

// Settings that OpenAI's files keep as tensors; the shapes of the others say the same.
inline constexpr std::array<std::string_view, 3> kOpenAiSettings = {"input_resolution", "context_length",
                                                                    "vocab_size"};

// The configuration that open_clip would give to these weights; ViT, or ResNet if there is no 'visual.proj'.
Config openai_clip_config(const Weights& weights, const std::string& where);

inline constexpr Architecture kOpenAiClipArchitecture{
    "openai_clip", CheckpointLayout::openai, "", "CLIP as OpenAI published it: one file, e.g. ViT-B-32.pt",
    build_openai_clip};

}  // namespace moa
