// Stands in for ONNX Runtime's own C++ header where the examples of an export's README are compiled, for its
// Python package brings the library alone. Only what the examples say is here, with the names, arguments and
// defaults of github.com/microsoft/onnxruntime, include/onnxruntime/core/session/onnxruntime_cxx_api.h, over
// the part of the C interface that moa itself declares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backends/onnxruntime/api.hpp"

extern "C" const moa::ort::ApiBase* OrtGetApiBase();

enum OrtLoggingLevel { ORT_LOGGING_LEVEL_WARNING = 2 };
enum OrtAllocatorType { OrtArenaAllocator = 1 };
enum OrtMemType { OrtMemTypeDefault = 0 };

namespace Ort {

inline const moa::ort::Api& api() {
  static const moa::ort::Api table(OrtGetApiBase()->table(moa::ort::kVersion));
  return table;
}

inline void check(moa::ort::Status* status) {
  if (status == nullptr) return;
  const std::string message = api()[moa::ort::kErrorMessage](status);
  api()[moa::ort::kReleaseStatus](status);
  throw std::runtime_error(message);
}

// Owns what the library gives out.
template <typename Held, auto kRelease>
class Base {
 public:
  Base() = default;
  Base(Base&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  Base& operator=(Base&& other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;
  ~Base() {
    if (held_ != nullptr) api()[kRelease](held_);
  }
  operator Held*() const noexcept { return held_; }

 protected:
  Held* held_ = nullptr;
};

struct Env : Base<moa::ort::Env, moa::ort::kReleaseEnv> {
  Env(OrtLoggingLevel level = ORT_LOGGING_LEVEL_WARNING, const char* log_id = "") {
    const auto silent = [](void*, int, const char*, const char*, const char*, const char*) {};
    check(api()[moa::ort::kCreateEnvWithCustomLogger](silent, nullptr, level, log_id, &held_));
  }
};

struct SessionOptions : Base<moa::ort::SessionOptions, moa::ort::kReleaseSessionOptions> {
  SessionOptions() { check(api()[moa::ort::kCreateSessionOptions](&held_)); }
};

struct RunOptions {
  explicit RunOptions(std::nullptr_t) {}
};

struct MemoryInfo : Base<moa::ort::MemoryInfo, moa::ort::kReleaseMemoryInfo> {
  static MemoryInfo CreateCpu(OrtAllocatorType type, OrtMemType memory) {
    MemoryInfo info;
    check(api()[moa::ort::kCreateCpuMemoryInfo](type, memory, &info.held_));
    return info;
  }
};

struct TensorTypeAndShapeInfo : Base<moa::ort::TensorInfo, moa::ort::kReleaseTensorInfo> {
  explicit TensorTypeAndShapeInfo(moa::ort::TensorInfo* info) { held_ = info; }
  std::size_t GetElementCount() const {
    std::size_t rank = 0;
    check(api()[moa::ort::kGetDimensionsCount](held_, &rank));
    std::vector<std::int64_t> sizes(rank);
    check(api()[moa::ort::kGetDimensions](held_, sizes.data(), rank));
    std::size_t count = 1;
    for (const std::int64_t size : sizes) count *= static_cast<std::size_t>(size);
    return count;
  }
};

struct Value : Base<moa::ort::Value, moa::ort::kReleaseValue> {
  explicit Value(moa::ort::Value* value = nullptr) { held_ = value; }

  template <typename T>
  static Value CreateTensor(const moa::ort::MemoryInfo* memory, T* data, std::size_t count,
                            const std::int64_t* shape, std::size_t rank) {
    // ONNXTensorElementDataType.
    constexpr int kType = std::is_same_v<T, float>          ? 1
                          : std::is_same_v<T, std::uint8_t> ? 2
                          : std::is_same_v<T, std::int32_t> ? 6
                                                            : 7;
    static_assert(kType != 7 || std::is_same_v<T, std::int64_t>);
    Value value;
    check(api()[moa::ort::kCreateTensorWithData](memory, data, count * sizeof(T), shape, rank, kType,
                                                 &value.held_));
    return value;
  }

  template <typename T>
  const T* GetTensorData() const {
    void* data = nullptr;
    check(api()[moa::ort::kGetTensorMutableData](held_, &data));
    return static_cast<const T*>(data);
  }

  TensorTypeAndShapeInfo GetTensorTypeAndShapeInfo() const {
    moa::ort::TensorInfo* info = nullptr;
    check(api()[moa::ort::kGetTensorTypeAndShape](held_, &info));
    return TensorTypeAndShapeInfo(info);
  }
};

struct Session : Base<moa::ort::Session, moa::ort::kReleaseSession> {
  Session(const Env& env, const char* model_path, const SessionOptions& options) {
    check(api()[moa::ort::kCreateSession](env, model_path, options, &held_));
  }

  std::vector<Value> Run(const RunOptions&, const char* const* input_names, const Value* inputs,
                         std::size_t count, const char* const* output_names, std::size_t output_count) {
    std::vector<const moa::ort::Value*> given;
    for (std::size_t i = 0; i < count; ++i) given.push_back(inputs[i]);
    std::vector<moa::ort::Value*> found(output_count, nullptr);
    check(api()[moa::ort::kRun](held_, nullptr, input_names, given.data(), count, output_names, output_count,
                                found.data()));
    std::vector<Value> values;
    for (moa::ort::Value* value : found) values.emplace_back(value);
    return values;
  }
};

}  // namespace Ort
