#include <moa/adapter.hpp>

#include <system_error>

#include "checkpoint/adapter.hpp"
#include "checkpoint/file_names.hpp"

namespace moa {

namespace fs = std::filesystem;

bool is_adapter(const fs::path& place) noexcept {
  try {
    const fs::path folder = AdapterFiles::find(place).config.parent_path();
    return !fs::exists(folder / kTransformersFiles.config) && !fs::exists(folder / kOpenClipFiles.config);
  } catch (const std::exception&) {
    return false;
  }
}

AdapterInfo inspect_adapter(const fs::path& place) {
  const Adapter adapter = Adapter::open(place);
  AdapterInfo info;
  info.path = place.string();
  info.kind = name(adapter.kind);
  info.rank = adapter.rank;
  info.scale = adapter.scale;
  info.parameters = adapter.numbers();
  info.layers = adapter.modules();
  info.base = adapter.base;
  info.bytes = static_cast<std::int64_t>(fs::file_size(AdapterFiles::find(place).tensors));
  return info;
}

}  // namespace moa
