// A zip archive that lies in memory, as PyTorch writes one around its tensors (APPNOTE.TXT of PKWARE; zip64
// included). Nothing is ever inflated: what a checkpoint needs is stored as it is.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moa {

class ZipArchive {
 public:
  // Whether `file` begins as an archive does.
  static bool begins(std::span<const std::byte> file) noexcept;
  // `where` names the archive in errors; `file` outlives what is made here.
  // Errors: corrupt_data (no directory at the end, an entry that lies outside the file, over another one or
  // under the name of another one, sizes that contradict each other); unsupported (several disks,
  // encryption).
  static ZipArchive parse(std::span<const std::byte> file, std::string where);

  // By name.
  std::vector<std::string_view> names() const;
  // The content of an entry, inside the archive; empty if there is none of that name.
  // Error: unsupported if it is compressed.
  std::optional<std::span<const std::byte>> find(std::string_view name) const;

 private:
  struct Entry {
    std::string_view name;
    std::span<const std::byte> bytes;
    std::size_t begin = 0;  // of its local header in the file
    std::size_t end = 0;    // of its bytes
    bool is_stored = true;
  };
  class Reader;

  std::string where_;
  std::vector<Entry> entries_;  // by name
};

}  // namespace moa
