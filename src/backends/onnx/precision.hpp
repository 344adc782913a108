// The same graph in a smaller precision.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "backends/onnx/graph.hpp"

namespace moa::onnx {

// Weights and products in f16. What Ops keeps in f32 (norms, softmax, pooling, scores) stays so, between
// casts, and so do inputs and outputs.
Graph in_f16(const Graph& graph);

// Matrices as 8-bit integers with a scale for each output, tables with a scale for each row. Products are
// MatMulInteger of their input, quantized row by row as the graph runs, so that an item's vector does not
// depend on its neighbours. Kernels of convolutions are stored so too, with a scale for each output, and
// widened as the graph is loaded: convolutions, norms and attention are computed in f32, and so is what Ops
// asks f32 of, whose matrices are stored in 8 bits nevertheless.
Graph in_dynamic_int8(const Graph& graph);

struct Range {
  float least = 0;
  float largest = 0;
};
using Ranges = std::map<std::string, Range>;

// The values of `graph`, which is in f32, that in_static_int8() wants to know the ranges of, each once.
std::vector<std::string> product_inputs(const Graph& graph);

// The same, but what a product takes is quantized by one scale that is known beforehand, for all rows and
// items: between QuantizeLinear and DequantizeLinear (QDQ), which ONNX Runtime and TensorRT make integer
// products of. What lies outside of its range is cut off. A value without a range stays f32.
Graph in_static_int8(const Graph& graph, const Ranges& ranges);

}  // namespace moa::onnx
