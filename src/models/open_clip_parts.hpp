// What the readers of open_clip's checkpoints share: its configuration's rules, and the towers that it builds
// itself, by its names for their tensors.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/config.hpp"
#include "models/clip.hpp"
#include "tensor/weights.hpp"

namespace moa {

// Refuses every field of a part but those `known`: another one might change the numbers, unless it says what
// is the case anyway (false, 0 or null). Error: unsupported, naming the field.
void refuse_unknown(const Config& config, std::initializer_list<std::string_view> known);
// Error: unsupported unless `key` (or `fallback`, where it is absent) is one of `allowed`.
void expect_string(const Config& config, const std::string& key, const std::string& fallback,
                   std::initializer_list<std::string_view> allowed);

// "text_cfg" of a text transformer and "vision_cfg" of a ViT. Errors: unsupported, out_of_range,
// shape_mismatch.
ClipTextConfig read_open_clip_text(const Config& config, Activation activation);
ClipVisionConfig read_open_clip_vision(const Config& config, Activation activation);

// `config` is "text_cfg"; `scope` is where "token_embedding.weight" and "conv1.weight" begin.
ClipText take_open_clip_text(const WeightScope& scope, const Config& config, const ClipTextConfig& sizes,
                             std::int64_t dim);
ClipVision take_open_clip_vision(const WeightScope& scope, const ClipVisionConfig& sizes, std::int64_t dim);
// All of it but the norm and the projection behind the blocks.
ClipVision take_open_clip_trunk(const WeightScope& scope, const ClipVisionConfig& sizes);
TransformerBlock take_open_clip_block(const WeightScope& block_scope, const TransformerSizes& sizes);
// open_clip stores a projection as [width, dim] and multiplies from the right.
Linear take_open_clip_projection(const WeightScope& scope, std::string_view name, std::int64_t width,
                                 std::int64_t dim);
// The text tower's, with or without a bias; empty where 'proj_type' is "none". Error: shape_mismatch if the
// width is not the vector's then.
Linear take_open_clip_text_projection(const WeightScope& scope, const Config& config, std::int64_t width,
                                      std::int64_t dim);

}  // namespace moa
