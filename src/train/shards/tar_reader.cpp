#include "shards/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>

#include <moa/error.hpp>

#include "base/component.hpp"

namespace moa::train {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr const char* kNoMemory = "cannot read an archive: out of memory";

class TarReader : public ArchiveReader {
 public:
  TarReader(const std::string& path, const std::string_view* bytes)
      : name_(path), archive_(archive_read_new(), archive_read_free) {
    if (!archive_) throw Error(ErrorCode::limit_exceeded, kNoMemory);
    archive_read_support_format_tar(archive_.get());
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_filter_bzip2(archive_.get());
    archive_read_support_filter_xz(archive_.get());
    archive_read_support_filter_zstd(archive_.get());
    const int opened = bytes != nullptr
                           ? archive_read_open_memory(archive_.get(), bytes->data(), bytes->size())
                           : archive_read_open_filename(archive_.get(), path.c_str(), kBlockBytes);
    if (opened != ARCHIVE_OK) fail();
  }

  int next(std::string* name, std::uint64_t* size_bytes, bool* found, std::string* message) override {
    return without_exceptions(message, kNoMemory, [&] { *found = find_next(*name, *size_bytes); });
  }

  int read(std::string* content, std::string* message) override {
    return without_exceptions(message, kNoMemory, [&] {
      content->resize(static_cast<std::size_t>(size_bytes_));
      std::size_t done = 0;
      while (done < content->size()) {
        const auto got = archive_read_data(archive_.get(), content->data() + done, content->size() - done);
        if (got < 0) fail();
        if (got == 0) fail_as(ErrorCode::corrupt_data, "it ends inside a file");
        done += static_cast<std::size_t>(got);
      }
    });
  }

 private:
  bool find_next(std::string& name, std::uint64_t& size_bytes) {
    while (true) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(archive_.get(), &entry);
      if (result == ARCHIVE_EOF) return false;
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) fail();
      if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) continue;
      const char* path = archive_entry_pathname_utf8(entry);
      if (path == nullptr) path = archive_entry_pathname(entry);
      if (path == nullptr) fail_as(ErrorCode::corrupt_data, "found a file without a name");
      const auto size = archive_entry_size(entry);
      if (size < 0 || static_cast<std::uint64_t>(size) > kMostMemberBytes) {
        fail_as(ErrorCode::limit_exceeded, "found '" + std::string(path) + "' of " + std::to_string(size) +
                                               " bytes, expected at most 256 MiB");
      }
      name = path;
      size_bytes = size_bytes_ = static_cast<std::uint64_t>(size);
      return true;
    }
  }

  [[noreturn]] void fail_as(ErrorCode code, const std::string& what) const {
    throw Error(code, "cannot read the archive '" + name_ + "': " + what);
  }
  [[noreturn]] void fail() const {
    const int number = archive_errno(archive_.get());
    const char* text = archive_error_string(archive_.get());
    const ErrorCode code = number == ENOENT                                        ? ErrorCode::not_found
                           : number == EACCES || number == EIO || number == EISDIR ? ErrorCode::io_error
                           : number == ENOMEM                                      ? ErrorCode::limit_exceeded
                                                                                   : ErrorCode::corrupt_data;
    fail_as(code, text == nullptr ? "it is damaged" : text);
  }

  std::string name_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ArchiveReader> open_tar(const std::string& path, const std::string_view* bytes) {
  return std::make_unique<TarReader>(path, bytes);
}

}  // namespace moa::train
