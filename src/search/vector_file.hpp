// The file of vectors: a header of 4096 bytes, then float32 rows, little-endian, each `dim` long. Rows are
// only ever added behind what a catalogue has committed, so whoever has mapped the file sees its rows
// unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.hpp"

namespace moa::search {

inline constexpr std::size_t kVectorHeaderBytes = 4096;
inline constexpr std::int64_t kMostVectorDim = 1 << 16;

struct VectorHeader {
  std::int64_t dim = 0;
  std::string generation;      // 16 random bytes, the same in the catalogue that owns the rows
  std::string model_identity;  // at most 256 bytes
};

// The header as it lies on disk, with its checksum. Error: invalid_argument if the identity is too long.
std::string format_vector_header(const VectorHeader& header);
// Writes the checksum that the other bytes of a header ask for.
void seal_vector_header(std::string& bytes);
// `where` names the file in errors: corrupt_data (too short, not ours, wrong checksum, impossible dimension);
// unsupported (later version).
VectorHeader parse_vector_header(std::span<const std::byte> bytes, const std::string& where);

// The rows, mapped. Copies share the mapping; safe to read from any thread.
class VectorRows {
 public:
  // Errors: not_found; io_error; as parse_vector_header.
  static VectorRows open(const std::filesystem::path& path);

  const VectorHeader& header() const { return header_; }
  // Whole rows that the file holds.
  std::int64_t rows() const;
  // `row` must be below rows().
  std::span<const float> row(std::int64_t row) const;
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  VectorRows(MappedFile file, VectorHeader header) : file_(std::move(file)), header_(std::move(header)) {}

  MappedFile file_;
  VectorHeader header_;
};

// The vector file opened for writing and locked: whoever holds it is the collection's only writer. The lock
// ends with the object, or with the process, however that ends.
class VectorAppender {
 public:
  // Makes an empty file if there is none. Nothing, if another holds it. Error: io_error.
  static std::optional<VectorAppender> try_lock(const std::filesystem::path& path);
  // Makes the file anew, locked before anyone can see it whole. Errors: io_error.
  static VectorAppender create(const std::filesystem::path& path, const VectorHeader& header);

  VectorAppender(VectorAppender&& other) noexcept;
  VectorAppender& operator=(VectorAppender&& other) noexcept;
  ~VectorAppender();

  // Writes `values` from row `first_row` on, and waits until they are on the disk. If it fails, what was
  // written is cut off again. Error: io_error with the path.
  void append(std::int64_t first_row, std::span<const float> values, std::int64_t dim);
  // Whether the file has nothing in it, not even a header.
  bool is_empty() const;
  // Whether it begins as a vector file does, sound or damaged.
  bool looks_like_vectors() const;
  // Puts the file in the place of `path`, durably. Error: io_error.
  void rename(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }

 private:
  VectorAppender(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}

  int fd_;
  std::filesystem::path path_;
};

}  // namespace moa::search
