// Reading and writing files. Paths are bytes, never converted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace moa {

// A file mapped read-only into memory. Copies share the mapping; it ends with the last copy. Safe to read
// from any thread.
class MappedFile {
 public:
  // Errors: not_found; io_error if it cannot be opened or mapped; limit_exceeded without memory for it.
  static MappedFile open(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const noexcept;
  const std::filesystem::path& path() const noexcept;

 private:
  struct Mapping;
  explicit MappedFile(std::shared_ptr<const Mapping> mapping) : mapping_(std::move(mapping)) {}
  std::shared_ptr<const Mapping> mapping_;
};

// Tells the kernel that `bytes` of a mapping will not be needed soon, so that they stop counting as resident
// memory. They are read again from the file if touched. Only whole pages inside the range are dropped.
void drop_pages(std::span<const std::byte> bytes) noexcept;

// The whole file. Errors: not_found; io_error; limit_exceeded if it is larger than `max_bytes`.
std::string read_file(const std::filesystem::path& path, std::uint64_t max_bytes);

// Replaces `path` by `content` so that a reader sees the old file or the new one, never a part: writes a
// temporary file beside it, syncs it and renames it. Errors: io_error with the path; nothing is left behind.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Bytes as text, without copying.
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace moa
