// Dual encoders as open_clip 3.3 configures them and names their tensors: the networks of clip.hpp,
// clip_resnet.hpp and siglip.hpp.
#pragma once

#include <memory>

#include "models/embedding_model.hpp"

namespace moa {

// From open_clip_config.json. What it may ask for beyond these (other timm trunks, other text towers, …) is
// unsupported, by the name of the field.
std::unique_ptr<EmbeddingModel> build_open_clip(const Config& config, Weights& weights);

inline constexpr Architecture kOpenClipArchitecture{"open_clip", CheckpointLayout::open_clip, "",
                                                    "CLIP with ViT or ResNet pictures, CLIPA, SigLIP and "
                                                    "CoCa, as open_clip saves them (open_clip_config.json)",
                                                    build_open_clip};

}  // namespace moa
