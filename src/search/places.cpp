#include "search/places.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unordered_set>
#include <utility>

#include <moa/error.hpp>

namespace moa::search {
namespace {

ListedPlace list_place(const std::filesystem::path& place, const std::atomic<bool>* cancelled) {
  struct stat status {};
  ListedPlace listed;
  listed.spelling = place.string();
  listed.canonical = canonical_or_empty(place);
  if (listed.canonical.empty() || ::stat(listed.canonical.c_str(), &status) != 0) {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    throw Error(absent ? ErrorCode::not_found : ErrorCode::io_error,
                "cannot index '" + listed.spelling + "': " + std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    Walk found = walk(listed.canonical, cancelled);
    listed.files = std::move(found.files);
    listed.unreadable = std::move(found.unreadable);
  } else if (S_ISREG(status.st_mode)) {
    listed.is_file = true;
    listed.files.push_back({"", FileStamp::of(status)});
  } else {
    throw Error(ErrorCode::invalid_argument,
                "cannot index '" + listed.spelling + "': expected a folder or a regular file");
  }
  return listed;
}

}  // namespace

std::vector<ListedPlace> list_places(std::span<const std::filesystem::path> places,
                                     std::span<const std::filesystem::path> leave_out,
                                     const std::atomic<bool>* cancelled) {
  std::vector<ListedPlace> listed;
  for (const std::filesystem::path& place : places) {
    ListedPlace next = list_place(place, cancelled);
    if (std::ranges::find(listed, next.canonical, &ListedPlace::canonical) == listed.end()) {
      listed.push_back(std::move(next));
    }
  }
  std::unordered_set<std::string> seen;
  for (const std::filesystem::path& path : leave_out) {
    // The file need not be there yet, its folder is enough.
    std::error_code error;
    const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
    if (!error) seen.insert(canonical.string());
  }
  const bool may_overlap = listed.size() > 1;
  for (ListedPlace& place : listed) {
    std::erase_if(place.files, [&](const WalkedFile& file) {
      const std::string path = join(place.canonical, file.inside);
      return may_overlap ? !seen.insert(path).second : seen.contains(path);
    });
  }
  return listed;
}

std::string join(const std::string& place, const std::string& inside) {
  if (inside.empty()) return place;
  return place.ends_with('/') ? place + inside : place + "/" + inside;
}

std::string canonical_or_empty(const std::filesystem::path& path) {
  std::error_code error;
  const std::string canonical = std::filesystem::canonical(path, error).string();
  if (error) errno = error.value();
  return error ? "" : canonical;
}

}  // namespace moa::search
