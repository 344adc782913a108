#include "image/tiff_directory.hpp"

#include <cstring>
#include <string_view>

namespace moa {
namespace {

constexpr std::uint16_t kShort = 3;
constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kEntryBytes = 12;

// Numbers in the byte order that the block declares; nothing where they would lie outside it.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<std::uint32_t> number(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[big_endian_ ? at + i : at + size - 1 - i]);
    }
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  bool big_endian_;
};

}  // namespace

std::optional<std::uint16_t> tiff_short(std::span<const std::byte> block, std::uint16_t tag,
                                        std::size_t index) noexcept {
  using namespace std::string_view_literals;
  if (block.size() < kHeaderBytes) return std::nullopt;
  const std::string_view magic(reinterpret_cast<const char*>(block.data()), 4);
  if (magic != "II\x2a\0"sv && magic != "MM\0\x2a"sv) return std::nullopt;
  const Reader reader(block, magic[0] == 'M');
  const std::size_t directory = *reader.number(4, 4);
  const std::uint32_t entries = reader.number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    const auto found = reader.number(entry, 2);
    if (!found) return std::nullopt;
    if (*found != tag) continue;
    const auto type = reader.number(entry + 2, 2);
    const std::size_t count = reader.number(entry + 4, 4).value_or(0);
    if (type != kShort || index >= count) return std::nullopt;
    // Up to two values lie in the entry itself, more elsewhere.
    const std::size_t at = count <= 2 ? entry + 8 : reader.number(entry + 8, 4).value_or(block.size());
    const auto value = reader.number(at + 2 * index, 2);
    if (!value) return std::nullopt;
    return static_cast<std::uint16_t>(*value);
  }
  return std::nullopt;
}

}  // namespace moa
