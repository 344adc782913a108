// How large the numbers inside a graph become, told by running it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <moa/model.hpp>

#include "backends/onnx/precision.hpp"
#include "base/cancellation.hpp"
#include "embed/loaded_model.hpp"
#include "export/onnx_graphs.hpp"

namespace moa {

// Items like those that a graph will be given.
struct CalibrationSamples {
  std::vector<PreparedText> texts;
  std::vector<PreparedImage> pictures;
  ImageTowerFacts tower;  // that pictures go to

  // Errors: those of preparing, naming the item; invalid_argument if nothing is there for a tower that
  // `graphs` have; cancelled.
  static CalibrationSamples prepare(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                                    std::span<const Input> pictures, std::span<const std::string> texts,
                                    CancelFlag cancelled);
};

// The least and the largest number, over all samples, of each value that a product takes (see
// onnx::in_static_int8). ONNX Runtime runs `graph`, which is in f32. Errors: those of OnnxRuntime::open;
// cancelled.
onnx::Ranges ranges_of(const OnnxGraph& graph, const CalibrationSamples& samples, CancelFlag cancelled);

}  // namespace moa
