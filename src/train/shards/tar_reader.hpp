// Reading tar archives by libarchive.
#pragma once

#include "train/archive.hpp"

namespace moa::train {

// As OpenArchive. Errors: not_found, io_error; corrupt_data (no such archive).
std::unique_ptr<ArchiveReader> open_tar(const std::string& path, const std::string_view* bytes);

}  // namespace moa::train
