// Finding the files below a folder.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace moa {

// What tells that a file is still the one that was read: its content cannot change without one of these
// changing, except within one tick of the clock. `ctime_ns` is the kernel's and, unlike `mtime_ns`, cannot be
// set back by programs that copy times.
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;

  static FileStamp of(const struct stat& status);
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

struct WalkedFile {
  std::string inside;  // path inside the folder; bytes
  FileStamp stamp;
};

struct UnreadableFolder {
  std::string inside;  // path inside the folder that was walked
  std::string reason;  // in the system's words
};

struct Walk {
  std::vector<WalkedFile> files;             // in bytewise order of `inside`
  std::vector<UnreadableFolder> unreadable;  // what lies below them is not known
};

// Every regular file below `folder`, however deep. What begins with a dot is skipped; links to files count as
// the files they lead to, links to folders and links to nothing are skipped, as are pipes, sockets and
// devices. Errors: not_found; io_error if `folder` itself cannot be read; cancelled once `*cancelled` is
// true.
Walk walk(const std::filesystem::path& folder, const std::atomic<bool>* cancelled = nullptr);

}  // namespace moa
