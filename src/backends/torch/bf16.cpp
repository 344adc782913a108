#include "backends/torch/bf16.hpp"

#include <ATen/Context.h>

namespace moa::torch {
namespace {

bool processor_multiplies_bf16() {
#if defined(__x86_64__)
  return at::globalContext().hasMKLDNN() && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
#else
  return false;
#endif
}

}  // namespace

at::Tensor bf16_factor(const at::Tensor& x) {
  static const bool is_native = processor_multiplies_bf16();
  const at::Tensor rounded = x.to(at::kBFloat16);
  return x.is_cuda() || is_native ? rounded : rounded.to(at::kFloat);
}

}  // namespace moa::torch
