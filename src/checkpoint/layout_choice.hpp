// Which layout is read of a folder or repository that may hold several.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/config.hpp"
#include "checkpoint/file_names.hpp"

namespace moa {

struct LayoutChoice {
  const LayoutFiles* files;    // kTransformersFiles or kOpenClipFiles
  const WeightNames* weights;  // those of `files` that are there
};

// Whether `config`, a config.json, is not for transformers alone: another library's (timm's names no model
// type), or of a model that is code in its repository. Where open_clip's files stand beside it, they are
// meant.
bool yields_to_open_clip(const Config& config);

// The layout whose configuration and weights are both there: safetensors of any layout before pickles,
// transformers before open_clip unless `yields`, which tells it of config.json and is asked where both
// configurations are there. `has` tells whether a file is there.
std::optional<LayoutChoice> choose_layout(const std::function<bool(std::string_view)>& has,
                                          const std::function<bool()>& yields);

}  // namespace moa
