// A directory of ONNX graphs in optimum's layout, with the files beside them: what `moa export` writes, and
// optimum and transformers.js.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "checkpoint/model_directory.hpp"
#include "embed/exported_facts.hpp"

namespace moa {

// Graphs of one precision; a path is empty where there is no such file.
struct ExportedGraphs {
  std::filesystem::path text;
  std::filesystem::path image;
  std::filesystem::path both;
  std::filesystem::path match;
  std::string_view dtype = "f32";  // or "f16" or "int8", as their names say
};

struct ExportedModel {
  ModelDirectory directory;
  ExportedFacts facts;
  ExportedGraphs graphs;

  // `dtype` as LoadOptions has it; "auto" is the widest that is there. Graphs lie in the folder onnx, or, as
  // optimum leaves them, in `path` itself. Where moa_export.json is not there, what is known of the model is
  // what its configuration says. Errors: not_found (no graph, or none in that precision); unsupported (bf16);
  // those of ExportedFacts and of ModelDirectory.
  static ExportedModel open(const std::filesystem::path& path, std::string_view dtype);
};

}  // namespace moa
