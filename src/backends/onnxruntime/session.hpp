// A graph, loaded by ONNX Runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/onnx/graph.hpp"
#include "backends/onnxruntime/runtime.hpp"

namespace moa {

// Where ONNX Runtime computes what that provider has kernels for; the rest runs on the CPU.
enum class OnnxProvider { cpu, cuda, tensorrt, openvino, coreml };
std::string_view name(OnnxProvider provider) noexcept;
// Error: invalid_argument, listing the names.
OnnxProvider onnx_provider_named(std::string_view name);

struct OnnxSessionOptions {
  OnnxProvider provider = OnnxProvider::cpu;
  int threads = 0;  // of the CPU provider; 0: as ONNX Runtime chooses
};

// An input or an output of a graph.
struct OnnxPort {
  std::string name;
  int type = 0;                     // as onnx::ElementType has it, or another of TensorProto.DataType
  std::vector<std::int64_t> shape;  // -1: dynamic
};

// An array to feed; `bytes` must stay until the run is over.
struct OnnxFeed {
  std::string name;
  onnx::ElementType type = onnx::ElementType::f32;
  std::span<const std::byte> bytes;
  std::vector<std::int64_t> shape;
};

// f32, row-major.
struct OnnxArray {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// Immutable; runs may happen in several threads at once.
class OnnxSession {
 public:
  // Errors: unsupported (the provider is not there, or the graph needs what this ONNX Runtime has not);
  // not_found; corrupt_data, with ONNX Runtime's own words, for a file that is no sound graph.
  static OnnxSession open(std::shared_ptr<const OnnxRuntime> runtime, const std::filesystem::path& graph,
                          const OnnxSessionOptions& options);
  OnnxSession(OnnxSession&& other) noexcept;
  ~OnnxSession();
  OnnxSession(const OnnxSession&) = delete;
  OnnxSession& operator=(const OnnxSession&) = delete;

  const std::vector<OnnxPort>& inputs() const noexcept { return inputs_; }
  const std::vector<OnnxPort>& outputs() const noexcept { return outputs_; }
  // nullptr if there is none of that name.
  const OnnxPort* input(std::string_view name) const noexcept;
  const OnnxPort* output(std::string_view name) const noexcept;

  // The outputs named, in their order. Errors: corrupt_data if the run fails; unsupported if one is not f32.
  std::vector<OnnxArray> run(std::span<const OnnxFeed> feeds, std::span<const std::string> outputs) const;

 private:
  OnnxSession(std::shared_ptr<const OnnxRuntime> runtime, std::filesystem::path graph);
  // One output of a run.
  OnnxArray read(const std::string& output, ort::Value* value) const;

  std::shared_ptr<const OnnxRuntime> runtime_;
  std::filesystem::path graph_;
  ort::Session* session_ = nullptr;
  ort::MemoryInfo* memory_ = nullptr;
  std::vector<OnnxPort> inputs_;
  std::vector<OnnxPort> outputs_;
};

}  // namespace moa
