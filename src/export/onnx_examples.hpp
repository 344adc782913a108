// Programs that run an export, for its README: whole ones, that print what they compute.
#pragma once

#include <string>
#include <vector>

#include "embed/loaded_model.hpp"
#include "export/onnx_graphs.hpp"

namespace moa {

// Every tower of `graphs`: a text and a picture to unit vectors, with onnxruntime, numpy and, where the
// model has a tokenizer.json, tokenizers.
std::string python_example(const LoadedModel& model, const std::vector<OnnxGraph>& graphs);
// The first of `graphs`, by ONNX Runtime's C++ interface.
std::string cpp_example(const LoadedModel& model, const std::vector<OnnxGraph>& graphs);

}  // namespace moa
