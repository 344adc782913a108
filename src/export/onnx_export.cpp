#include <algorithm>
#include <memory>
#include <system_error>
#include <utility>

#include <moa/error.hpp>
#include <moa/onnx.hpp>

#include "backends/onnx/names.hpp"
#include "backends/onnx/writer.hpp"
#include "base/component.hpp"
#include "base/new_directory.hpp"
#include "checkpoint/file_names.hpp"
#include "embed/exported_facts.hpp"
#include "embed/loaded_model.hpp"
#include "embed/native_engine.hpp"
#include "export/immich_files.hpp"
#include "export/onnx_calibration.hpp"
#include "export/onnx_graphs.hpp"
#include "export/onnx_readme.hpp"
#include "export/onnx_verification.hpp"
#include "export/scripts.hpp"
#include "image/processor.hpp"

namespace moa {
namespace {

using Holds = OnnxGraph::Holds;

std::string_view name(Holds holds) {
  switch (holds) {
    case Holds::text:
      return "text";
    case Holds::image:
      return "image";
    case Holds::both:
      return "both";
    case Holds::match:
      return "match";
  }
  return "unknown";
}

std::string_view name(ScoreRule::Kind kind) {
  switch (kind) {
    case ScoreRule::Kind::softmax:
      return "softmax";
    case ScoreRule::Kind::sigmoid:
      return "sigmoid";
    case ScoreRule::Kind::cosine:
      return "cosine";
  }
  return "unknown";
}

// Every recipe is a line through what it makes of the least and the largest byte.
OnnxPixelValues values_of(const PictureRecipe& recipe) {
  const PixelValues table = pixel_values(recipe);
  OnnxPixelValues values;
  for (std::size_t channel = 0; channel < table.size(); ++channel) {
    const double least = table[channel].front();
    values.scale[channel] = static_cast<float>((table[channel].back() - least) / 255);
    values.shift[channel] = static_cast<float>(least);
  }
  return values;
}

// A tower that takes any size is written for what its processor makes.
PictureInput picture_input(const LoadedModel& model, const OnnxExportOptions& options) {
  const ImageTowerFacts* tower = model.network().image();
  if (tower == nullptr) return {};
  const bool takes_bytes = options.pictures == OnnxExportOptions::Pictures::bytes;
  if (tower->takes_patches()) {
    PictureInput picture{0, 0, tower->channels * tower->patch_px * tower->patch_px};
    if (takes_bytes) picture.values = OnnxPixelValues{};
    return picture;
  }
  if (!tower->takes_any_size && !takes_bytes) return {tower->height_px, tower->width_px, 0};
  const ImageProcessor& processor = model.processor();
  PictureInput picture{processor.height_px(), processor.width_px(), 0};
  if (takes_bytes) picture.values = values_of(processor.recipe());
  return picture;
}

// Better to learn it before the model is read.
void expect_component() {
  try {
    Component::open(onnx::kOnnxComponent);
  } catch (const Error& error) {
    throw Error(error.code(), "cannot write ONNX: " + std::string(error.what()) +
                                  " (moa is built with it where libonnx-dev and libprotobuf-dev are)");
  }
}

void calibrate(const LoadedModel& model, const OnnxExportOptions& options, std::vector<OnnxGraph>& graphs) {
  const CalibrationSamples samples = CalibrationSamples::prepare(
      model, graphs, options.calibration_pictures, options.calibration_texts, options.cancelled);
  for (OnnxGraph& graph : graphs) {
    if (graph.holds == Holds::match) continue;  // whose pictures are rows of another graph
    graph.graph = onnx::in_static_int8(graph.graph, ranges_of(graph, samples, options.cancelled));
  }
}

// What moa needs to know of the model to have the graphs run (--engine onnxruntime).
ExportedFacts facts_of(const LoadedModel& model, const OnnxExportOptions& options) {
  ModelInfo info;
  model.engine().describe(info);
  ExportedFacts facts =
      ExportedFacts::of(model.facts(), info.architecture, layout_of(model.directory().layout()));
  if (facts.image() == nullptr || facts.image()->takes_patches()) return facts;
  ExportedFacts::Values values = facts.values();
  const PictureInput size = picture_input(model, options);  // which the graph has only one of
  values.image->takes_any_size = false;
  values.image->height_px = size.height_px;
  values.image->width_px = size.width_px;
  return ExportedFacts(std::move(values));
}

// What a graph alone should still tell.
void describe(const LoadedModel& model, OnnxGraph& graph) {
  std::map<std::string, std::string>& metadata = graph.graph.metadata;
  metadata["moa.identity"] = model.identity();
  const ScoreRule rule = model.network().score_rule();
  metadata["moa.score"] = name(rule.kind);
  metadata["moa.logit_scale"] = std::to_string(rule.scale);
  metadata["moa.logit_bias"] = std::to_string(rule.bias);
  if (graph.takes_texts()) {
    metadata["moa.context_tokens"] = std::to_string(model.longest_text());
    metadata["moa.prompt"] = model.with_prompt("", std::nullopt);
  }
  if (graph.takes_pictures()) metadata["moa.processor"] = model.processor_description();
}

// Tokenizer, processor and configuration, as they came with the model.
void copy_files(const ModelDirectory& model, const std::filesystem::path& folder, NewDirectory& directory,
                bool (*wanted)(std::string_view)) {
  for (const std::string_view name : kIdentityFileNames) {
    if (!wanted(name)) continue;
    if (const std::optional<std::string> content = model.file(name)) directory.write(folder / name, *content);
  }
}

bool is_tokenizer_file(std::string_view name) {
  return std::ranges::find(kTokenizerFileNames, name) != kTokenizerFileNames.end();
}

void write_beside(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                  const OnnxExportOptions& options, NewDirectory& directory) {
  if (options.layout == OnnxExportOptions::Layout::immich) {
    write_immich_files(model, graphs, directory);
    const bool has_text = graphs.front().holds == Holds::text;
    if (has_text) copy_files(model.directory(), immich::kTextFolder, directory, is_tokenizer_file);
  } else {
    // The graphs are what they are, however the weights were stored.
    copy_files(model.directory(), {}, directory,
               [](std::string_view name) { return name != kQuantizationName; });
    directory.write(kExportedFactsName, facts_of(model, options).json());
  }
  directory.write("README.md", onnx_readme(model, graphs, options));
  directory.write("profiles.json", tensorrt_profiles(model, graphs));
  directory.write("build_tensorrt.py", kTensorRtBuildScript);
  directory.write("build_tensorrt.sh", tensorrt_commands(model, graphs));
  std::error_code ignored;  // then it is run by sh
  std::filesystem::permissions(directory.path() / "build_tensorrt.sh", std::filesystem::perms(0755), ignored);
}

}  // namespace

OnnxExport export_onnx(std::string_view model_name, const std::filesystem::path& place,
                       const OnnxExportOptions& options) {
  if (is_calibrated(options) && options.precision != OnnxExportOptions::Precision::int8) {
    throw Error(ErrorCode::invalid_argument, "cannot calibrate a graph in f32 or f16: expected int8");
  }
  if (options.pictures == OnnxExportOptions::Pictures::bytes &&
      (is_calibrated(options) || options.layout == OnnxExportOptions::Layout::immich)) {
    throw Error(ErrorCode::unsupported,
                "cannot write a graph that takes a picture's bytes calibrated, or for immich, which prepares "
                "pictures itself");
  }
  expect_component();
  NewDirectory directory(place, options.cancelled);
  const std::shared_ptr<const LoadedModel> model =
      LoadedModel::load(model_name, {.device = "cpu", .dtype = "f32"});
  std::vector<OnnxGraph> graphs = onnx_graphs(model->network(), picture_input(*model, options), options);
  OnnxExport result;
  if (is_calibrated(options)) calibrate(*model, options, graphs);
  for (OnnxGraph& graph : graphs) {
    describe(*model, graph);
    const onnx::WriteResult written = onnx::write_graph(graph.graph, directory.file(graph.file));
    result.graphs.push_back({std::string(name(graph.holds)), graph.file,
                             static_cast<std::int64_t>(graph.graph.nodes.size()), written.bytes,
                             written.checked, std::nullopt});
  }
  write_beside(*model, graphs, options, directory);
  if (options.verify) {
    OnnxVerifications verified = verify_onnx(*model, graphs, directory);
    result.runtime = std::move(verified.runtime);
    result.not_verified = std::move(verified.not_verified);
    for (std::size_t i = 0; i < verified.graphs.size(); ++i) {
      result.graphs[i].verification = verified.graphs[i];
    }
  }
  result.files = directory.files();
  directory.commit();
  return result;
}

}  // namespace moa
