// What an export says of itself.
#pragma once

#include <string>
#include <vector>

#include <moa/onnx.hpp>

#include "embed/loaded_model.hpp"
#include "export/onnx_graphs.hpp"

namespace moa {

// README.md: the graphs, their inputs and outputs, and an example in Python and in C++.
std::string onnx_readme(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                        const OnnxExportOptions& options);

// profiles.json: for every graph, each input's least, likely and largest shape, as TensorRT wants to know
// them.
std::string tensorrt_profiles(const LoadedModel& model, const std::vector<OnnxGraph>& graphs);
// build_tensorrt.sh: trtexec for every graph.
std::string tensorrt_commands(const LoadedModel& model, const std::vector<OnnxGraph>& graphs);

}  // namespace moa
