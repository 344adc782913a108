// Which model made a vector: one hash over all that decides it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "checkpoint/model_directory.hpp"

namespace moa {

// The XXH3-128 of a file's content, as ContentHash::hex gives it. A file of 1 MiB or more is remembered in
// `cache`/hashes under its device and inode, and not read again while its size and modification time (in
// nanoseconds) stay the same. A cache that cannot be written, or an empty path, costs time only. Safe from
// any thread and process. Errors: not_found, io_error.
std::string remembered_content_hash(const std::filesystem::path& file, const std::filesystem::path& cache);

// The XXH3-128 over names and contents of `model.identity_files()` and `salt`, which holds what else decides
// a vector (the preprocessing's version, dimension, dtype). It does not depend on where the directory lies.
// Errors: those of remembered_content_hash.
std::string model_identity(const ModelDirectory& model, std::string_view salt,
                           const std::filesystem::path& cache);
// With moa's own cache directory.
std::string model_identity(const ModelDirectory& model, std::string_view salt);

}  // namespace moa
