#include "base/new_directory.hpp"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <system_error>

#include <moa/error.hpp>

namespace moa {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what,
                       const std::error_code& why) {
  throw Error(ErrorCode::io_error, "cannot " + what + " " + path.string() + ": " + why.message());
}

void refuse_existing(const std::filesystem::path& place) {
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::symlink_status(place, ignored))) {
    throw Error(ErrorCode::invalid_argument,
                "cannot write " + place.string() + ": it is there already; expected a new directory");
  }
}

std::filesystem::path without_slash(const std::filesystem::path& place) {
  return place.has_filename() || !place.has_parent_path() ? place : place.parent_path();
}

}  // namespace

NewDirectory::NewDirectory(const std::filesystem::path& place, CancelFlag cancelled)
    : place_(without_slash(place)), cancelled_(cancelled) {
  if (place_.empty()) throw Error(ErrorCode::invalid_argument, "cannot write a directory without a name");
  refuse_existing(place_);
  std::string pattern = place_.string() + ".part-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    fail(place_, "make a directory beside", std::error_code(errno, std::generic_category()));
  }
  path_ = pattern;
  ::chmod(path_.c_str(), 0755);  // mkdtemp's are its maker's alone
}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path NewDirectory::file(const std::filesystem::path& name) {
  stop_if_raised(cancelled_);
  std::filesystem::path file = path_ / name;
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  if (failed) fail(file.parent_path(), "make", failed);
  return file;
}

void NewDirectory::write(const std::filesystem::path& name, std::string_view content) {
  const std::filesystem::path path = file(name);
  std::ofstream stream(path, std::ios::binary);
  stream.write(content.data(), static_cast<std::streamsize>(content.size()));
  stream.close();
  if (!stream) fail(path, "write", std::error_code(errno, std::generic_category()));
}

std::vector<std::string> NewDirectory::files() const {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(path_).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void NewDirectory::commit() {
  stop_if_raised(cancelled_);
  refuse_existing(place_);
  std::error_code failed;
  std::filesystem::rename(path_, place_, failed);
  if (failed) fail(path_, "rename", failed);
  path_.clear();
}

std::filesystem::path temporary_place(std::string_view name) {
  std::error_code failed;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(failed);
  if (failed) {
    throw Error(ErrorCode::io_error,
                "cannot make temporary files: TMPDIR, or the system's folder for them: " + failed.message());
  }
  return folder / ("moa-" + std::string(name) + "-" + std::to_string(::getpid()));
}

}  // namespace moa
