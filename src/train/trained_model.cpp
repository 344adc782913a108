#include "train/trained_model.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <moa/error.hpp>

#include "base/half.hpp"
#include "base/new_directory.hpp"
#include "export/published_directory.hpp"
#include "tensor/elements.hpp"
#include "tensor/factored.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

bool fits_f16(const Parameter& values) {
  return std::ranges::all_of(values.read(), [](float value) { return std::abs(value) < kFirstBeyondF16; });
}

// As it was stored before, if that is a type of plain numbers; in fewer bits than those, f16.
Parameter stored_like(const Parameter& stored, const Parameter& values) {
  DType type = stored.dtype();
  if (type == DType::q4 || type == DType::i8) type = DType::f16;
  if (type != DType::f16 && type != DType::bf16) return values;
  if (type == DType::f16 && !fits_f16(values)) return values;
  return to_be_stored_in(type, values);
}

// `fill` writes what is to be at `place`; what stood there goes once that is whole, so that a full disk costs
// nothing that was there.
void replace_directory(const fs::path& place, const std::function<void(NewDirectory&)>& fill) {
  const fs::path old = place.string() + ".old";
  std::error_code failed;
  fs::remove_all(old, failed);
  const bool replaces = fs::exists(place, failed);
  const fs::path fresh = replaces ? fs::path(place.string() + ".new") : place;
  if (replaces) fs::remove_all(fresh, failed);
  NewDirectory directory(fresh);
  fill(directory);
  directory.commit();
  if (!replaces) return;
  fs::rename(place, old, failed);
  if (!failed) fs::rename(fresh, place, failed);
  if (failed)
    throw Error(ErrorCode::io_error, "cannot replace '" + place.string() + "': " + failed.message());
  fs::remove_all(old, failed);
}

}  // namespace

void write_trained_model(const LoadedModel& model, const std::vector<Parameter>& learned,
                         const Adapter* adapter, const fs::path& place) {
  std::map<std::string, Parameter> by_name;
  for (const Parameter& tensor : learned) by_name.emplace(tensor.name(), tensor);
  std::vector<Parameter> tensors;
  for (const Parameter& stored : stored_tensors(model.directory().weights().parameters())) {
    auto found = by_name.extract(stored.name());
    if (found.empty()) {
      tensors.push_back(stored);
      continue;
    }
    tensors.push_back(stored_like(stored, found.mapped()));
    if (!(tensors.back().shape() == stored.shape())) {
      throw Error(ErrorCode::internal,
                  "'" + stored.name() + "' was learned in another shape than it is stored");
    }
  }
  if (!by_name.empty())
    throw Error(ErrorCode::internal, "'" + by_name.begin()->first + "' was learned, but the model has none");

  if (adapter != nullptr) {
    Weights weights;
    for (const Parameter& tensor : tensors) weights.add(tensor);
    tensors = adapter->merged_into(weights).parameters();
  }
  replace_directory(place, [&](NewDirectory& directory) {
    write_published(model.directory(), tensors, {.keeps_blocks = true}, directory);
  });
}

void write_trained_adapter(const Adapter& adapter, const fs::path& place) {
  replace_directory(place, [&](NewDirectory& directory) { adapter.write(directory.path()); });
}

}  // namespace moa::train
