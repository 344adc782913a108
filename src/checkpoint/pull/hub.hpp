// What `pull` does, inside the component.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/pull.hpp"

namespace moa {

// As `pull` (checkpoint/pull.hpp).
PullResult pull_from_hub(const PullRequest& request);

// Of the files in a repository, those that moa reads: one layout's weights (transformers before open_clip
// unless `yields`, as of choose_layout), and every configuration, tokenizer and processor file and model card
// beside them; the weights last. Files in folders are never among them. Error: unsupported if there are no
// weights as safetensors.
std::vector<std::string> files_to_pull(
    std::span<const std::string> names, const std::function<bool()>& yields = [] { return false; });

}  // namespace moa
