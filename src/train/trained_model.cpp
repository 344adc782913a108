#include "train/trained_model.hpp"

#include <map>
#include <string>
#include <system_error>

#include <moa/error.hpp>

#include "base/new_directory.hpp"
#include "export/published_directory.hpp"

namespace moa::train {

void write_trained_model(const LoadedModel& model, const std::vector<Parameter>& learned,
                         const std::filesystem::path& place) {
  namespace fs = std::filesystem;
  std::map<std::string, Parameter> by_name;
  for (const Parameter& tensor : learned) by_name.emplace(tensor.name(), tensor);
  std::vector<Parameter> tensors;
  for (const Parameter& stored : model.directory().weights().parameters()) {
    auto found = by_name.extract(stored.name());
    tensors.push_back(found.empty() ? stored : found.mapped());
    if (!(tensors.back().shape() == stored.shape())) {
      throw Error(ErrorCode::internal,
                  "'" + stored.name() + "' was learned in another shape than it is stored");
    }
  }
  if (!by_name.empty())
    throw Error(ErrorCode::internal, "'" + by_name.begin()->first + "' was learned, but the model has none");

  const fs::path old = place.string() + ".old";
  std::error_code failed;
  fs::remove_all(old, failed);
  const bool replaces = fs::exists(place, failed);
  // The new one is written beside both, so that a full disk costs nothing that was there.
  const fs::path fresh = replaces ? fs::path(place.string() + ".new") : place;
  if (replaces) fs::remove_all(fresh, failed);
  NewDirectory directory(fresh);
  write_published(model.directory(), tensors, {}, directory);
  directory.commit();
  if (!replaces) return;
  fs::rename(place, old, failed);
  if (!failed) fs::rename(fresh, place, failed);
  if (failed)
    throw Error(ErrorCode::io_error, "cannot replace '" + place.string() + "': " + failed.message());
  fs::remove_all(old, failed);
}

}  // namespace moa::train
