#include "embed/exported_model.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "backends/onnx/names.hpp"
#include "base/file.hpp"
#include "checkpoint/file_names.hpp"
#include "embed/native_engine.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

struct Suffix {
  std::string_view dtype;
  std::string_view text;
};

constexpr std::array kSuffixes = {Suffix{"f32", ""}, Suffix{"f16", optimum::kF16Suffix},
                                  Suffix{"int8", optimum::kInt8Suffix},
                                  Suffix{"int8", optimum::kOtherInt8Suffix}};

fs::path if_there(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) ? file : fs::path();
}

std::optional<ExportedGraphs> graphs_in(const fs::path& folder, const Suffix& suffix) {
  const auto file = [&](std::string_view name) {
    return if_there(folder / (std::string(name) + std::string(suffix.text) + ".onnx"));
  };
  ExportedGraphs graphs{file(optimum::kText), file(optimum::kImage), file(optimum::kBoth),
                        file(optimum::kMatch), suffix.dtype};
  if (graphs.text.empty() && graphs.image.empty() && graphs.both.empty()) return std::nullopt;
  return graphs;
}

ExportedGraphs find_graphs(const fs::path& path, std::string_view dtype) {
  if (dtype == "bf16") {
    throw Error(ErrorCode::unsupported, "ONNX graphs have no bf16, expected auto, f32 or int8");
  }
  for (const Suffix& suffix : kSuffixes) {
    if (dtype != "auto" && dtype != suffix.dtype) continue;
    for (const fs::path& folder : {path / optimum::kFolder, path}) {
      if (const auto graphs = graphs_in(folder, suffix)) return *graphs;
    }
  }
  throw Error(ErrorCode::not_found, "cannot open '" + path.string() + "' for ONNX Runtime: found no graph" +
                                        (dtype == "auto" ? "" : " in " + std::string(dtype)) +
                                        ", expected onnx/text_model.onnx, onnx/vision_model.onnx or "
                                        "onnx/model.onnx, as moa export writes them");
}

// The graphs that vectors come of, and the files beside them that hold what is too large for one:
// "<graph>_data" and the like.
std::vector<fs::path> files_of(const ExportedGraphs& graphs) {
  const bool needs_both = graphs.text.empty() || graphs.image.empty();
  std::vector<fs::path> files;
  for (const fs::path& graph :
       {graphs.text, graphs.image, needs_both ? graphs.both : fs::path(), graphs.match}) {
    if (graph.empty()) continue;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(graph.parent_path(), ignored)) {
      if (entry.path().filename().string().starts_with(graph.filename().string()) &&
          entry.is_regular_file(ignored)) {
        files.push_back(entry.path());
      }
    }
  }
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

ModelDirectory::Layout as_directory_layout(CheckpointLayout layout) {
  switch (layout) {
    case CheckpointLayout::open_clip:
      return ModelDirectory::Layout::open_clip;
    case CheckpointLayout::openai:
      return ModelDirectory::Layout::openai;
    case CheckpointLayout::transformers:
    case CheckpointLayout::sentence_transformers:  // its modules' files lie beside the graphs, in no folders
      break;
  }
  return ModelDirectory::Layout::transformers;
}

}  // namespace

ExportedModel ExportedModel::open(const fs::path& path, std::string_view dtype) {
  constexpr std::uint64_t kMostFactsBytes = 1 << 20;
  const ExportedGraphs graphs = find_graphs(path, dtype);
  const fs::path facts_file = if_there(path / kExportedFactsName);
  if (facts_file.empty()) {
    ModelDirectory directory =
        ModelDirectory::open_graphs(path, ModelDirectory::Layout::transformers, files_of(graphs), {});
    ExportedFacts facts =
        ExportedFacts::from_configuration(directory.config(), CheckpointLayout::transformers);
    return {std::move(directory), std::move(facts), graphs};
  }
  ExportedFacts facts = ExportedFacts::parse(
      Config::parse(read_file(facts_file, kMostFactsBytes), std::string(kExportedFactsName)));
  ModelDirectory directory = ModelDirectory::open_graphs(path, as_directory_layout(facts.values().layout),
                                                         files_of(graphs), {facts_file});
  return {std::move(directory), std::move(facts), graphs};
}

}  // namespace moa
