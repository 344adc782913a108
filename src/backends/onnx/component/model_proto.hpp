// A graph as ONNX's own messages.
#pragma once

#include <onnx/onnx_pb.h>

#include "backends/onnx/graph.hpp"
#include "backends/onnx/writer.hpp"

namespace moa::onnx {

// Everything but the constants' numbers, which `fill` puts in one by one.
::onnx::ModelProto model_proto(const Graph& graph);

// The bytes of a constant as ONNX stores them, little-endian.
std::string raw_bytes(const Initializer& initializer);

}  // namespace moa::onnx
