#include "models/timm_siglip.hpp"

#include <string>
#include <string_view>

#include <moa/error.hpp>

#include "models/open_clip_parts.hpp"

namespace moa {
namespace {

struct TimmModel {
  std::string_view name;
  std::int64_t heads;
  Activation activation;
};

// timm 1.0.31, timm/models/vision_transformer.py. The exact GELU is not what SigLIP learned with, but what
// open_clip computes.
constexpr TimmModel kModels[] = {
    {"vit_base_patch32_siglip_256", 12, Activation::gelu_tanh},
    {"vit_base_patch16_siglip_224", 12, Activation::gelu},
    {"vit_base_patch16_siglip_256", 12, Activation::gelu},
    {"vit_base_patch16_siglip_384", 12, Activation::gelu},
    {"vit_base_patch16_siglip_512", 12, Activation::gelu},
    {"vit_large_patch16_siglip_256", 16, Activation::gelu},
    {"vit_large_patch16_siglip_384", 16, Activation::gelu},
    {"vit_large_patch16_siglip_512", 16, Activation::gelu_tanh},
    {"vit_so400m_patch14_siglip_224", 16, Activation::gelu},
    {"vit_so400m_patch14_siglip_378", 16, Activation::gelu},
    {"vit_so400m_patch14_siglip_384", 16, Activation::gelu},
    {"vit_so400m_patch16_siglip_256", 16, Activation::gelu_tanh},
    {"vit_so400m_patch16_siglip_384", 16, Activation::gelu_tanh},
    {"vit_so400m_patch16_siglip_512", 16, Activation::gelu_tanh},
    {"vit_giantopt_patch16_siglip_256", 16, Activation::gelu_tanh},
    {"vit_giantopt_patch16_siglip_384", 16, Activation::gelu_tanh},
};

const TimmModel& find_model(const Config& config) {
  const std::string name = config.string("timm_model_name", "");
  for (const TimmModel& model : kModels) {
    if (model.name == name) return model;
  }
  throw Error(ErrorCode::unsupported,
              config.where() + ": 'timm_model_name': found '" + name +
                  "', expected one of SigLIP's: vit_{base,large,so400m,giantopt}_patch*_siglip_*");
}

// An extent of a stored tensor; 1 where the tensor is absent or has another rank, which taking it will tell.
std::int64_t extent(const WeightScope& trunk, std::string_view name, std::size_t rank, std::size_t axis) {
  const Shape shape = trunk.shape_of(name);
  return shape.rank() == rank && shape[axis] > 0 ? shape[axis] : 1;
}

TransformerBlock take_block(const WeightScope& scope, const TransformerSizes& sizes) {
  TransformerBlock block;
  block.norm1 = take_layer_norm(scope.at("norm1"), sizes.width, sizes.norm_eps);
  block.attention.qkv = take_linear(scope.at("attn.qkv"), 3 * sizes.width, sizes.width);
  block.attention.out = take_linear(scope.at("attn.proj"), sizes.width, sizes.width);
  block.attention.width = sizes.width;
  block.attention.heads = sizes.heads;
  block.norm2 = take_layer_norm(scope.at("norm2"), sizes.width, sizes.norm_eps);
  block.mlp_in = take_linear(scope.at("mlp.fc1"), sizes.mlp_width, sizes.width);
  block.mlp_out = take_linear(scope.at("mlp.fc2"), sizes.width, sizes.mlp_width);
  block.activation = sizes.activation;
  return block;
}

AttentionPool take_pool(const WeightScope& scope, const TransformerSizes& sizes) {
  const std::int64_t width = sizes.width;
  AttentionPool pool;
  pool.probe = scope.take("latent", {1, 1, width}).reshaped({1, width});
  pool.query = take_linear(scope.at("q"), width, width);
  pool.keys_values = take_linear(scope.at("kv"), 2 * width, width);
  pool.out = take_linear(scope.at("proj"), width, width);
  pool.norm = take_layer_norm(scope.at("norm"), width, sizes.norm_eps);
  pool.mlp_in = take_linear(scope.at("mlp.fc1"), sizes.mlp_width, width);
  pool.mlp_out = take_linear(scope.at("mlp.fc2"), width, sizes.mlp_width);
  pool.activation = sizes.activation;
  pool.width = width;
  pool.heads = sizes.heads;
  return pool;
}

}  // namespace

SiglipVisionConfig read_timm_siglip(const Config& config, const WeightScope& trunk, std::int64_t dim) {
  // The sizes of open_clip's own ViT mean nothing beside a timm model, nor does what concerns training.
  refuse_unknown(config, {"image_size", "timm_model_name", "timm_model_pretrained", "timm_pool", "timm_proj",
                          "timm_proj_bias", "timm_drop", "timm_drop_path", "patch_dropout", "output_tokens",
                          "layers", "width", "head_width", "mlp_ratio", "patch_size"});
  const TimmModel& model = find_model(config);
  expect_string(config, "timm_pool", "avg", {"map"});
  expect_string(config, "timm_proj", "linear", {"none"});
  SiglipVisionConfig vision;
  vision.image_px = config.integer("image_size", 224, 1, 4096);
  vision.patch_px = extent(trunk, "patch_embed.proj.weight", 4, 3);
  vision.transformer.width = extent(trunk, "pos_embed", 3, 2);
  vision.transformer.heads = model.heads;
  vision.transformer.mlp_width = extent(trunk, "blocks.0.mlp.fc1.weight", 2, 0);
  vision.transformer.layers = 0;
  while (trunk.at("blocks", vision.transformer.layers).has("norm1.weight")) ++vision.transformer.layers;
  vision.transformer.activation = model.activation;
  check_sizes(vision.transformer, config.where());
  if (vision.transformer.width != dim || vision.patch_px > vision.image_px) {
    throw Error(ErrorCode::shape_mismatch,
                config.where() + ": found tensors of width " + std::to_string(vision.transformer.width) +
                    " and patches of " + std::to_string(vision.patch_px) +
                    " px, expected the width of 'embed_dim', " + std::to_string(dim) +
                    ", and patches that fit into " + std::to_string(vision.image_px) + " px");
  }
  return vision;
}

SiglipVision take_timm_siglip(const WeightScope& trunk, const SiglipVisionConfig& config) {
  const TransformerSizes& sizes = config.transformer;
  const std::int64_t patches = config.patches();
  const WeightScope projection = trunk.at("patch_embed.proj");
  SiglipVision vision;
  vision.patch_embedding = {
      projection.take("weight", {sizes.width, config.channels, config.patch_px, config.patch_px}),
      projection.take("bias", {sizes.width})};
  vision.position_embedding =
      trunk.take("pos_embed", {1, patches, sizes.width}).reshaped({patches, sizes.width});
  for (std::int64_t i = 0; i < sizes.layers; ++i) {
    vision.blocks.push_back(take_block(trunk.at("blocks", i), sizes));
  }
  vision.post_norm = take_layer_norm(trunk.at("norm"), sizes.width, sizes.norm_eps);
  vision.head = take_pool(trunk.at("attn_pool"), sizes);
  vision.patch_px = config.patch_px;
  return vision;
}

}  // namespace moa
