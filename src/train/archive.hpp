// Archives read from front to back: the door to the component moa-shards, which knows libarchive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace moa::train {

// A reader of the component. Its functions throw nothing: they return what throw_failure() takes, and write
// the message. Used from one thread at a time.
class ArchiveReader {
 public:
  virtual ~ArchiveReader() = default;
  // Goes to the next regular file; `*found` is false behind the last.
  virtual int next(std::string* name, std::uint64_t* size_bytes, bool* found, std::string* message) = 0;
  // The whole content of the file that next() found. Once.
  virtual int read(std::string* content, std::string* message) = 0;
};

// Opens a tar archive (plain, or packed by gzip, bzip2, xz or zstd): the file at `path`, or, if `bytes` is
// not null, what they hold, which must outlive the reader.
using OpenArchive = int(const std::string* path, const std::string_view* bytes,
                        std::unique_ptr<ArchiveReader>* reader, std::string* message);
inline constexpr const char* kShardsComponent = "moa-shards";
inline constexpr const char* kOpenArchive = "moa_open_archive";

// A file in an archive is refused above this size.
inline constexpr std::uint64_t kMostMemberBytes = std::uint64_t{256} << 20;

}  // namespace moa::train
