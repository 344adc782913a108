// CLIP's ResNets: three convolutions to begin with, average pools instead of strides, and attention as the
// last pool. Radford et al. 2021 (arXiv 2103.00020), section 2.4; reference: open_clip 3.3 ModifiedResNet,
// whose names for tensors are OpenAI's own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "models/embedding_model.hpp"
#include "tensor/ops.hpp"
#include "tensor/weights.hpp"

namespace moa {

struct ClipResNetConfig {
  std::array<std::int64_t, 4> layers{};  // bottlenecks in each stage
  std::int64_t width = 64;               // channels behind the stem
  std::int64_t heads = 32;               // of the last pool
  std::int64_t image_px = 224;

  // open_clip's "vision_cfg" with a list as "layers". Errors: unsupported, out_of_range, shape_mismatch.
  static ClipResNetConfig read(const Config& config);
  // Channels behind the last stage.
  std::int64_t features() const { return 32 * width; }
};

// 1x1 to fewer channels, 3x3, 1x1 to four times as many; batch norms are folded in. Where the stride is 2,
// squares of 2 px are averaged, of the input as well.
struct ResNetBottleneck {
  Convolution reduce;
  Convolution convolve;
  Convolution expand;
  Convolution shortcut;  // without weight: the input is added as it is
  std::int64_t stride = 1;

  Tensor forward(Ops& ops, const Tensor& x) const;
};

// The mean of all pixels asks every pixel and itself.
struct ResNetAttentionPool {
  Parameter position_embedding;  // [1 + pixels, features]
  Linear q;
  Linear kv;  // keys, and values below them
  Linear out;
  std::int64_t heads = 0;

  Rows forward(Ops& ops, const Tensor& x) const;
};

struct ClipResNet {
  std::array<Convolution, 3> stem;
  std::vector<ResNetBottleneck> blocks;
  ResNetAttentionPool pool;

  // Pixels behind the stem, at a quarter of the resolution.
  Tensor begin(Ops& ops, const Tensor& pixels) const;
  // One row a picture.
  Rows forward(Ops& ops, const Tensor& pixels) const;
};

// `scope` is where "conv1.weight" and "layer1." begin.
ClipResNet take_clip_resnet(const WeightScope& scope, const ClipResNetConfig& config, std::int64_t dim);
ImageTowerFacts facts_of(const ClipResNetConfig& config);

}  // namespace moa
