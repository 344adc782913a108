#include "checkpoint/zip_archive.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

#include "base/file.hpp"

namespace moa {
namespace {

static_assert(std::endian::native == std::endian::little, "the numbers of an archive are read in place");

// What records begin with, and the sizes of their fixed parts.
constexpr std::uint32_t kLocalMark = 0x04034B50;
constexpr std::uint32_t kCentralMark = 0x02014B50;
constexpr std::uint32_t kEndMark = 0x06054B50;
constexpr std::uint32_t kEnd64Mark = 0x06064B50;
constexpr std::uint32_t kLocator64Mark = 0x07064B50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::size_t kMaxComment = 0xFFFF;

// A 16 or 32 bit field that holds this stands in a zip64 record instead.
constexpr std::uint64_t kElsewhere16 = 0xFFFF;
constexpr std::uint64_t kElsewhere32 = 0xFFFFFFFF;
constexpr std::uint16_t kExtra64 = 1;

template <typename T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof(T));
  return number;
}

}  // namespace

class ZipArchive::Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& where) : file_(file), where_(where) {}

  std::vector<Entry> read() {
    find_directory();
    std::vector<Entry> entries;
    std::uint64_t at = directory_begin_;
    for (std::uint64_t i = 0; i < count_; ++i) {
      const std::span<const std::byte> record = take(at, kCentralBytes, "an entry of its directory");
      if (number_at<std::uint32_t>(record, 0) != kCentralMark) corrupt("its directory is damaged");
      const std::size_t tail = std::size_t{number_at<std::uint16_t>(record, 28)} +
                               number_at<std::uint16_t>(record, 30) + number_at<std::uint16_t>(record, 32);
      const auto whole = take(at, kCentralBytes + tail, "an entry of its directory");
      entries.push_back(read_entry(whole));
      at += whole.size();
    }
    if (at != directory_end_) corrupt("its directory does not end with its last entry");
    check_order(entries);
    std::ranges::sort(entries, {}, &Entry::name);
    const auto twice = std::ranges::adjacent_find(entries, {}, &Entry::name);
    if (twice != entries.end()) corrupt("it has two entries '" + std::string(twice->name) + "'");
    return entries;
  }

 private:
  [[noreturn]] void corrupt(const std::string& found) const {
    throw Error(ErrorCode::corrupt_data, "cannot read " + where_ + " as a zip archive: " + found);
  }
  [[noreturn]] void refuse(const std::string& found) const {
    throw Error(ErrorCode::unsupported, "cannot read " + where_ + " as a zip archive: " + found);
  }

  std::span<const std::byte> take(std::uint64_t at, std::uint64_t bytes, const char* what) const {
    if (at > file_.size() || bytes > file_.size() - at) {
      corrupt(std::string(what) + " of " + std::to_string(bytes) + " bytes at " + std::to_string(at) +
              " leads out of the file of " + std::to_string(file_.size()));
    }
    return file_.subspan(at, bytes);
  }

  // The last record of the file, behind which only a comment follows, says where the directory is.
  void find_directory() {
    if (file_.size() < kEndBytes) corrupt("found " + std::to_string(file_.size()) + " bytes");
    const std::size_t last = file_.size() - kEndBytes;
    const std::size_t first = last - std::min(last, kMaxComment);
    std::size_t at = last;
    while (number_at<std::uint32_t>(file_, at) != kEndMark ||
           number_at<std::uint16_t>(file_, at + 20) != last - at) {
      if (at-- == first) corrupt("found no directory at its end; the file may be incomplete");
    }
    const std::span<const std::byte> end = file_.subspan(at, kEndBytes);
    if (number_at<std::uint16_t>(end, 4) != number_at<std::uint16_t>(end, 6)) refuse("it has several disks");
    count_ = number_at<std::uint16_t>(end, 10);
    std::uint64_t bytes = number_at<std::uint32_t>(end, 12);
    directory_begin_ = number_at<std::uint32_t>(end, 16);
    if (count_ == kElsewhere16 || bytes == kElsewhere32 || directory_begin_ == kElsewhere32) {
      bytes = read_end64(at, bytes);
    }
    if (directory_begin_ > at || bytes > at - directory_begin_)
      corrupt("its directory leads out of the file");
    directory_end_ = directory_begin_ + bytes;
    if (count_ > bytes / kCentralBytes) {
      corrupt("it claims " + std::to_string(count_) + " entries in a directory of " + std::to_string(bytes) +
              " bytes");
    }
  }

  // Gives the directory's size.
  std::uint64_t read_end64(std::size_t end_at, std::uint64_t bytes) {
    if (end_at < kLocator64Bytes) corrupt("its zip64 record is missing");
    const auto locator = file_.subspan(end_at - kLocator64Bytes, kLocator64Bytes);
    if (number_at<std::uint32_t>(locator, 0) != kLocator64Mark) return bytes;  // large by chance only
    const auto end = take(number_at<std::uint64_t>(locator, 8), kEnd64Bytes, "its zip64 record");
    if (number_at<std::uint32_t>(end, 0) != kEnd64Mark) corrupt("its zip64 record is damaged");
    count_ = number_at<std::uint64_t>(end, 32);
    directory_begin_ = number_at<std::uint64_t>(end, 48);
    return number_at<std::uint64_t>(end, 40);
  }

  Entry read_entry(std::span<const std::byte> record) const {
    constexpr std::uint16_t kEncrypted = 1;
    const std::size_t name_bytes = number_at<std::uint16_t>(record, 28);
    Entry entry;
    entry.name = as_text(record.subspan(kCentralBytes, name_bytes));
    std::uint64_t size = number_at<std::uint32_t>(record, 24);
    std::uint64_t stored_size = number_at<std::uint32_t>(record, 20);
    std::uint64_t begin = number_at<std::uint32_t>(record, 42);
    const auto extra = record.subspan(kCentralBytes + name_bytes, number_at<std::uint16_t>(record, 30));
    read_extra64(extra, {&size, &stored_size, &begin});
    if ((number_at<std::uint16_t>(record, 8) & kEncrypted) != 0) refuse("it is encrypted");
    entry.is_stored = number_at<std::uint16_t>(record, 10) == 0;
    if (entry.is_stored && size != stored_size) {
      corrupt("the stored entry '" + std::string(entry.name) + "' has two sizes");
    }

    const auto local = take(begin, kLocalBytes, "the head of an entry");
    if (number_at<std::uint32_t>(local, 0) != kLocalMark) {
      corrupt("found no entry '" + std::string(entry.name) + "' where its directory says");
    }
    const std::size_t head_bytes =
        kLocalBytes + number_at<std::uint16_t>(local, 26) + number_at<std::uint16_t>(local, 28);
    const std::size_t data_begin = take(begin, head_bytes, "the head of an entry").size() + begin;
    entry.bytes = take(data_begin, stored_size, "an entry");
    entry.begin = begin;
    entry.end = data_begin + stored_size;
    if (entry.end > directory_begin_) corrupt("an entry lies over the directory");
    return entry;
  }

  // The extra field that holds, in this order, those of the numbers for which 32 bits were too few.
  void read_extra64(std::span<const std::byte> extra, std::initializer_list<std::uint64_t*> numbers) const {
    constexpr std::size_t kHeadBytes = 4;
    while (extra.size() >= kHeadBytes) {
      const auto kind = number_at<std::uint16_t>(extra, 0);
      const std::size_t bytes = number_at<std::uint16_t>(extra, 2);
      if (bytes > extra.size() - kHeadBytes) corrupt("an extra field leads out of its entry");
      std::span<const std::byte> field = extra.subspan(kHeadBytes, bytes);
      extra = extra.subspan(kHeadBytes + bytes);
      if (kind != kExtra64) continue;
      for (std::uint64_t* number : numbers) {
        if (*number != kElsewhere32) continue;
        if (field.size() < sizeof(std::uint64_t)) corrupt("a zip64 field is too short");
        *number = number_at<std::uint64_t>(field, 0);
        field = field.subspan(sizeof(std::uint64_t));
      }
      return;
    }
  }

  // No two entries share bytes.
  void check_order(std::vector<Entry>& entries) const {
    std::ranges::sort(entries, {}, &Entry::begin);
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].begin < entries[i - 1].end) {
        corrupt("the entries '" + std::string(entries[i - 1].name) + "' and '" +
                std::string(entries[i].name) + "' overlap");
      }
    }
  }

  std::span<const std::byte> file_;
  const std::string& where_;
  std::uint64_t directory_begin_ = 0;
  std::uint64_t directory_end_ = 0;
  std::uint64_t count_ = 0;
};

bool ZipArchive::begins(std::span<const std::byte> file) noexcept {
  return file.size() >= sizeof(kLocalMark) && number_at<std::uint32_t>(file, 0) == kLocalMark;
}

ZipArchive ZipArchive::parse(std::span<const std::byte> file, std::string where) {
  ZipArchive archive;
  archive.where_ = std::move(where);
  archive.entries_ = Reader(file, archive.where_).read();
  return archive;
}

std::vector<std::string_view> ZipArchive::names() const {
  std::vector<std::string_view> names;
  names.reserve(entries_.size());
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

std::optional<std::span<const std::byte>> ZipArchive::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(entries_, name, {}, &Entry::name);
  if (found == entries_.end() || found->name != name) return std::nullopt;
  if (!found->is_stored) {
    throw Error(ErrorCode::unsupported, "cannot read " + where_ + ": its entry '" + std::string(name) +
                                            "' is compressed, expected it stored, as PyTorch writes it");
  }
  return found->bytes;
}

}  // namespace moa
