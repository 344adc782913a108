// Models as ONNX files, for ONNX Runtime, TensorRT and whatever else reads them.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

struct OnnxExportOptions {
  // `both` writes, beside the two towers, one graph of them with the scores of every pair, where the layout
  // has one.
  enum class Towers { text, image, both };
  // Whose file, input and output names: optimum and transformers.js, or immich.
  enum class Layout { optimum, immich };
  // f16: weights and products; norms, softmax, inputs and outputs stay f32. int8: matrices with a scale for
  // each output, what they multiply quantized as it comes; the rest stays f32.
  enum class Precision { f32, f16, int8 };

  // What a graph takes of pictures: what a processor makes of their pixels, or bytes, decoded, resized and
  // cropped, [batch, height, width, 3] under the name "pixel_bytes", of which the graph makes the rest
  // itself.
  enum class Pictures { prepared, bytes };

  Towers towers = Towers::both;
  Pictures pictures = Pictures::prepared;
  Layout layout = Layout::optimum;
  Precision precision = Precision::f32;
  // Of int8: pictures and texts like those that the graphs will be given. If there are any, what matrices
  // multiply is quantized by ranges that these tell beforehand (QDQ), through ONNX Runtime's shared library
  // (LoadOptions::engine); there must be some for every tower that is written.
  std::vector<Input> calibration_pictures = {};
  std::vector<std::string> calibration_texts = {};
  // 14 to 21. LayerNormalization is one node from 17 on, Gelu from 20.
  int opset = 17;
  // Run the written graphs in ONNX Runtime, through python3 and its package onnxruntime, and compare them
  // with moa on texts of several lengths and on pictures, alone and in a batch of three.
  bool verify = false;
  const std::atomic<bool>* cancelled = nullptr;
};

// What ONNX Runtime made of a graph, beside moa in f32; over all samples, vectors on the unit sphere.
struct OnnxVerification {
  double largest_difference = 0;  // of a component
  double least_cosine = 1;
};

struct OnnxExportedGraph {
  std::string holds;  // "text", "image", "both" or "match"
  std::string file;   // relative to the directory
  std::int64_t nodes = 0;
  std::int64_t bytes = 0;
  bool checked = false;  // by ONNX's own checker and shape inference, which know opsets up to 17
  std::optional<OnnxVerification> verification;
};

struct OnnxExport {
  std::vector<OnnxExportedGraph> graphs;
  std::vector<std::string> files;  // everything written, relative to the directory, sorted
  std::string runtime;             // what verified, e.g. "onnxruntime 1.32.0"; empty if nothing did
  std::string not_verified;        // why not, if it was asked for
};

// Writes the model `name` (as Model::load takes it) into a new `directory`: graphs, the tokenizer's and the
// processor's files, a README with examples, and scripts that build TensorRT engines. The directory appears
// whole or not at all. Errors: those of Model::load; invalid_argument if `directory` is there already,
// or for another opset; unsupported, naming the layer, for what has no form in ONNX or in the layout,
// for a tower that the model has not, and where moa was built without ONNX; io_error; cancelled.
MOA_API OnnxExport export_onnx(std::string_view name, const std::filesystem::path& directory,
                               const OnnxExportOptions& options = {});

}  // namespace moa
