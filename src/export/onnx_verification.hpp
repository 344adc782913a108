// Written graphs, run by ONNX Runtime and compared with moa.
#pragma once

#include <string>
#include <vector>

#include <moa/onnx.hpp>

#include "base/new_directory.hpp"
#include "embed/loaded_model.hpp"
#include "export/onnx_graphs.hpp"

namespace moa {

struct OnnxVerifications {
  std::vector<OnnxVerification> graphs;  // in the order of the graphs; empty if they could not be run
  std::string runtime;                   // "onnxruntime 1.32.0"
  std::string not_verified;              // why they could not be run
};

// `directory` holds the graphs' files; samples and results go to a temporary folder of their own. Python is
// MOA_PYTHON or python3. Errors: internal if ONNX Runtime refuses a graph or gives other shapes; io_error;
// cancelled, as the directory's flag says.
OnnxVerifications verify_onnx(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                              const NewDirectory& directory);

}  // namespace moa
