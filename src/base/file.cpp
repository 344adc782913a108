#include "base/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& attempted, const std::filesystem::path& path) {
  const int error = errno;
  const ErrorCode code = error == ENOENT || error == ENOTDIR ? ErrorCode::not_found
                         : error == ENOMEM                   ? ErrorCode::limit_exceeded
                                                             : ErrorCode::io_error;
  throw Error(code, "cannot " + attempted + " '" + path.string() + "': " + std::strerror(error));
}

// Opened and known to be a regular file of `size` bytes.
std::uint64_t open_regular(const FileDescriptor& fd, const std::filesystem::path& path) {
  if (fd.get() < 0) fail("open", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) fail("read the size of", path);
  if (S_ISDIR(status.st_mode)) {
    throw Error(ErrorCode::io_error, "cannot read '" + path.string() + "': found a folder, expected a file");
  }
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

struct MappedFile::Mapping {
  std::filesystem::path path;
  const std::byte* data = nullptr;
  std::size_t size_bytes = 0;

  Mapping() = default;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (data != nullptr) ::munmap(const_cast<std::byte*>(data), size_bytes);
  }
};

MappedFile MappedFile::open(const std::filesystem::path& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto mapping = std::make_shared<Mapping>();
  mapping->size_bytes = open_regular(fd, path);
  mapping->path = path;
  if (mapping->size_bytes > 0) {
    void* data = ::mmap(nullptr, mapping->size_bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (data == MAP_FAILED) fail("map", path);
    mapping->data = static_cast<const std::byte*>(data);
  }
  return MappedFile(std::move(mapping));
}

std::span<const std::byte> MappedFile::bytes() const noexcept {
  return {mapping_->data, mapping_->size_bytes};
}
const std::filesystem::path& MappedFile::path() const noexcept {
  return mapping_->path;
}

void drop_pages(std::span<const std::byte> bytes) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::size_t before = (page - address % page) % page;  // up to the first whole page
  if (bytes.size() < before + page) return;
  const std::size_t whole_pages = (bytes.size() - before) / page * page;
  ::madvise(const_cast<std::byte*>(bytes.data() + before), whole_pages, MADV_DONTNEED);
}

std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::uint64_t expected_bytes =
      open_regular(fd, path);  // 0 for pipes and /proc, which are read to their end
  std::string content;
  content.reserve(std::min(expected_bytes, max_bytes) + 1);
  std::size_t filled = 0;
  for (;;) {
    if (filled > max_bytes) {
      throw Error(ErrorCode::limit_exceeded, "cannot read '" + path.string() +
                                                 "': larger than the limit of " + std::to_string(max_bytes) +
                                                 " bytes");
    }
    content.resize(std::max<std::size_t>(content.capacity(), filled + 65536));
    const ssize_t got = ::read(fd.get(), content.data() + filled, content.size() - filled);
    if (got < 0) {
      if (errno == EINTR) continue;
      fail("read", path);
    }
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  content.resize(filled);
  return content;
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  std::string temporary = path.string() + ".XXXXXX";
  {
    const FileDescriptor fd(::mkstemp(temporary.data()));
    if (fd.get() < 0) fail("write", path);
    ::fchmod(fd.get(), 0644);
    const auto give_up = [&] {
      const int error = errno;
      ::unlink(temporary.c_str());
      throw Error(ErrorCode::io_error, "cannot write '" + path.string() + "': " + std::strerror(error));
    };
    while (!content.empty()) {
      const ssize_t written = ::write(fd.get(), content.data(), content.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) give_up();
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(fd.get()) != 0) give_up();
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    fail("replace", path);
  }
}

}  // namespace moa
