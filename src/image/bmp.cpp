#include "image/bmp.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "image/pixel_limit.hpp"
#include "image/to_rgb.hpp"

namespace moa {
namespace {

constexpr std::size_t kFileHeaderBytes = 14;

enum Compression : std::uint32_t { kPlain = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

[[noreturn]] void fail(ErrorCode code, const std::string& reason) {
  throw Error(code, "cannot decode a BMP picture: " + reason);
}

class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::size_t size() const { return bytes_.size(); }
  std::uint8_t byte(std::size_t at) const {
    if (at >= bytes_.size())
      fail(ErrorCode::corrupt_data, "it ends at byte " + std::to_string(bytes_.size()) + ", too early");
    return std::to_integer<std::uint8_t>(bytes_[at]);
  }
  std::uint32_t u16(std::size_t at) const { return byte(at) | byte(at + 1) << 8; }
  std::uint32_t u32(std::size_t at) const { return u16(at) | u16(at + 2) << 16; }
  // Where `count` bytes begin.
  const std::uint8_t* range(std::size_t at, std::size_t count) const {
    if (at > bytes_.size() || bytes_.size() - at < count) {
      fail(ErrorCode::corrupt_data, "expected " + std::to_string(count) + " bytes at " + std::to_string(at) +
                                        ", the file has " + std::to_string(bytes_.size()));
    }
    return reinterpret_cast<const std::uint8_t*>(bytes_.data()) + at;
  }

 private:
  std::span<const std::byte> bytes_;
};

using Rgb = std::array<std::uint8_t, 3>;

struct Header {
  std::int64_t width_px = 0;
  std::int64_t height_px = 0;
  bool top_down = false;
  std::uint32_t bits = 0;
  Compression compression = kPlain;
  std::array<std::uint32_t, 4> masks{};  // red, green, blue, alpha
  std::vector<Rgb> palette;
  std::size_t pixels_at = 0;
};

std::vector<Rgb> read_palette(const Bytes& bytes, std::size_t at, std::size_t colors,
                              std::size_t entry_bytes) {
  std::vector<Rgb> palette(256);  // what the file leaves out is black
  for (std::size_t i = 0; i < std::min(colors, palette.size()); ++i, at += entry_bytes) {
    palette[i] = {bytes.byte(at + 2), bytes.byte(at + 1), bytes.byte(at)};
  }
  return palette;
}

Header read_header(const Bytes& bytes) {
  Header header;
  const std::size_t header_bytes = bytes.u32(kFileHeaderBytes);
  const std::size_t info = kFileHeaderBytes;
  bytes.range(info, header_bytes);
  const bool is_os2 = header_bytes == 12;
  std::size_t colors = 0;
  std::size_t masks_at = info + 40;
  if (is_os2) {
    header.width_px = bytes.u16(info + 4);
    header.height_px = bytes.u16(info + 6);
    header.bits = bytes.u16(info + 10);
  } else {
    header.width_px = static_cast<std::int32_t>(bytes.u32(info + 4));
    const auto height = static_cast<std::int32_t>(bytes.u32(info + 8));
    header.top_down = height < 0;
    header.height_px = header.top_down ? -static_cast<std::int64_t>(height) : height;
    header.bits = bytes.u16(info + 14);
    header.compression = static_cast<Compression>(bytes.u32(info + 16));
    colors = bytes.u32(info + 32);
  }
  std::size_t behind_header = info + header_bytes;
  if (header.compression == kBitFields) {
    // A 40-byte header has its three masks behind it, a longer one inside; alpha only from 56 bytes on.
    for (std::size_t i = 0; i < (header_bytes >= 56 ? 4u : 3u); ++i)
      header.masks[i] = bytes.u32(masks_at + 4 * i);
    if (header_bytes == 40) behind_header += 12;
  }
  header.pixels_at = bytes.u32(10);
  if (header.bits <= 8) {
    if (colors == 0) colors = std::size_t{1} << header.bits;
    if (colors > 65536)
      fail(ErrorCode::corrupt_data, "it declares a palette of " + std::to_string(colors) + " colours");
    const std::size_t entry_bytes = is_os2 ? 3 : 4;
    header.palette = read_palette(bytes, behind_header, colors, entry_bytes);
    // Some writers forget the palette when they count where the pixels begin.
    if (header.pixels_at == info + header_bytes) header.pixels_at += colors * entry_bytes;
  }
  if (header.pixels_at == 0) header.pixels_at = behind_header;
  return header;
}

void store_color(const Rgb& color, std::uint8_t* to) {
  std::copy(color.begin(), color.end(), to);
}

// Turns one row of a layout into RGB.
using RowReader = void (*)(const Header& header, const std::uint8_t* from, std::uint8_t* to);

template <int kBits>
void read_indexed(const Header& header, const std::uint8_t* from, std::uint8_t* to) {
  constexpr int kPerByte = 8 / kBits;
  for (std::int64_t x = 0; x < header.width_px; ++x, to += 3) {
    const int shift = 8 - kBits * (1 + static_cast<int>(x % kPerByte));
    store_color(header.palette[from[x / kPerByte] >> shift & ((1 << kBits) - 1)], to);
  }
}

template <int kGreenBits>
void read_16(const Header& header, const std::uint8_t* from, std::uint8_t* to) {
  for (std::int64_t x = 0; x < header.width_px; ++x, from += 2, to += 3) {
    const int value = from[0] | from[1] << 8;
    constexpr int kGreenMost = (1 << kGreenBits) - 1;
    to[0] = static_cast<std::uint8_t>((value >> (5 + kGreenBits) & 31) * 255 / 31);
    to[1] = static_cast<std::uint8_t>((value >> 5 & kGreenMost) * 255 / kGreenMost);
    to[2] = static_cast<std::uint8_t>((value & 31) * 255 / 31);
  }
}

// Whole bytes: where in a pixel red, green, blue and alpha (-1: none) lie.
template <int kBytes, int kRed, int kGreen, int kBlue, int kAlpha = -1>
void read_bytes(const Header& header, const std::uint8_t* from, std::uint8_t* to) {
  for (std::int64_t x = 0; x < header.width_px; ++x, from += kBytes, to += 3) {
    to[0] = from[kRed];
    to[1] = from[kGreen];
    to[2] = from[kBlue];
    if constexpr (kAlpha >= 0) {
      for (int c = 0; c < 3; ++c) to[c] = over_white(to[c], from[kAlpha]);
    }
  }
}

RowReader row_reader(const Header& header) {
  struct Layout {
    std::uint32_t bits;
    std::array<std::uint32_t, 4> masks;
    RowReader reader;
  };
  static constexpr Layout kLayouts[] = {
      {16, {0xF800, 0x7E0, 0x1F, 0}, read_16<6>},
      {16, {0x7C00, 0x3E0, 0x1F, 0}, read_16<5>},
      {24, {0xFF0000, 0xFF00, 0xFF, 0}, read_bytes<3, 2, 1, 0>},
      {32, {0xFF0000, 0xFF00, 0xFF, 0}, read_bytes<4, 2, 1, 0>},
      {32, {0xFF000000, 0xFF0000, 0xFF00, 0}, read_bytes<4, 3, 2, 1>},
      {32, {0xFF000000, 0xFF00, 0xFF, 0}, read_bytes<4, 3, 1, 0>},
      {32, {0xFF000000, 0xFF0000, 0xFF00, 0xFF}, read_bytes<4, 3, 2, 1, 0>},
      {32, {0xFF, 0xFF00, 0xFF0000, 0xFF000000}, read_bytes<4, 0, 1, 2, 3>},
      {32, {0xFF0000, 0xFF00, 0xFF, 0xFF000000}, read_bytes<4, 2, 1, 0, 3>},
      {32, {0xFF000000, 0xFF00, 0xFF, 0xFF0000}, read_bytes<4, 3, 1, 0, 2>},
      {32, {0, 0, 0, 0}, read_bytes<4, 2, 1, 0, 3>},
  };
  if (header.compression == kBitFields) {
    for (const Layout& layout : kLayouts) {
      const bool same_colors =
          std::equal(layout.masks.begin(), layout.masks.begin() + 3, header.masks.begin());
      if (layout.bits == header.bits && same_colors &&
          (header.bits < 32 || layout.masks[3] == header.masks[3])) {
        return layout.reader;
      }
    }
    fail(ErrorCode::unsupported, "an unknown layout of bit fields");
  }
  switch (header.bits) {
    case 1:
      return read_indexed<1>;
    case 4:
      return read_indexed<4>;
    case 8:
      return read_indexed<8>;
    case 16:
      return read_16<5>;
    case 24:
      return read_bytes<3, 2, 1, 0>;
    case 32:
      return read_bytes<4, 2, 1, 0>;
    default:
      fail(ErrorCode::unsupported, std::to_string(header.bits) + " bits a pixel");
  }
}

// Run lengths: pairs of bytes, (count, value), or (0, what): 0 the row ends, 1 the picture ends, 2 a jump, n
// ≥ 3 that many plain values. Rows run from the first stored; what is jumped over keeps colour 0.
std::vector<std::uint8_t> read_runs(const Bytes& bytes, const Header& header) {
  const bool is_4 = header.compression == kRle4;
  const auto width_px = static_cast<std::size_t>(header.width_px);
  std::vector<std::uint8_t> indices(width_px * static_cast<std::size_t>(header.height_px));
  std::size_t at = header.pixels_at;
  std::size_t x = 0;
  std::size_t row = 0;
  const auto put = [&](std::uint8_t index) {
    if (x < width_px && row < static_cast<std::size_t>(header.height_px)) indices[row * width_px + x] = index;
    ++x;
  };
  while (row < static_cast<std::size_t>(header.height_px)) {
    // The last row may end with the file.
    if (row + 1 == static_cast<std::size_t>(header.height_px) && x >= width_px && at + 2 > bytes.size())
      break;
    const std::uint8_t count = bytes.byte(at);
    const std::uint8_t value = bytes.byte(at + 1);
    at += 2;
    if (count > 0) {
      for (int i = 0; i < count; ++i) put(is_4 ? (i % 2 == 0 ? value >> 4 : value & 15) : value);
    } else if (value == 0) {
      x = 0;
      ++row;
    } else if (value == 1) {
      break;
    } else if (value == 2) {
      x += bytes.byte(at);
      row += bytes.byte(at + 1);
      at += 2;
    } else {
      const std::size_t stored = is_4 ? (value + 1u) / 2 : value;
      const std::uint8_t* from = bytes.range(at, stored);
      for (int i = 0; i < value; ++i)
        put(is_4 ? (i % 2 == 0 ? from[i / 2] >> 4 : from[i / 2] & 15) : from[i]);
      at += stored + stored % 2;  // padded to 16 bits
    }
  }
  return indices;
}

}  // namespace

Picture decode_bmp(std::span<const std::byte> all, const DecodeOptions& options) {
  const Bytes bytes(all);
  const Header header = read_header(bytes);
  const bool is_runs = header.compression == kRle8 || header.compression == kRle4;
  if (!is_runs && header.compression != kPlain && header.compression != kBitFields) {
    fail(ErrorCode::unsupported, "compression " + std::to_string(header.compression));
  }
  if (is_runs && header.bits != (header.compression == kRle4 ? 4u : 8u)) {
    fail(ErrorCode::corrupt_data, "run lengths with " + std::to_string(header.bits) + " bits a pixel");
  }
  const RowReader read_row = is_runs ? read_indexed<8> : row_reader(header);
  check_declared_size(PictureKind::bmp, header.width_px, header.height_px, options);
  const auto used_bytes = static_cast<std::size_t>((header.width_px * header.bits + 7) / 8);
  const std::size_t stride = (used_bytes + 3) / 4 * 4;
  std::vector<std::uint8_t> indices;
  if (is_runs) {
    indices = read_runs(bytes, header);
  } else {
    bytes.range(header.pixels_at, static_cast<std::size_t>(header.height_px - 1) * stride + used_bytes);
  }
  Picture picture = blank_picture(PictureKind::bmp, header.width_px, header.height_px, options);
  for (std::int64_t row = 0; row < header.height_px; ++row) {
    const auto index = static_cast<std::size_t>(row);
    const std::uint8_t* from = is_runs ? indices.data() + index * static_cast<std::size_t>(header.width_px)
                                       : bytes.range(header.pixels_at, 0) + index * stride;
    const std::int64_t y = header.top_down ? row : header.height_px - 1 - row;
    read_row(header, from, picture.rgb.data() + y * header.width_px * 3);
  }
  return picture;
}

}  // namespace moa
