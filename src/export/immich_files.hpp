// What immich reads beside the graphs.
#pragma once

#include "base/new_directory.hpp"
#include "embed/loaded_model.hpp"
#include "export/onnx_graphs.hpp"

namespace moa {

// Its config.json, and the preprocess_cfg.json of a picture tower. Error: unsupported for a way to prepare
// pictures, or a tokenizer, that immich does not know.
void write_immich_files(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                        NewDirectory& directory);

}  // namespace moa
