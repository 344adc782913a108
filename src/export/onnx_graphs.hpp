// A model's towers as ONNX graphs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <moa/onnx.hpp>

#include "backends/onnx/graph.hpp"
#include "backends/onnx/interpreter.hpp"
#include "models/embedding_model.hpp"

namespace moa {

// One graph of an export, and what its reader must know to feed it.
struct OnnxGraph {
  // match: a text beside the rows of a picture (PairScorer).
  enum class Holds { text, image, both, match };
  Holds holds = Holds::text;
  std::string file;  // relative to the export's directory
  onnx::Graph graph;
  OnnxTextInput text;       // if it holds texts
  OnnxImageInput image;     // if it holds pictures
  std::string text_vector;  // outputs; empty if there is none
  std::string image_vector;
  std::string per_image;
  std::string hidden;  // output or input: the rows of a picture that texts look at
  std::string probability;

  bool takes_texts() const { return holds != Holds::image; }
  bool takes_pictures() const { return holds == Holds::image || holds == Holds::both; }
};

// The pictures that a graph takes.
struct PictureInput {
  std::int64_t height_px = 0;
  std::int64_t width_px = 0;
  std::int64_t patch_width = 0;  // the numbers of a patch, if it takes pictures in their own shapes
  std::optional<OnnxPixelValues> values{};  // if it takes bytes
};

// Whether int8 is to know beforehand what is quantized.
bool is_calibrated(const OnnxExportOptions& options);

// The graphs that the options ask for; those that are to be calibrated are in f32. Errors: those of
// export_onnx.
std::vector<OnnxGraph> onnx_graphs(const EmbeddingModel& model, const PictureInput& picture,
                                   const OnnxExportOptions& options);

}  // namespace moa
