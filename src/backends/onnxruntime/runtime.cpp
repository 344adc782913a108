#include "backends/onnxruntime/runtime.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLibrary = "libonnxruntime.so";

// PyPI's package has the library under its full version alone: libonnxruntime.so.1.32.0.
std::vector<std::string> candidates() {
  const char* chosen = std::getenv("MOA_ONNXRUNTIME");
  if (chosen == nullptr || *chosen == '\0') return {std::string(kLibrary) + ".1", std::string(kLibrary)};
  std::error_code ignored;
  if (!fs::is_directory(chosen, ignored)) return {chosen};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(chosen, ignored)) {
    if (entry.path().filename().string().starts_with(kLibrary)) files.push_back(entry.path().string());
  }
  std::ranges::sort(files);
  if (files.empty()) files.push_back((fs::path(chosen) / kLibrary).string());
  return files;
}

// What the library would print is said by the errors that it returns.
void drop(void*, int, const char*, const char*, const char*, const char*) {}

}  // namespace

std::shared_ptr<const OnnxRuntime> OnnxRuntime::open() {
  std::string tried;
  for (const std::string& file : candidates()) {
    void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      const char* reason = dlerror();
      tried += (tried.empty() ? "" : "; ") + (reason == nullptr ? file : std::string(reason));
      continue;
    }
    const auto base = reinterpret_cast<const ort::ApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
    if (base != nullptr) return std::shared_ptr<const OnnxRuntime>(new OnnxRuntime(*base(), file));
    tried += (tried.empty() ? "" : "; ") + file + ": it has no OrtGetApiBase";
  }
  throw Error(
      ErrorCode::unsupported,
      "cannot open ONNX Runtime (MOA_ONNXRUNTIME names its library, or the folder that it is in): " + tried);
}

OnnxRuntime::OnnxRuntime(const ort::ApiBase& base, const std::string& file) : version_(base.version()) {
  const void* const* table = base.table(ort::kVersion);
  if (table == nullptr) {
    throw Error(ErrorCode::unsupported,
                "cannot use ONNX Runtime " + version_ + " (" + file + "): expected 1.12 or later");
  }
  api_ = ort::Api(table);
  check(api_[ort::kCreateEnvWithCustomLogger](drop, nullptr, ort::kLogErrors, "moa", &environment_),
        "start ONNX Runtime", ErrorCode::internal);
  api_[ort::kReleaseStatus](api_[ort::kDisableTelemetryEvents](environment_));
}

OnnxRuntime::~OnnxRuntime() {
  api_[ort::kReleaseEnv](environment_);
}

std::vector<std::string> OnnxRuntime::providers() const {
  char** names = nullptr;
  int count = 0;
  check(api_[ort::kGetAvailableProviders](&names, &count), "list ONNX Runtime's execution providers",
        ErrorCode::internal);
  std::vector<std::string> providers(names, names + count);
  api_[ort::kReleaseStatus](api_[ort::kReleaseAvailableProviders](names, count));
  return providers;
}

void OnnxRuntime::check(ort::Status* status, std::string_view attempt, ErrorCode code) const {
  if (status == nullptr) return;
  const int said = api_[ort::kErrorCode](status);
  const std::string message = api_[ort::kErrorMessage](status);
  api_[ort::kReleaseStatus](status);
  if (said == ort::kNoSuchFile) code = ErrorCode::not_found;
  if (said == ort::kNotImplemented) code = ErrorCode::unsupported;
  throw Error(code, "cannot " + std::string(attempt) + ": ONNX Runtime says: " + message);
}

}  // namespace moa
