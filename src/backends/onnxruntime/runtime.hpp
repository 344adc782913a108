// ONNX Runtime, found and opened.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <moa/error.hpp>

#include "backends/onnxruntime/api.hpp"

namespace moa {

// The library and what it needs to make sessions. Any number of threads may use one at once.
class OnnxRuntime {
 public:
  // Opens libonnxruntime.so: the file that MOA_ONNXRUNTIME names, or the one in the folder that it names, and
  // else where the system looks for libraries. It stays open until the process ends. Errors: unsupported,
  // naming what was tried, if it is not there, does not load or is older than 1.12.
  static std::shared_ptr<const OnnxRuntime> open();
  ~OnnxRuntime();
  OnnxRuntime(const OnnxRuntime&) = delete;
  OnnxRuntime& operator=(const OnnxRuntime&) = delete;

  const std::string& version() const noexcept { return version_; }  // "1.32.0"
  // The execution providers that it was built with, as it calls them: "CPUExecutionProvider".
  std::vector<std::string> providers() const;

  const ort::Api& api() const noexcept { return api_; }
  const ort::Env* environment() const noexcept { return environment_; }
  // Throws what `status` says, if it says anything, behind "cannot `attempt`: "; frees it. Error: `code`, or
  // not_found or unsupported where the library says so.
  void check(ort::Status* status, std::string_view attempt, ErrorCode code) const;

 private:
  OnnxRuntime(const ort::ApiBase& base, const std::string& file);

  ort::Api api_;
  ort::Env* environment_ = nullptr;
  std::string version_;
};

}  // namespace moa
