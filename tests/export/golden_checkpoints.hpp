// The checkpoints below tests/golden.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace moa {

// Folders, and files of OpenAI's, sorted.
inline std::vector<std::string> golden_checkpoints() {
  std::vector<std::string> found;
  const auto root = std::filesystem::path(MOA_TEST_DATA) / "golden";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::filesystem::path folder = entry.path().parent_path();
    if (entry.path().filename() != "expected.safetensors") continue;
    if (std::filesystem::exists(folder / "model.pt")) {
      found.push_back((folder / "model.pt").string());
    } else if (std::filesystem::exists(folder / "config.json") ||
               std::filesystem::exists(folder / "open_clip_config.json")) {
      found.push_back(folder.string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace moa
