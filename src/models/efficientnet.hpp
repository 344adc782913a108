// EfficientNet as a picture tower: inverted residual blocks with squeeze-and-excitation, any width and depth.
// Tan and Le 2019 (arXiv 1905.11946); squeeze-and-excitation: Hu et al. 2018 (arXiv 1709.01507). Reference:
// transformers 5.23 AlignVisionModel, which has no head behind its blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

// One block, its sizes after scaling.
struct EfficientNetBlockSizes {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t inner_channels = 0;  // equal to in_channels: there is no expansion layer
  std::int64_t squeezed_channels = 0;
  std::int64_t kernel_px = 3;
  std::int64_t stride = 1;
  bool pads_evenly = false;  // with stride 2: as many zeros before as behind, instead of one fewer
  bool adds_input = false;   // all but the first block of a stage
};

struct EfficientNetConfig {
  std::int64_t image_px = 600;
  std::int64_t channels = 3;
  std::int64_t stem_channels = 0;
  Activation activation = Activation::silu;
  double norm_eps = 1e-3;
  std::vector<EfficientNetBlockSizes> blocks;

  // By the names and defaults of transformers' AlignVisionConfig. Errors: out_of_range, unsupported,
  // corrupt_data, shape_mismatch.
  static EfficientNetConfig read(const Config& config);
  std::int64_t dim() const { return blocks.back().out_channels; }
};

// A convolution (the batch norm behind it folded in) and how it is applied.
struct EfficientNetConvolution {
  Convolution layer;
  ConvolutionOptions options;

  Tensor forward(Ops& ops, const Tensor& x, const Tensor* residual = nullptr) const;
};

// What a block's channels are multiplied by: an MLP of their means.
struct SqueezeExcitation {
  Linear reduce;
  Linear expand;
  Activation activation = Activation::silu;

  Tensor forward(Ops& ops, const Tensor& x) const;
};

struct EfficientNetBlock {
  std::optional<EfficientNetConvolution> expand;
  EfficientNetConvolution depthwise;
  SqueezeExcitation excitation;
  EfficientNetConvolution project;
  bool adds_input = false;

  Tensor forward(Ops& ops, const Tensor& x) const;
};

struct EfficientNet {
  EfficientNetConvolution stem;
  std::vector<EfficientNetBlock> blocks;

  // One row of `dim()` values a picture: the means of the last block's channels.
  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// `scope` is where "embeddings." and "encoder." begin.
EfficientNet take_efficientnet(const WeightScope& scope, const EfficientNetConfig& config);

// "EfficientNet, 55 blocks, 64 to 640 channels".
std::string describe(const EfficientNetConfig& config);

}  // namespace moa
