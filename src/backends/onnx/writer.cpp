#include "backends/onnx/writer.hpp"

#include "base/component.hpp"

namespace moa::onnx {

WriteResult write_graph(const Graph& graph, const std::filesystem::path& file, const WriteOptions& options) {
  const Component component = Component::open(kOnnxComponent);
  WriteResult result;
  std::string message;
  const int code =
      component.function<WriteFunction>(kWriteFunction)(&graph, &file, &options, &result, &message);
  throw_failure(code, message);
  return result;
}

}  // namespace moa::onnx
