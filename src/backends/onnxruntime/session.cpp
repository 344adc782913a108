#include "backends/onnxruntime/session.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace moa {
namespace {

struct ProviderNames {
  OnnxProvider provider;
  std::string_view name;     // moa's
  std::string_view runtime;  // ONNX Runtime's
};

constexpr std::array kProviders = {
    ProviderNames{OnnxProvider::cpu, "cpu", "CPUExecutionProvider"},
    ProviderNames{OnnxProvider::cuda, "cuda", "CUDAExecutionProvider"},
    ProviderNames{OnnxProvider::tensorrt, "tensorrt", "TensorrtExecutionProvider"},
    ProviderNames{OnnxProvider::openvino, "openvino", "OpenVINOExecutionProvider"},
    ProviderNames{OnnxProvider::coreml, "coreml", "CoreMLExecutionProvider"},
};

const ProviderNames& names_of(OnnxProvider provider) {
  return *std::ranges::find(kProviders, provider, &ProviderNames::provider);
}

// Something of the library's, freed by its own function.
template <typename Thing, typename Release>
class Owned {
 public:
  Owned(const ort::Api& api, Release release) : api_(api), release_(release) {}
  ~Owned() {
    if (thing_ != nullptr) api_[release_](thing_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  Thing* get() const { return thing_; }
  Thing** place() { return &thing_; }

 private:
  const ort::Api& api_;
  Release release_;
  Thing* thing_ = nullptr;
};

template <typename Options, typename Release, typename Create, typename Append>
void append_with_options(const OnnxRuntime& runtime, ort::SessionOptions* session, Create create,
                         Append append, Release release, std::string_view attempt) {
  Owned<Options, Release> options(runtime.api(), release);
  runtime.check(runtime.api()[create](options.place()), attempt, ErrorCode::unsupported);
  runtime.check(runtime.api()[append](session, options.get()), attempt, ErrorCode::unsupported);
}

void append_provider(const OnnxRuntime& runtime, ort::SessionOptions* session, OnnxProvider provider) {
  const ProviderNames& names = names_of(provider);
  const std::vector<std::string> there = runtime.providers();
  if (std::ranges::find(there, names.runtime) == there.end()) {
    std::string known;
    for (const ProviderNames& other : kProviders) {
      if (std::ranges::find(there, other.runtime) == there.end()) continue;
      known += (known.empty() ? "" : ", ") + std::string(other.name);
    }
    throw Error(ErrorCode::unsupported, "provider '" + std::string(names.name) +
                                            "' is not in this build of ONNX Runtime " + runtime.version() +
                                            "; it has " + known);
  }
  const std::string attempt = "use the provider '" + std::string(names.name) + "'";
  switch (provider) {
    case OnnxProvider::cpu:
      return;  // always there
    case OnnxProvider::cuda:
      return append_with_options<ort::CudaOptions>(runtime, session, ort::kCreateCudaOptions,
                                                   ort::kAppendCuda, ort::kReleaseCudaOptions, attempt);
    case OnnxProvider::tensorrt:
      return append_with_options<ort::TensorRtOptions>(runtime, session, ort::kCreateTensorRtOptions,
                                                       ort::kAppendTensorRt, ort::kReleaseTensorRtOptions,
                                                       attempt);
    case OnnxProvider::openvino:
      return runtime.check(runtime.api()[ort::kAppendProvider](session, "OpenVINO", nullptr, nullptr, 0),
                           attempt, ErrorCode::unsupported);
    case OnnxProvider::coreml:
      return runtime.check(runtime.api()[ort::kAppendProvider](session, "CoreML", nullptr, nullptr, 0),
                           attempt, ErrorCode::unsupported);
  }
}

// Of a tensor's type: its elements and its sizes.
void describe(const OnnxRuntime& runtime, const ort::TensorInfo* info, int& type,
              std::vector<std::int64_t>& shape) {
  const ort::Api& api = runtime.api();
  const char* attempt = "look at an array of a graph";
  std::size_t rank = 0;
  runtime.check(api[ort::kGetTensorElementType](info, &type), attempt, ErrorCode::corrupt_data);
  runtime.check(api[ort::kGetDimensionsCount](info, &rank), attempt, ErrorCode::corrupt_data);
  shape.resize(rank);
  runtime.check(api[ort::kGetDimensions](info, shape.data(), rank), attempt, ErrorCode::corrupt_data);
}

template <typename Count, typename Name, typename Type>
std::vector<OnnxPort> ports_of(const OnnxRuntime& runtime, const ort::Session* session, Count count_entry,
                               Name name_entry, Type type_entry) {
  const ort::Api& api = runtime.api();
  const auto check = [&](ort::Status* status) {
    runtime.check(status, "read a graph's inputs and outputs", ErrorCode::corrupt_data);
  };
  ort::Allocator* allocator = nullptr;
  check(api[ort::kGetAllocatorWithDefaultOptions](&allocator));
  std::size_t count = 0;
  check(api[count_entry](session, &count));
  std::vector<OnnxPort> ports(count);
  for (std::size_t i = 0; i < count; ++i) {
    char* given = nullptr;
    check(api[name_entry](session, i, allocator, &given));
    ports[i].name = given;
    check(api[ort::kAllocatorFree](allocator, given));
    Owned<ort::TypeInfo, decltype(ort::kReleaseTypeInfo)> info(api, ort::kReleaseTypeInfo);
    check(api[type_entry](session, i, info.place()));
    const ort::TensorInfo* tensor = nullptr;  // belongs to `info`; nullptr if it is no tensor
    check(api[ort::kCastTypeInfoToTensorInfo](info.get(), &tensor));
    if (tensor != nullptr) describe(runtime, tensor, ports[i].type, ports[i].shape);
  }
  return ports;
}

const OnnxPort* port_named(const std::vector<OnnxPort>& ports, std::string_view name) {
  const auto found = std::ranges::find(ports, name, &OnnxPort::name);
  return found == ports.end() ? nullptr : &*found;
}

}  // namespace

std::string_view name(OnnxProvider provider) noexcept {
  return names_of(provider).name;
}

OnnxProvider onnx_provider_named(std::string_view name) {
  std::string known;
  for (const ProviderNames& names : kProviders) {
    if (names.name == name) return names.provider;
    known += (known.empty() ? "" : ", ") + std::string(names.name);
  }
  throw Error(ErrorCode::invalid_argument,
              "provider: found '" + std::string(name) + "', expected one of " + known);
}

OnnxSession OnnxSession::open(std::shared_ptr<const OnnxRuntime> runtime, const std::filesystem::path& graph,
                              const OnnxSessionOptions& options) {
  OnnxSession session(std::move(runtime), graph);
  const OnnxRuntime& own = *session.runtime_;
  const ort::Api& api = own.api();
  Owned<ort::SessionOptions, decltype(ort::kReleaseSessionOptions)> how(api, ort::kReleaseSessionOptions);
  own.check(api[ort::kCreateSessionOptions](how.place()), "prepare a session", ErrorCode::internal);
  own.check(api[ort::kSetIntraOpNumThreads](how.get(), options.threads), "set the number of threads",
            ErrorCode::invalid_argument);
  append_provider(own, how.get(), options.provider);
  own.check(api[ort::kCreateSession](own.environment(), graph.c_str(), how.get(), &session.session_),
            "load '" + graph.string() + "'", ErrorCode::corrupt_data);
  own.check(api[ort::kCreateCpuMemoryInfo](ort::kArenaAllocator, ort::kDefaultMemory, &session.memory_),
            "prepare a session", ErrorCode::internal);
  session.inputs_ = ports_of(own, session.session_, ort::kSessionGetInputCount, ort::kSessionGetInputName,
                             ort::kSessionGetInputTypeInfo);
  session.outputs_ = ports_of(own, session.session_, ort::kSessionGetOutputCount, ort::kSessionGetOutputName,
                              ort::kSessionGetOutputTypeInfo);
  return session;
}

OnnxSession::OnnxSession(std::shared_ptr<const OnnxRuntime> runtime, std::filesystem::path graph)
    : runtime_(std::move(runtime)), graph_(std::move(graph)) {}

OnnxSession::OnnxSession(OnnxSession&& other) noexcept
    : runtime_(std::move(other.runtime_)),
      graph_(std::move(other.graph_)),
      session_(std::exchange(other.session_, nullptr)),
      memory_(std::exchange(other.memory_, nullptr)),
      inputs_(std::move(other.inputs_)),
      outputs_(std::move(other.outputs_)) {}

OnnxSession::~OnnxSession() {
  if (memory_ != nullptr) runtime_->api()[ort::kReleaseMemoryInfo](memory_);
  if (session_ != nullptr) runtime_->api()[ort::kReleaseSession](session_);
}

const OnnxPort* OnnxSession::input(std::string_view name) const noexcept {
  return port_named(inputs_, name);
}

const OnnxPort* OnnxSession::output(std::string_view name) const noexcept {
  return port_named(outputs_, name);
}

std::vector<OnnxArray> OnnxSession::run(std::span<const OnnxFeed> feeds,
                                        std::span<const std::string> outputs) const {
  using OwnedValue = Owned<ort::Value, decltype(ort::kReleaseValue)>;
  const ort::Api& api = runtime_->api();
  const std::string attempt = "run '" + graph_.string() + "'";
  const auto check = [&](ort::Status* status) { runtime_->check(status, attempt, ErrorCode::corrupt_data); };
  std::vector<std::unique_ptr<OwnedValue>> owned;
  const auto own = [&](ort::Value* value) {
    owned.push_back(std::make_unique<OwnedValue>(api, ort::kReleaseValue));
    *owned.back()->place() = value;
  };
  std::vector<const ort::Value*> given;
  std::vector<const char*> given_names;
  for (const OnnxFeed& feed : feeds) {
    // The library takes it as something that it might write to, and does not.
    void* bytes = const_cast<std::byte*>(feed.bytes.data());
    ort::Value* value = nullptr;
    check(api[ort::kCreateTensorWithData](memory_, bytes, feed.bytes.size(), feed.shape.data(),
                                          feed.shape.size(), static_cast<int>(feed.type), &value));
    own(value);
    given.push_back(value);
    given_names.push_back(feed.name.c_str());
  }
  std::vector<const char*> wanted;
  for (const std::string& output : outputs) wanted.push_back(output.c_str());
  std::vector<ort::Value*> found(outputs.size(), nullptr);
  check(api[ort::kRun](session_, nullptr, given_names.data(), given.data(), given.size(), wanted.data(),
                       wanted.size(), found.data()));
  for (ort::Value* value : found) own(value);
  std::vector<OnnxArray> arrays(outputs.size());
  for (std::size_t i = 0; i < found.size(); ++i) arrays[i] = read(outputs[i], found[i]);
  return arrays;
}

OnnxArray OnnxSession::read(const std::string& output, ort::Value* value) const {
  const ort::Api& api = runtime_->api();
  const auto check = [&](ort::Status* status) {
    runtime_->check(status, "read '" + output + "' of '" + graph_.string() + "'", ErrorCode::corrupt_data);
  };
  Owned<ort::TensorInfo, decltype(ort::kReleaseTensorInfo)> info(api, ort::kReleaseTensorInfo);
  check(api[ort::kGetTensorTypeAndShape](value, info.place()));
  OnnxArray array;
  int type = 0;
  describe(*runtime_, info.get(), type, array.shape);
  if (type != static_cast<int>(onnx::ElementType::f32)) {
    throw Error(ErrorCode::unsupported, "cannot read '" + output + "' of '" + graph_.string() +
                                            "': found elements of type " + std::to_string(type) +
                                            " of TensorProto, expected floats (1)");
  }
  std::size_t count = 1;
  for (const std::int64_t size : array.shape)
    count *= static_cast<std::size_t>(size);  // as it lies in memory
  void* data = nullptr;
  check(api[ort::kGetTensorMutableData](value, &data));
  const auto* begin = static_cast<const float*>(data);
  array.values.assign(begin, begin + count);
  return array;
}

}  // namespace moa
