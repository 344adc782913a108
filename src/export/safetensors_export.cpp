#include <moa/safetensors.hpp>

#include <memory>
#include <optional>
#include <utility>

#include <moa/error.hpp>

#include "base/new_directory.hpp"
#include "embed/loaded_model.hpp"
#include "export/published_directory.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// What every tensor of floats becomes; none: what it is, or f32.
std::optional<DType> dtype_named(std::string_view name) {
  if (name == "auto") return std::nullopt;
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    if (moa::name(dtype) == name) return dtype;
  }
  throw Error(ErrorCode::invalid_argument,
              "cannot write safetensors in '" + std::string(name) + "': expected auto, f32, f16 or bf16");
}

}  // namespace

std::vector<std::string> export_safetensors(std::string_view name, const fs::path& place,
                                            std::string_view dtype, const std::atomic<bool>* cancelled) {
  const std::optional<DType> wanted = dtype_named(dtype);
  NewDirectory directory(place, cancelled);
  const std::shared_ptr<const LoadedModel> model = LoadedModel::load(name, {.device = "cpu"});
  const Weights weights = model->directory().weights();
  write_published(model->directory(), weights.parameters(), {.wanted = wanted}, directory);
  std::vector<std::string> files = directory.files();
  directory.commit();
  return files;
}

}  // namespace moa
