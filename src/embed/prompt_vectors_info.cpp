#include <moa/prompt_vectors.hpp>

#include <exception>

#include "checkpoint/prompt_vectors.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {

namespace fs = std::filesystem;

bool is_prompt_vectors(const fs::path& place) noexcept {
  try {
    if (!fs::is_regular_file(place)) return false;
    const SafetensorsFile file = SafetensorsFile::open(place);
    return file.tensors().size() == 1 && file.tensors().front().name == kPromptVectors;
  } catch (const std::exception&) {
    return false;
  }
}

PromptVectorsInfo inspect_prompt_vectors(const fs::path& place) {
  const PromptVectors prompt = PromptVectors::open(place);
  PromptVectorsInfo info;
  info.path = place.string();
  info.vectors = prompt.vectors.shape()[0];
  info.width = prompt.vectors.shape()[1];
  info.initial = prompt.initial;
  info.label_template = prompt.label_template;
  info.base = prompt.base;
  info.bytes = static_cast<std::int64_t>(fs::file_size(place));
  return info;
}

}  // namespace moa
