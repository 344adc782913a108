#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <fstream>
#include <string>
#include <type_traits>

#include <moa/error.hpp>

#include "backends/onnx/writer.hpp"
#include "base/component.hpp"
#include "component/model_proto.hpp"

namespace moa::onnx {
namespace {

constexpr int kCheckersLastOpset = 17;  // of ONNX 1.12
// Below that a constant stays in the graph: shapes and axes, which readers want to see at once.
constexpr std::int64_t kSmallBytes = 1024;

// A file that is written from begin to end.
class File {
 public:
  explicit File(const std::filesystem::path& path) : path_(path), stream_(path, std::ios::binary) { check(); }
  std::ostream& stream() { return stream_; }
  void write(const std::string& bytes) {
    stream_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    check();
  }
  void finish() {
    stream_.close();
    check();
  }
  void check() const {
    if (!stream_) throw Error(ErrorCode::io_error, "cannot write " + path_.string() + " (is the disk full?)");
  }

 private:
  std::filesystem::path path_;
  std::ofstream stream_;
};

// Every operator is used as its opset has it, every value is made before it is used, and shapes and types
// agree everywhere. Constants without their numbers take part as inputs.
void check(const Graph& graph, const ::onnx::ModelProto& model) {
  ::onnx::ModelProto copy = model;
  ::onnx::GraphProto& checked = *copy.mutable_graph();
  checked.clear_initializer();
  for (const ::onnx::TensorProto& tensor : model.graph().initializer()) {
    if (tensor.has_raw_data()) {
      *checked.add_initializer() = tensor;
      continue;
    }
    ::onnx::ValueInfoProto& input = *checked.add_input();
    input.set_name(tensor.name());
    ::onnx::TypeProto_Tensor& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(tensor.data_type());
    type.mutable_shape();
    for (const std::int64_t size : tensor.dims()) type.mutable_shape()->add_dim()->set_dim_value(size);
  }
  try {
    ::onnx::checker::check_model(copy);
    ::onnx::shape_inference::InferShapes(copy, ::onnx::OpSchemaRegistry::Instance(),
                                         ::onnx::ShapeInferenceOptions{true, 1, true});
  } catch (const std::exception& error) {
    throw Error(ErrorCode::internal, "the graph '" + graph.name + "' is not sound: " + error.what());
  }
}

WriteResult write(const Graph& graph, const std::filesystem::path& path, const WriteOptions& options) {
  ::onnx::ModelProto model = model_proto(graph);
  auto& tensors = *model.mutable_graph()->mutable_initializer();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
    const Initializer& constant = graph.initializers[i];
    total += constant.bytes();
    if (constant.bytes() <= kSmallBytes) tensors[static_cast<int>(i)].set_raw_data(raw_bytes(constant));
  }
  WriteResult result;
  if (graph.opset <= kCheckersLastOpset) {
    check(graph, model);
    result.checked = true;
  }
  result.files.push_back(path);
  if (total > options.most_bytes_inside) {
    std::filesystem::path data_path = path;
    data_path += "_data";
    File data(data_path);
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
      ::onnx::TensorProto& tensor = tensors[static_cast<int>(i)];
      if (tensor.has_raw_data()) continue;
      const std::int64_t size = graph.initializers[i].bytes();
      data.write(raw_bytes(graph.initializers[i]));
      tensor.set_data_location(::onnx::TensorProto::EXTERNAL);
      const auto say = [&](const char* key, const std::string& value) {
        ::onnx::StringStringEntryProto& entry = *tensor.add_external_data();
        entry.set_key(key);
        entry.set_value(value);
      };
      say("location", data_path.filename().string());
      say("offset", std::to_string(offset));
      say("length", std::to_string(size));
      offset += size;
    }
    data.finish();
    result.files.push_back(data_path);
    result.bytes += offset;
  } else {
    for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
      ::onnx::TensorProto& tensor = tensors[static_cast<int>(i)];
      if (!tensor.has_raw_data()) tensor.set_raw_data(raw_bytes(graph.initializers[i]));
    }
  }
  File file(path);
  if (!model.SerializeToOstream(&file.stream())) {
    file.check();
    throw Error(ErrorCode::io_error, "cannot write " + path.string());
  }
  file.finish();
  result.bytes += static_cast<std::int64_t>(std::filesystem::file_size(path));
  return result;
}

}  // namespace
}  // namespace moa::onnx

extern "C" MOA_API int moa_onnx_write(const moa::onnx::Graph* graph, const std::filesystem::path* file,
                                      const moa::onnx::WriteOptions* options, moa::onnx::WriteResult* result,
                                      std::string* message) {
  return moa::without_exceptions(message, "cannot write the graph: out of memory",
                                 [&] { *result = moa::onnx::write(*graph, *file, *options); });
}

static_assert(std::is_same_v<decltype(moa_onnx_write), moa::onnx::WriteFunction>);
