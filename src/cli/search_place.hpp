// What moa search looks through.
#pragma once

#include <string>

#include <moa/collection.hpp>
#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"

namespace moa::cli {

// PLACE as a collection: an index as it is, a folder with its own index brought up to date; --index,
// --no-update and --reindex say otherwise. Errors: not_found; invalid_argument for a picture, for options
// that contradict each other, and for an index that does not hold the folder; corrupt_data for a file that is
// no index; those of opening and updating a collection.
Collection open_place(const std::string& place, const Model& model, const Arguments& arguments,
                      Console& console);

}  // namespace moa::cli
