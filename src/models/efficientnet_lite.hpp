// EfficientNet-Lite: EfficientNet without squeeze-and-excitation and with ReLU6, as a picture tower.
// Tan and Le 2019 (arXiv 1905.11946), table 1; reference: efficientnet_lite_pytorch 0.1 with its batch norms
// folded into the convolutions before them, as recipes/moa-mini/lite0.py does.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/config.hpp"
#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

// One inverted residual block: `expansion` times wider inside, `channels` wide when it is done.
struct InvertedResidualSizes {
  std::int64_t kernel_px = 3;
  std::int64_t stride = 1;
  std::int64_t expansion = 6;  // 1: there is no expansion layer
  std::int64_t channels = 0;
};

struct EfficientNetLiteConfig {
  std::int64_t image_px = 224;
  std::int64_t channels = 3;
  std::int64_t stem_channels = 32;
  std::vector<InvertedResidualSizes> blocks;
  std::int64_t head_channels = 1280;
  std::int64_t classes = 1000;

  // Errors: out_of_range, corrupt_data.
  static EfficientNetLiteConfig read(const Config& config);
};

// A convolution with its bias, its activation and TensorFlow's SAME padding.
struct PaddedConvolution {
  Convolution layer;
  ConvolutionOptions options;

  Tensor forward(Ops& ops, const Tensor& x, const Tensor* residual = nullptr) const;
};

// 1x1 to more channels, k x k on each of them alone, 1x1 to fewer; the input is added where the shape allows.
struct InvertedResidual {
  std::optional<PaddedConvolution> expand;
  PaddedConvolution depthwise;
  PaddedConvolution project;
  bool adds_input = false;

  Tensor forward(Ops& ops, const Tensor& x) const;
};

struct EfficientNetLite {
  PaddedConvolution stem;
  std::vector<InvertedResidual> blocks;
  PaddedConvolution head;
  Linear classifier;

  // One row of `head_channels` values a picture.
  Rows features(Ops& ops, const Tensor& pixels) const;
  // The classes' logits, given the features.
  Rows logits(Ops& ops, const Rows& features) const;
};

// `scope` is where "stem.", "blocks.", "head." and "classifier." begin.
EfficientNetLite take_efficientnet_lite(const WeightScope& scope, const EfficientNetLiteConfig& config);

}  // namespace moa
