// A directory that appears whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.hpp"

namespace moa {

// Files are written into a folder beside the place, which commit() renames; without it, nothing is left.
class NewDirectory {
 public:
  // Errors: invalid_argument if there is something at `place` already; io_error. Once `cancelled` is raised,
  // whatever comes next fails as cancelled.
  explicit NewDirectory(const std::filesystem::path& place, CancelFlag cancelled = nullptr);
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  // Where to write for now.
  const std::filesystem::path& path() const noexcept { return path_; }
  CancelFlag cancelled() const noexcept { return cancelled_; }
  // The file `name`, which may lie in folders, is made to hold `content`. Error: io_error.
  void write(const std::filesystem::path& name, std::string_view content);
  // The path for `name`, whose folders are made.
  std::filesystem::path file(const std::filesystem::path& name);
  // Every file so far, relative to the directory, sorted.
  std::vector<std::string> files() const;
  // Error: io_error; invalid_argument if something has come to be at the place meanwhile.
  void commit();

 private:
  std::filesystem::path place_;
  std::filesystem::path path_;
  CancelFlag cancelled_;
};

// A place of this process's own, in the system's folder for what does not last. Error: io_error if there is
// no such folder.
std::filesystem::path temporary_place(std::string_view name);

}  // namespace moa
