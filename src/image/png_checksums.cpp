#include "image/png_checksums.hpp"

#include <zlib.h>

#include <cstdint>
#include <cstring>

namespace moa {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kTypeBytes = 4;
constexpr std::size_t kChecksumBytes = 4;

std::uint32_t big_endian(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

}  // namespace

bool png_checksums_hold(std::span<const std::byte> png) noexcept {
  if (png.size() < kSignatureBytes) return true;
  png = png.subspan(kSignatureBytes);
  while (png.size() >= kLengthBytes + kTypeBytes + kChecksumBytes) {
    const std::uint32_t length = big_endian(png);
    png = png.subspan(kLengthBytes);
    const std::size_t summed = kTypeBytes + std::size_t{length};
    if (summed > png.size() - kChecksumBytes) return true;
    const auto* begin = reinterpret_cast<const Bytef*>(png.data());
    if (crc32_z(0, begin, summed) != big_endian(png.subspan(summed))) return false;
    if (std::memcmp(begin, "IEND", kTypeBytes) == 0) return true;
    png = png.subspan(summed + kChecksumBytes);
  }
  return true;
}

}  // namespace moa
