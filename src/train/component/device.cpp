#include "train/component/device.hpp"

#include <ATen/Context.h>

namespace moa::train {

at::Device device_of(const std::string& name) {
  const bool is_cuda = name == "cuda" || name.rfind("cuda:", 0) == 0;
  const std::string index = name.size() > 5 ? name.substr(5) : "";
  if ((name != "cpu" && !is_cuda) || name == "cuda:" || index.size() > 3 ||
      index.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument,
                "cannot train on '" + name + "': expected cpu, cuda or cuda:0, cuda:1, …");
  }
  if (name == "cpu") return at::Device(at::kCPU);
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorCode::unsupported, "cannot train on '" + name +
                                            "': this libtorch sees no CUDA device (Debian's has none; build "
                                            "with another by Libtorch_ROOT)");
  }
  return at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(index.empty() ? 0 : std::stoi(index)));
}

Error as_moa_error(const c10::Error& error) {
  const std::string what = error.what_without_backtrace();
  const bool is_memory = what.find("can't allocate memory") != std::string::npos ||
                         what.find("not enough memory") != std::string::npos ||
                         what.find("out of memory") != std::string::npos;
  return Error(is_memory ? ErrorCode::limit_exceeded : ErrorCode::internal, "libtorch: " + what);
}

}  // namespace moa::train
