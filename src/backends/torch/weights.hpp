// A model's parameters as tensors of torch, those that are learned among them.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <memory>
#include <string>

#include "tensor/parameter.hpp"

namespace moa::torch {

// What is added to a linear layer beside its weight: an adapter.
class LinearAddition {
 public:
  virtual ~LinearAddition() = default;
  // For x [..., in]: what is added to x weightᵀ, [..., out].
  virtual at::Tensor forward(const at::Tensor& x) const = 0;
};

// f32, on one device. A stacked parameter, a view, a product, a convolution and its norm are made of the
// checkpoint's own tensors each time that they are asked for, so that gradients reach those. Not thread-safe.
class TorchWeights {
 public:
  explicit TorchWeights(at::Device device) : device_(device) {}

  at::Device device() const noexcept { return device_; }
  // `parameter` as it is now; undefined for none.
  at::Tensor of(const Parameter& parameter);
  // The checkpoint's own tensor that gradients are wanted of; it is a leaf. Asked again, the same tensor.
  at::Tensor learn(const Parameter& parameter);
  // From here on every linear layer of this weight, alone or in a stack, has `addition`.
  void add_to(const Parameter& weight, std::shared_ptr<const LinearAddition> addition);

  // What additions bring to x weightᵀ; undefined if there is none.
  at::Tensor additions(const at::Tensor& x, const Parameter& weight) const;

 private:
  at::Tensor leaf(const Parameter& parameter);
  // What a norm multiplies each channel with; its statistics are not learned.
  at::Tensor factors(const BatchNorm& norm);

  at::Device device_;
  struct Leaf {
    Parameter parameter;  // alive as long as its identity is a key
    at::Tensor tensor;
  };
  std::map<const void*, Leaf> leaves_;
  std::map<const void*, std::shared_ptr<const LinearAddition>> additions_;
};

}  // namespace moa::torch
