#include "checkpoint/layout_choice.hpp"

#include <array>

namespace moa {

bool yields_to_open_clip(const Config& config) {
  return !config.is_string("model_type") || config.has("auto_map");
}

std::optional<LayoutChoice> choose_layout(const std::function<bool(std::string_view)>& has,
                                          const std::function<bool()>& yields) {
  const bool open_clip_first = has(kTransformersFiles.config) && has(kOpenClipFiles.config) && yields();
  const auto is_complete = [&](const LayoutFiles& files, const WeightNames& weights) {
    return has(files.config) && (has(weights.whole) || has(weights.index));
  };
  constexpr std::array kFormats = {&LayoutFiles::safetensors, &LayoutFiles::pytorch};
  for (const auto format : kFormats) {
    const WeightNames& weights = kOpenClipFiles.*format;
    if (open_clip_first && is_complete(kOpenClipFiles, weights)) return {{&kOpenClipFiles, &weights}};
  }
  for (const auto format : kFormats) {
    for (const LayoutFiles* files : {&kTransformersFiles, &kOpenClipFiles}) {
      const WeightNames& weights = files->*format;
      if (is_complete(*files, weights)) return {{files, &weights}};
    }
  }
  return std::nullopt;
}

}  // namespace moa
