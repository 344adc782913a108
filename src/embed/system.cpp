#include <moa/system.hpp>

#include "backends/cpu/level.hpp"
#include "base/thread_pool.hpp"
#include "models/embedding_model.hpp"

namespace moa {

SystemInfo system_info() {
  SystemInfo info;
  info.version = MOA_VERSION;
  info.cpu_level = cpu_level();
  info.threads = available_threads();
  for (const Architecture& architecture : architectures()) {
    info.architectures.push_back(std::string(architecture.name) + ": " + std::string(architecture.summary));
  }
  return info;
}

}  // namespace moa
