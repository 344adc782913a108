#include "pull/partial_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path) {
  throw Error(ErrorCode::io_error, "cannot write '" + path.string() + "': " + std::strerror(errno));
}

}  // namespace

PartialFile::PartialFile(std::filesystem::path path) : path_(std::move(path)) {
  for (;;) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) fail(path_);
    struct stat status {};
    const bool locked = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    const int lock_error = errno;
    if (locked && ::fstat(fd_, &status) == 0 && status.st_nlink > 0) {
      size_bytes_ = static_cast<std::uint64_t>(status.st_size);
      struct stat named {};
      if (::stat(path_.c_str(), &named) == 0 && named.st_ino == status.st_ino) return;
    }
    ::close(std::exchange(fd_, -1));  // published or removed by another process before it was locked here
    if (!locked) {
      if (lock_error == EWOULDBLOCK) {
        throw Error(ErrorCode::overloaded,
                    "cannot write '" + path_.string() + "': another pull is writing it");
      }
      errno = lock_error;
      fail(path_);
    }
  }
}

PartialFile::~PartialFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PartialFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path_);
    size_bytes_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PartialFile::clear() {
  if (::ftruncate(fd_, 0) != 0) fail(path_);
  size_bytes_ = 0;
}

void PartialFile::remove() {
  if (::unlink(path_.c_str()) != 0) fail(path_);
}

void PartialFile::publish(const std::filesystem::path& final_path) {
  if (::fsync(fd_) != 0 || ::rename(path_.c_str(), final_path.c_str()) != 0) fail(path_);
}

}  // namespace moa
