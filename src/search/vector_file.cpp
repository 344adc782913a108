#include "search/vector_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

#include "base/hash.hpp"

namespace moa::search {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it lies on disk");

constexpr std::string_view kMagic{"moa\0vec\r\n\x1a\n\0", 12};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kGenerationBytes = 16;
constexpr std::size_t kMaxIdentityBytes = 256;

// Where things lie in the header; what is between them is zero.
constexpr std::size_t kVersionAt = 12;
constexpr std::size_t kDimAt = 16;
constexpr std::size_t kIdentityBytesAt = 20;
constexpr std::size_t kGenerationAt = 24;
constexpr std::size_t kIdentityAt = 40;
constexpr std::size_t kChecksumBytes = 32;  // hex of the XXH3-128 of all before it
constexpr std::size_t kChecksumAt = kVectorHeaderBytes - kChecksumBytes;

void put_u32(std::string& bytes, std::size_t at, std::uint32_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof(value));
}

std::uint32_t get_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

[[noreturn]] void fail(const char* attempted, const std::filesystem::path& path) {
  throw Error(ErrorCode::io_error,
              std::string("cannot ") + attempted + " '" + path.string() + "': " + std::strerror(errno));
}

// Everything at `offset`, or errno is set.
bool write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return true;
}

bool is_same_file(int fd, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

// Makes the names in the folder of `path` last, as fsync does a file's content.
void sync_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;  // the names stand; only whether they survive a power cut is not known
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

std::string format_vector_header(const VectorHeader& header) {
  if (header.model_identity.size() > kMaxIdentityBytes || header.generation.size() != kGenerationBytes ||
      header.dim < 1 || header.dim > kMostVectorDim) {
    throw Error(ErrorCode::invalid_argument,
                "cannot make an index of vectors with " + std::to_string(header.dim) +
                    " dimensions and an identity of " + std::to_string(header.model_identity.size()) +
                    " bytes: expected 1 to 65536 and at most 256");
  }
  std::string bytes(kVectorHeaderBytes, '\0');
  bytes.replace(0, kMagic.size(), kMagic);
  put_u32(bytes, kVersionAt, kVersion);
  put_u32(bytes, kDimAt, static_cast<std::uint32_t>(header.dim));
  put_u32(bytes, kIdentityBytesAt, static_cast<std::uint32_t>(header.model_identity.size()));
  bytes.replace(kGenerationAt, kGenerationBytes, header.generation);
  bytes.replace(kIdentityAt, header.model_identity.size(), header.model_identity);
  seal_vector_header(bytes);
  return bytes;
}

void seal_vector_header(std::string& bytes) {
  const std::string checksum = content_hash(as_bytes(std::string_view(bytes).substr(0, kChecksumAt)));
  bytes.replace(kChecksumAt, kChecksumBytes, checksum);
}

VectorHeader parse_vector_header(std::span<const std::byte> bytes, const std::string& where) {
  const auto corrupt = [&](const char* found) {
    return Error(ErrorCode::corrupt_data, "cannot read the vectors '" + where + "': " + found);
  };
  const std::string_view text = as_text(bytes);
  if (text.size() < kVectorHeaderBytes) throw corrupt("the file is shorter than its header");
  if (!text.starts_with(kMagic)) throw corrupt("the file does not begin as one");
  if (const std::uint32_t version = get_u32(text, kVersionAt); version != kVersion) {
    throw Error(ErrorCode::unsupported, "cannot read the vectors '" + where + "': their format is version " +
                                            std::to_string(version) + ", expected 1");
  }
  if (content_hash(bytes.first(kChecksumAt)) != text.substr(kChecksumAt, kChecksumBytes)) {
    throw corrupt("the header's checksum does not match");
  }
  const std::uint32_t dim = get_u32(text, kDimAt);
  const std::uint32_t identity_bytes = get_u32(text, kIdentityBytesAt);
  if (dim < 1 || dim > kMostVectorDim || identity_bytes > kMaxIdentityBytes) {
    throw corrupt("the header's sizes are impossible");
  }
  return {dim, std::string(text.substr(kGenerationAt, kGenerationBytes)),
          std::string(text.substr(kIdentityAt, identity_bytes))};
}

VectorRows VectorRows::open(const std::filesystem::path& path) {
  MappedFile file = MappedFile::open(path);
  VectorHeader header = parse_vector_header(file.bytes(), path.string());
  return VectorRows(std::move(file), std::move(header));
}

std::int64_t VectorRows::rows() const {
  const std::size_t row_bytes = static_cast<std::size_t>(header_.dim) * sizeof(float);
  return static_cast<std::int64_t>((file_.bytes().size() - kVectorHeaderBytes) / row_bytes);
}

std::span<const float> VectorRows::row(std::int64_t row) const {
  const auto* first = reinterpret_cast<const float*>(file_.bytes().data() + kVectorHeaderBytes);
  return {first + row * header_.dim, static_cast<std::size_t>(header_.dim)};
}

std::optional<VectorAppender> VectorAppender::try_lock(const std::filesystem::path& path) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) fail("write", path);
    VectorAppender appender(fd, path);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      if (errno == EINTR) continue;
      fail("lock", path);
    }
    // The one who held it may have put another file in its place meanwhile.
    if (is_same_file(fd, path)) return appender;
  }
}

VectorAppender VectorAppender::create(const std::filesystem::path& path, const VectorHeader& header) {
  const std::string bytes = format_vector_header(header);
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) fail("write", path);
  VectorAppender appender(fd, path);
  if (::flock(fd, LOCK_EX) != 0 || !write_at(fd, bytes, 0) || ::fsync(fd) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    errno = error;
    fail("write", path);
  }
  sync_folder(path);
  return appender;
}

VectorAppender::VectorAppender(VectorAppender&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

VectorAppender& VectorAppender::operator=(VectorAppender&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

VectorAppender::~VectorAppender() {
  if (fd_ >= 0) ::close(fd_);
}

void VectorAppender::append(std::int64_t first_row, std::span<const float> values, std::int64_t dim) {
  const std::uint64_t offset = kVectorHeaderBytes + static_cast<std::uint64_t>(first_row) *
                                                        static_cast<std::uint64_t>(dim) * sizeof(float);
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  if (write_at(fd_, bytes, offset) && ::fdatasync(fd_) == 0) return;
  const int error = errno;
  // Nobody has named these rows; on a full disk their space is better given back.
  if (::ftruncate(fd_, static_cast<off_t>(offset)) != 0) errno = error;
  errno = error;
  fail("write", path_);
}

bool VectorAppender::is_empty() const {
  struct stat status {};
  return ::fstat(fd_, &status) == 0 && status.st_size == 0;
}

bool VectorAppender::looks_like_vectors() const {
  char magic[kMagic.size()];
  return ::pread(fd_, magic, sizeof(magic), 0) == static_cast<ssize_t>(sizeof(magic)) &&
         std::string_view(magic, sizeof(magic)) == kMagic;
}

void VectorAppender::rename(const std::filesystem::path& path) {
  if (::rename(path_.c_str(), path.c_str()) != 0) fail("put in place", path_);
  path_ = path;
  sync_folder(path);
}

}  // namespace moa::search
