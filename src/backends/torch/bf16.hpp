// Factors of products in bf16.
#pragma once

#include <ATen/ATen.h>

namespace moa::torch {

// `x` rounded to bf16, so that a product of two such factors is that of bf16 numbers, added up in f32. Its
// type is bf16 where libtorch multiplies so: on graphics cards, and by oneDNN on processors with AVX-512.
// Elsewhere it stays f32, with the same values: libtorch's own loops are far slower than f32 and add up in
// bf16, where 4096 times one is 256 (seen with 1.13).
at::Tensor bf16_factor(const at::Tensor& x);

}  // namespace moa::torch
