#include "base/walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <moa/error.hpp>

#include "base/cancellation.hpp"

namespace moa {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// Null, with errno set, if it cannot be opened.
Folder open_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  DIR* folder = ::fdopendir(fd);
  if (folder == nullptr) ::close(fd);
  return Folder(folder);
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

// Folders still to be read are kept on a list, not on the stack: a tree may be deeper than any stack.
class Walker {
 public:
  Walker(const std::filesystem::path& root, const std::atomic<bool>* cancelled)
      : root_(root.string()), cancelled_(cancelled) {}

  Walk run() {
    pending_.emplace_back();
    while (!pending_.empty()) {
      const std::string inside = std::move(pending_.back());
      pending_.pop_back();
      read(inside);
    }
    const auto inside = [](const auto& found) -> const std::string& { return found.inside; };
    std::ranges::sort(result_.files, {}, inside);
    std::ranges::sort(result_.unreadable, {}, inside);
    return std::move(result_);
  }

 private:
  void read(const std::string& inside) {
    const Folder folder = open_folder(inside.empty() ? root_ : root_ + "/" + inside);
    if (folder == nullptr) {
      give_up(inside);
      return;
    }
    for (;;) {
      if (is_raised(cancelled_)) {
        throw Error(ErrorCode::cancelled, "cannot list '" + root_ + "': interrupted");
      }
      errno = 0;
      const dirent* entry = ::readdir(folder.get());
      if (entry == nullptr) {
        if (errno != 0) give_up(inside);
        return;
      }
      if (entry->d_name[0] != '.') visit(*folder, *entry, inside);
    }
  }

  void visit(DIR& folder, const dirent& entry, const std::string& inside) {
    std::string path = inside.empty() ? entry.d_name : inside + "/" + entry.d_name;
    if (entry.d_type == DT_DIR) {
      pending_.push_back(std::move(path));
      return;
    }
    if (entry.d_type != DT_REG && entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return;
    struct stat status {};
    if (::fstatat(::dirfd(&folder), entry.d_name, &status, 0) != 0)
      return;  // gone meanwhile, or leads nowhere
    if (S_ISREG(status.st_mode)) {
      result_.files.push_back({std::move(path), FileStamp::of(status)});
    } else if (S_ISDIR(status.st_mode) && entry.d_type == DT_UNKNOWN) {
      // Some file systems do not tell the type in the listing: a second look tells a folder from a link to
      // one.
      if (::fstatat(::dirfd(&folder), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISDIR(status.st_mode)) {
        pending_.push_back(std::move(path));
      }
    }
  }

  void give_up(const std::string& inside) {
    const int error = errno;
    if (error == ENOENT && !inside.empty()) return;  // removed since it was listed
    const std::string reason = std::strerror(error);
    if (inside.empty()) {
      const bool absent = error == ENOENT || error == ENOTDIR;
      throw Error(absent ? ErrorCode::not_found : ErrorCode::io_error,
                  "cannot read the folder '" + root_ + "': " + reason);
    }
    result_.unreadable.push_back({inside, reason});
  }

  std::string root_;
  const std::atomic<bool>* cancelled_;
  std::vector<std::string> pending_;
  Walk result_;
};

}  // namespace

FileStamp FileStamp::of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

Walk walk(const std::filesystem::path& folder, const std::atomic<bool>* cancelled) {
  return Walker(folder, cancelled).run();
}

}  // namespace moa
