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

void read_place(ListedPlace& listed, const std::atomic<bool>* cancelled) {
  struct stat status {};
  listed.canonical = canonical_or_empty(listed.spelling);
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
}

ListedPlace list_place(const std::filesystem::path& place, const std::atomic<bool>* cancelled) {
  ListedPlace listed;
  listed.spelling = place.string();
  try {
    read_place(listed, cancelled);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    listed.canonical = canonical_as_far(place);
    listed.error = error;
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
  const auto failed = [](const ListedPlace& place) { return place.error.has_value(); };
  if (!listed.empty() && std::ranges::all_of(listed, failed)) throw Error(*listed.front().error);
  std::unordered_set<std::string> seen;
  for (const std::filesystem::path& path : leave_out) {
    seen.insert(canonical_as_far(path));  // the file need not be there yet, its folder is enough
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

std::string canonical_as_far(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::weakly_canonical(path, error);
  return error ? std::filesystem::absolute(path, error).string() : canonical.string();
}

}  // namespace moa::search
