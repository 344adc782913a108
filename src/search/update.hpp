// Bringing a collection up to date.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <moa/collection.hpp>
#include <moa/error.hpp>

#include "search/examine.hpp"
#include "search/plan.hpp"
#include "search/store.hpp"

namespace moa::search {

// What an update needs from a model.
struct Embedder {
  // Asked of every new or changed file in a folder; those that are not recognised are skipped. May be empty.
  Recognises recognises;
  // Of a file that failed before and has not changed.
  TriesAgain tries_again;
  // Gives the vector or the error of each path to `deliver`, each once. Called only if there is something to
  // embed. Error cancelled is not that file's.
  using Deliver = std::function<void(std::size_t index, std::vector<float> vector, const Error* error)>;
  std::function<void(std::span<const std::string> paths, const Deliver& deliver)> embed;
};

// As Collection::update. `known` is what the caller last saw of the collection; if nothing has changed since,
// nothing is locked, nothing written and `known` still holds.
UpdateReport update(const StoreFiles& files, const Target& target, Writer::Start start,
                    const std::optional<Snapshot>& known, std::span<const std::filesystem::path> places,
                    const Embedder& embedder, const UpdateOptions& options);

}  // namespace moa::search
