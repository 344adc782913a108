#include "backends/onnx/writer.hpp"

#include <moa/error.hpp>

#include "base/component.hpp"

namespace moa::onnx {

WriteResult write_graph(const Graph& graph, const std::filesystem::path& file, const WriteOptions& options) {
  const Component component = Component::open(kOnnxComponent);
  WriteResult result;
  std::string message;
  const int code =
      component.function<WriteFunction>(kWriteFunction)(&graph, &file, &options, &result, &message);
  if (code != 0) throw Error(static_cast<ErrorCode>(code - 1), message);
  return result;
}

}  // namespace moa::onnx
