// A file while it arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace moa {

// Open and locked for this process as long as it lives; what was written stays behind. For one thread.
class PartialFile {
 public:
  // Opens or makes it. Errors: io_error; overloaded if another process or object holds it.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  const std::filesystem::path& path() const noexcept { return path_; }
  // Errors of all: io_error, with the path.
  void append(std::span<const std::byte> bytes);
  void clear();
  void remove();
  // Syncs it to the disk and gives it its final name.
  void publish(const std::filesystem::path& final_path);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace moa
