// Bringing an index up to date, with progress, and what is said about it: shared by search and index.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include <moa/collection.hpp>
#include <moa/model.hpp>

#include "cli/arguments.hpp"
#include "cli/console.hpp"

namespace moa::cli {

// Warns of folders that cannot be read. Errors: cancelled, after what was finished is kept; unsupported for a
// model of texts alone.
UpdateReport update_collection(Collection& collection, std::span<const std::filesystem::path> places,
                               const Model& model, const Arguments& arguments, Console& console);

// "48 items: 3 new or changed, 1 removed, 2 files skipped".
std::string in_words(const UpdateReport& report, std::size_t items);
// "2 files could not be read; see moa inspect FILE --errors".
std::string failures_in_words(const UpdateReport& report, const std::filesystem::path& index);
// By interface.md's table: 0, 3 or, if nothing at all is in the index, the first failure's own code.
int exit_code_of(const UpdateReport& report, std::size_t items, const std::filesystem::path& index);

}  // namespace moa::cli
