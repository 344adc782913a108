// Whole exports of every golden checkpoint: ONNX's own checker and shape inference run when a graph is
// written, so that a graph that they refuse fails here.
#include <moa/onnx.hpp>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/error.hpp>

#include "backends/onnx/interpreter.hpp"
#include "backends/onnx/precision.hpp"
#include "backends/onnx/writer.hpp"
#include "export/golden_checkpoints.hpp"

namespace moa {
namespace {

std::filesystem::path golden(const std::string& folder) {
  return std::filesystem::path(MOA_TEST_DATA) / "golden" / folder;
}

class Exports : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  ErrorCode code_of(const std::string& model, const std::filesystem::path& place,
                    const OnnxExportOptions& options = {}) const {
    try {
      export_onnx(model, place, options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("moa-export-" + std::to_string(::getpid()));
};

#ifdef MOA_HAS_ONNX

TEST_F(Exports, EveryGoldenCheckpointPassesTheChecker) {
  int number = 0;
  for (const std::string& folder : golden_checkpoints()) {
    SCOPED_TRACE(folder);
    for (const int opset : {14, 17}) {
      const OnnxExport result = export_onnx(folder, root_ / std::to_string(number++), {.opset = opset});
      ASSERT_FALSE(result.graphs.empty());
      for (const OnnxExportedGraph& graph : result.graphs) EXPECT_TRUE(graph.checked) << graph.file;
    }
  }
}

TEST_F(Exports, SmallerPrecisionsPassTheChecker) {
  const std::string model = golden("clip/odd_sizes").string();
  std::int64_t bytes[2] = {};
  const auto precisions = {OnnxExportOptions::Precision::f32, OnnxExportOptions::Precision::f16};
  std::size_t at = 0;
  for (const auto precision : precisions) {
    const OnnxExport result = export_onnx(model, root_ / std::to_string(at), {.precision = precision});
    for (const OnnxExportedGraph& graph : result.graphs) EXPECT_TRUE(graph.checked) << graph.file;
    bytes[at++] = result.graphs.back().bytes;
  }
  EXPECT_LT(bytes[1], bytes[0] * 6 / 10);
  export_onnx(model, root_ / "int8", {.precision = OnnxExportOptions::Precision::int8});
}

TEST_F(Exports, GraphsOfBytesPassTheChecker) {
  for (const auto precision : {OnnxExportOptions::Precision::f32, OnnxExportOptions::Precision::f16}) {
    const OnnxExport result =
        export_onnx(golden("clip/odd_sizes").string(), root_ / std::to_string(static_cast<int>(precision)),
                    {.pictures = OnnxExportOptions::Pictures::bytes, .precision = precision});
    for (const OnnxExportedGraph& graph : result.graphs) EXPECT_TRUE(graph.checked) << graph.file;
  }
  EXPECT_EQ(
      code_of(golden("clip/odd_sizes").string(), root_ / "immich",
              {.pictures = OnnxExportOptions::Pictures::bytes, .layout = OnnxExportOptions::Layout::immich}),
      ErrorCode::unsupported);
}

TEST_F(Exports, RangesAreForInt8Alone) {
  EXPECT_EQ(code_of(golden("clip/odd_sizes").string(), root_ / "out", {.calibration_texts = {"a"}}),
            ErrorCode::invalid_argument);
}

TEST_F(Exports, WeightsThatAreNoNumbersOrTooLargeForTheirTypeAreRefused) {
  const auto code_with = [&](float weight, onnx::Graph (*smaller)(const onnx::Graph&)) {
    OnnxInterpreter ops({});
    const Rows x = ops.mean_pixels(ops.pixels({}, 1, 2, 2, 2));
    ops.output("y", ops.linear(x, {Parameter::from_values("w.weight", {1, 2}, {1.0F, weight}), {}}, {}));
    try {
      onnx::write_graph(smaller(ops.graph()), root_ / "graph.onnx");
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  const auto as_it_is = [](const onnx::Graph& graph) { return graph; };
  for (const float bad : {NAN, INFINITY}) {
    EXPECT_EQ(code_with(bad, as_it_is), ErrorCode::corrupt_data);
    EXPECT_EQ(code_with(bad, onnx::in_f16), ErrorCode::corrupt_data);
    EXPECT_EQ(code_with(bad, onnx::in_dynamic_int8), ErrorCode::corrupt_data);
  }
  EXPECT_EQ(code_with(1e5F, onnx::in_f16), ErrorCode::out_of_range);
  EXPECT_EQ(code_with(65504, onnx::in_f16), ErrorCode::internal);
}

TEST_F(Exports, OptimumsLayoutHasItsNames) {
  const OnnxExport result = export_onnx(golden("clip/odd_sizes").string(), root_ / "out");
  const std::vector<std::string> files = {"README.md",
                                          "build_tensorrt.py",
                                          "build_tensorrt.sh",
                                          "config.json",
                                          "moa_export.json",
                                          "onnx/model.onnx",
                                          "onnx/text_model.onnx",
                                          "onnx/vision_model.onnx",
                                          "preprocessor_config.json",
                                          "profiles.json",
                                          "tokenizer.json",
                                          "tokenizer_config.json"};
  EXPECT_EQ(result.files, files);
  EXPECT_EQ(result.graphs[0].holds, "text");
  EXPECT_EQ(result.graphs[1].holds, "image");
  EXPECT_EQ(result.graphs[2].holds, "both");
}

TEST_F(Exports, ImmichsLayoutHasItsNames) {
  export_onnx(golden("clip/odd_sizes").string(), root_ / "out",
              {.layout = OnnxExportOptions::Layout::immich});
  for (const char* file :
       {"config.json", "textual/model.onnx", "textual/tokenizer.json", "textual/tokenizer_config.json",
        "visual/model.onnx", "visual/preprocess_cfg.json"}) {
    EXPECT_TRUE(std::filesystem::exists(root_ / "out" / file)) << file;
  }
}

// As above 1.9 GB, with a smaller limit.
TEST_F(Exports, ConstantsThatAreTooLargeForOneFileLieBesideIt) {
  const std::vector<float> values(512, 0.5F);
  OnnxInterpreter ops({});
  const Rows x = ops.mean_pixels(ops.pixels({}, 1, 16, 2, 2));
  ops.output("y", ops.linear(x, {Parameter::from_values("w.weight", {32, 16}, values), {}}, {}));
  const onnx::WriteResult result =
      onnx::write_graph(ops.graph(), root_ / "graph.onnx", {.most_bytes_inside = 1000});
  ASSERT_EQ(result.files.size(), 2U);
  EXPECT_EQ(result.files[1].filename(), "graph.onnx_data");
  EXPECT_EQ(std::filesystem::file_size(result.files[1]), 4 * values.size());
  EXPECT_LT(std::filesystem::file_size(result.files[0]), 4 * values.size());
}

TEST_F(Exports, PicturesInTheirOwnShapesAreForReadersOfPatches) {
  const std::string model = golden("siglip/native_sizes").string();
  EXPECT_EQ(code_of(model, root_ / "bytes", {.pictures = OnnxExportOptions::Pictures::bytes}),
            ErrorCode::unsupported);
  EXPECT_EQ(code_of(model, root_ / "immich", {.layout = OnnxExportOptions::Layout::immich}),
            ErrorCode::unsupported);
  for (const auto precision : {OnnxExportOptions::Precision::f16, OnnxExportOptions::Precision::int8}) {
    const OnnxExport result =
        export_onnx(model, root_ / std::to_string(static_cast<int>(precision)), {.precision = precision});
    for (const OnnxExportedGraph& graph : result.graphs) EXPECT_TRUE(graph.checked) << graph.file;
  }
}

TEST_F(Exports, AHeadThatReadsPairsIsAGraphOfItsOwn) {
  const OnnxExport result = export_onnx(golden("blip/odd_sizes").string(), root_ / "out");
  ASSERT_EQ(result.graphs.size(), 4U);
  EXPECT_EQ(result.graphs[3].holds, "match");
  EXPECT_EQ(result.graphs[3].file, "onnx/match_model.onnx");
}

TEST_F(Exports, OneTowerCanBeAskedFor) {
  const OnnxExport result = export_onnx(golden("clip/odd_sizes").string(), root_ / "out",
                                        {.towers = OnnxExportOptions::Towers::text});
  ASSERT_EQ(result.graphs.size(), 1U);
  EXPECT_EQ(result.graphs[0].file, "onnx/text_model.onnx");
}

TEST_F(Exports, NothingIsLeftBehindWhereOneFails) {
  const std::string model = golden("clip/odd_sizes").string();
  EXPECT_EQ(code_of(model, root_ / "out", {.opset = 13}), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("absent", root_ / "out"), ErrorCode::not_found);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
  EXPECT_EQ(code_of(model, root_), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(model, root_ / "absent" / "out"), ErrorCode::io_error);
}

#else

TEST_F(Exports, AreUnsupportedWithoutTheComponent) {
  EXPECT_EQ(code_of(golden("clip/odd_sizes").string(), root_ / "out"), ErrorCode::unsupported);
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

#endif

}  // namespace
}  // namespace moa
