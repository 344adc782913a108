// From a graph to a file, by the component moa-onnx, which holds what needs ONNX's protobuf classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "backends/onnx/graph.hpp"

namespace moa::onnx {

struct WriteOptions {
  // Constants that are together larger go to a file beside the graph, "<file>_data": protobuf ends at 2 GiB.
  std::int64_t most_bytes_inside = 1'900'000'000;
};

struct WriteResult {
  std::vector<std::filesystem::path> files;
  std::int64_t bytes = 0;
  // Whether ONNX's own checker and shape inference, which know opsets up to 17, have seen it.
  bool checked = false;
};

// Writes `graph`, after it was checked. Errors: unsupported without the component; internal if the checker
// finds fault; io_error if it cannot be written: then a part may be left behind.
WriteResult write_graph(const Graph& graph, const std::filesystem::path& file,
                        const WriteOptions& options = {});

// ---- for the component

inline constexpr const char* kOnnxComponent = "moa-onnx";
inline constexpr const char* kWriteFunction = "moa_onnx_write";
// 0, or an ErrorCode plus 1 with its message.
using WriteFunction = int(const Graph* graph, const std::filesystem::path* file, const WriteOptions* options,
                          WriteResult* result, std::string* message);

}  // namespace moa::onnx
