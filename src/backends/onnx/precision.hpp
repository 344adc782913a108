// The same graph in a smaller precision.
#pragma once

#include "backends/onnx/graph.hpp"

namespace moa::onnx {

// Weights and products in f16. What Ops keeps in f32 (norms, softmax, pooling, scores) stays so, between
// casts, and so do inputs and outputs.
Graph in_f16(const Graph& graph);

// Matrices as 8-bit integers with a scale for each output, tables with a scale for each row. Products are
// MatMulInteger of what DynamicQuantizeLinear makes of their input as the graph runs; convolutions, norms and
// attention stay f32.
Graph in_dynamic_int8(const Graph& graph);

}  // namespace moa::onnx
