// The same graph in a smaller precision.
#pragma once

#include "backends/onnx/graph.hpp"

namespace moa::onnx {

// Weights and products in f16. What Ops keeps in f32 (norms, softmax, pooling, scores) stays so, between
// casts, and so do inputs and outputs.
Graph in_f16(const Graph& graph);

// Matrices as 8-bit integers with a scale for each output, tables with a scale for each row. Products are
// MatMulInteger of their input, quantized row by row as the graph runs, so that an item's vector does not
// depend on its neighbours. Kernels of convolutions are stored so too, with a scale for each output, and
// widened as the graph is loaded: convolutions, norms and attention are computed in f32, and so is what Ops
// asks f32 of.
Graph in_dynamic_int8(const Graph& graph);

}  // namespace moa::onnx
