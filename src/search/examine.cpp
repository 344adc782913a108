#include "search/examine.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "base/hash.hpp"

namespace moa::search {
namespace {

constexpr std::size_t kFirstBytes = 4096;
constexpr std::size_t kChunkBytes = 1 << 20;
constexpr int kAttempts = 3;
// The coarsest clock of a file system still in use (FAT). A file that was changed this shortly before it was
// read may be changed again without its times moving.
constexpr std::int64_t kClockTickNs = 2'000'000'000;

class File {
 public:
  // O_NONBLOCK: what was a file when it was listed may be a pipe now, and must not keep us waiting.
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }
  // Both return false with errno set if the system refuses.
  bool status(struct stat& status) const { return ::fstat(fd_, &status) == 0; }
  bool read(std::span<std::byte> buffer, std::uint64_t offset, std::size_t& got) const {
    for (;;) {
      const ssize_t count = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      got = count < 0 ? 0 : static_cast<std::size_t>(count);
      return count >= 0;
    }
  }

 private:
  int fd_;
};

std::int64_t now_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Examined failed(const std::string& path, const FileStamp& stamp) {
  Examined result;
  result.outcome = errno == ENOENT || errno == ENOTDIR ? Examined::Outcome::gone : Examined::Outcome::failed;
  result.stamp = stamp;
  result.error.emplace(ErrorCode::io_error, "cannot read '" + path + "': " + std::strerror(errno));
  return result;
}

ContentId content_id(const ContentHash& hash) {
  ContentId id;
  std::ranges::copy(hash.hex(), id.begin());
  return id;
}

}  // namespace

Examined examine(const std::string& path, const Recognises& recognises) {
  Examined result;
  std::vector<std::byte> buffer(kFirstBytes);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::int64_t begun_ns = now_ns();
    // By name first: a file that may not be opened has a stamp too, and is tried again when that changes.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return failed(path, {});
    const FileStamp stamp = FileStamp::of(status);
    if (!S_ISREG(status.st_mode)) return {};
    const File file(path);
    if (!file.is_open()) return failed(path, stamp);

    std::size_t got = 0;
    if (!file.read(std::span(buffer).first(kFirstBytes), 0, got)) return failed(path, stamp);
    result.stamp = stamp;
    if (recognises && !recognises(std::span(buffer).first(got))) {
      result.outcome = Examined::Outcome::skipped;
    } else {
      ContentHash hash;
      buffer.resize(std::clamp<std::size_t>(stamp.size_bytes, kFirstBytes, kChunkBytes));
      for (std::uint64_t offset = 0; offset < stamp.size_bytes; offset += got) {
        if (!file.read(buffer, offset, got)) return failed(path, stamp);
        if (got == 0) break;
        hash.update(std::span(buffer).first(got));
      }
      result.outcome = Examined::Outcome::readable;
      result.hash = content_id(hash);
    }
    struct stat after {};
    if (file.status(after) && FileStamp::of(after) == stamp && is_still(path, stamp)) {
      result.settled = stamp.ctime_ns <= begun_ns - kClockTickNs;
      return result;
    }
  }
  // It is being written all the time: take what is there, and look again next time.
  result.hash.reset();
  return result;
}

bool is_still(const std::string& path, const FileStamp& stamp) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && FileStamp::of(status) == stamp;
}

}  // namespace moa::search
