// What lies in the places that a collection is to hold, now.
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "base/walk.hpp"

namespace moa::search {

struct ListedPlace {
  std::string canonical;  // absolute, without links
  std::string spelling;   // as it was given
  bool is_file = false;   // then `files` holds it under the empty name
  std::vector<WalkedFile> files;
  std::vector<UnreadableFolder> unreadable;
  std::optional<Error> error;  // it could not be listed: what lies in it is not known
};

// Lists `places`, each once, and each file once though its place may lie inside another. Files whose
// canonical path is in `leave_out` do not count. A place that is not there, or cannot be read, has its error;
// if every one has, the first is thrown. Error: cancelled.
std::vector<ListedPlace> list_places(std::span<const std::filesystem::path> places,
                                     std::span<const std::filesystem::path> leave_out,
                                     const std::atomic<bool>* cancelled);

// `place` joined with a path inside it: the place itself if that is empty.
std::string join(const std::string& place, const std::string& inside);

// The path without links, or the empty string if it cannot be followed.
std::string canonical_or_empty(const std::filesystem::path& path);
// The path without the links that can be followed: of what is not there, where it would be.
std::string canonical_as_far(const std::filesystem::path& path);

}  // namespace moa::search
