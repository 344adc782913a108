#include <moa/system.hpp>

#include <algorithm>
#include <utility>

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

std::vector<ArchitectureInfo> supported_architectures() {
  std::vector<ArchitectureInfo> list;
  for (const Architecture& architecture : architectures()) {
    ArchitectureInfo info;
    info.name = architecture.name;
    info.layout = name(architecture.layout);
    info.model_type = architecture.model_type;
    info.towers = {"text"};
    if (architecture.towers == TowerSet::text_and_image) info.towers.emplace_back("image");
    info.summary = architecture.summary;
    list.push_back(std::move(info));
  }
  std::ranges::sort(list, {}, &ArchitectureInfo::name);
  return list;
}

}  // namespace moa
