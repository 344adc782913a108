// The ViT picture tower and its kin: patches and tokens of its own under pre-LN transformer blocks; the class
// token's row is the picture. Dosovitskiy et al. 2021 (arXiv 2010.11929); DeiT: Touvron et al. 2021 (arXiv
// 2012.12877); DINOv2: Oquab et al. 2023 (arXiv 2304.07193). References: transformers ViTModel, DeiTModel,
// Dinov2Model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "nn/row_steps.hpp"
#include "nn/transformer.hpp"

namespace moa {

struct VitConfig {
  TransformerSizes transformer{12, 768, 12, 3072, Activation::gelu, 1e-12};
  std::int64_t image_px = 224;  // that the position table is made for
  std::int64_t patch_px = 16;
  std::int64_t channels = 3;
  bool takes_any_size = false;  // positions are resized to the picture

  std::int64_t grid() const { return image_px / patch_px; }
};

struct Vit {
  VitConfig config;
  std::string description;       // "DINOv2, 12 layers, width 768, 12 heads, patches of 14 px"
  Convolution patch_embedding;   // stride = patch size
  Parameter tokens;              // [tokens before the patches, width]: the class token is the first
  Parameter position_embedding;  // [tokens + patches, width]
  std::vector<TransformerBlock> blocks;
  LayerNorm final_norm;
  std::vector<RowStep> steps;  // behind the class token's row: a pooler, a projection

  // One row a token: what goes into the first block.
  Rows embed(Ops& ops, const Tensor& pixels) const;
  // One row a picture.
  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// Whether take_vit knows the tower that `config` names by its model_type.
bool is_vit(const Config& config);
// The tower: vit or deit, with their poolers, or dinov2. `scope` is where "embeddings." and "encoder." begin.
// Errors: unsupported, out_of_range, shape_mismatch.
Vit take_vit(const Config& config, const WeightScope& scope);

}  // namespace moa
