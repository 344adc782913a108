// SigLIP's picture tower by the names that timm 1.0 gives its tensors, as open_clip's checkpoints have it
// ("visual.trunk.*"). Reference: timm VisionTransformer with global_pool "map".
#pragma once

#include <cstdint>

#include "base/config.hpp"
#include "models/siglip.hpp"
#include "tensor/weights.hpp"

namespace moa {

// open_clip's "vision_cfg" names one of timm's models, whose sizes stand in timm's code: those that the
// tensors do not show, heads and activation, are in a table here, the others are the tensors'. `dim` is the
// width of the common space, which must be the tower's. Errors: unsupported (another model, or options for
// it, by name), shape_mismatch.
SiglipVisionConfig read_timm_siglip(const Config& vision_cfg, const WeightScope& trunk, std::int64_t dim);

SiglipVision take_timm_siglip(const WeightScope& trunk, const SiglipVisionConfig& config);

}  // namespace moa
