#include "checkpoint/prompt_vectors.hpp"

#include <cmath>
#include <system_error>

#include <moa/error.hpp>

#include "checkpoint/identity.hpp"
#include "checkpoint/model_search.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBase = "moa.base_model";
constexpr const char* kBaseFiles = "moa.base_files";
constexpr const char* kInitial = "moa.initial";
constexpr const char* kTemplate = "moa.template";
constexpr std::int64_t kMostVectors = 1 << 14;

}  // namespace

PromptVectors PromptVectors::open(const fs::path& place) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::corrupt_data, "cannot read prompt vectors from '" + place.string() + "': " + what);
  };
  const SafetensorsFile file = SafetensorsFile::open(place);
  const auto said = [&](const char* key) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end()) refuse("its metadata have no '" + std::string(key) + "'");
    return found->second;
  };
  if (file.tensors().size() != 1 || file.tensors().front().name != kPromptVectors)
    refuse("expected one tensor, '" + std::string(kPromptVectors) + "'");
  const StoredTensor& stored = file.tensors().front();
  const Shape& shape = stored.shape;
  if (shape.rank() != 2 || shape[0] < 1 || shape[0] > kMostVectors || shape[1] < 1)
    refuse("found " + to_string(shape) + ", expected [1 to " + std::to_string(kMostVectors) + ", width]");
  PromptVectors prompt;
  prompt.vectors = file.parameter(stored, stored.name);
  for (const float value : prompt.vectors.read()) {
    if (!std::isfinite(value)) refuse("found a number that is none");
  }
  prompt.base = said(kBase);
  prompt.base_files = said(kBaseFiles);
  prompt.initial = said(kInitial);
  prompt.label_template = said(kTemplate);
  if (prompt.label_template.find("{}") == std::string::npos)
    refuse("its template '" + prompt.label_template + "' has no {} where the label goes");
  return prompt;
}

void PromptVectors::write(const fs::path& place) const {
  const fs::path beside = place.string() + ".new";
  std::error_code failed;
  fs::remove(beside, failed);  // what a killed process left
  write_safetensors(
      beside, as_stored(vectors),
      {{kBase, base}, {kBaseFiles, base_files}, {kInitial, initial}, {kTemplate, label_template}});
  fs::rename(beside, place, failed);
  if (failed) throw Error(ErrorCode::io_error, "cannot write '" + place.string() + "': " + failed.message());
}

void PromptVectors::expect_model(const ModelDirectory& directory, const fs::path& place) const {
  const std::string found = prompt_base(directory);
  if (found == base_files) return;
  throw Error(ErrorCode::model_mismatch,
              "the prompt vectors '" + place.string() + "' belong to another model: they were learned for '" +
                  base + "' (" + base_files + "), found '" + directory.path().string() + "' (" + found + ")");
}

std::string prompt_base(const ModelDirectory& directory) {
  return model_identity(directory, "base of prompt vectors");
}

std::string prompt_identity(const fs::path& place) {
  return remembered_content_hash(place, moa_cache_directory(process_environment()));
}

}  // namespace moa
