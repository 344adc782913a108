#include <algorithm>
#include <array>
#include <string>

#include "image/picture.hpp"

namespace moa {
namespace {

using namespace std::string_view_literals;

// The brand of an ISO base media file (HEIF, AVIF; MP4 has others): the major one, or one of the compatible
// ones that fit into what is sniffed. A file may be major "mif1", any image, and say only there what is
// inside.
std::optional<PictureKind> sniff_brand(std::string_view head) {
  if (head.size() < 16 || head.substr(4, 4) != "ftyp"sv) return std::nullopt;
  constexpr std::array kHeif = {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv};
  constexpr std::array kAvif = {"avif"sv, "avis"sv};
  const auto among = [](const auto& brands, std::string_view brand) {
    return std::find(brands.begin(), brands.end(), brand) != brands.end();
  };
  std::size_t box_bytes = 0;
  for (int i = 0; i < 4; ++i) box_bytes = box_bytes << 8 | static_cast<unsigned char>(head[i]);
  const std::string_view major = head.substr(8, 4);
  if (among(kAvif, major)) return PictureKind::avif;
  if (among(kHeif, major)) return PictureKind::heif;
  if (major != "mif1"sv && major != "msf1"sv) return std::nullopt;
  for (std::size_t at = 16; at + 4 <= std::min(box_bytes, head.size()); at += 4) {
    if (among(kAvif, head.substr(at, 4))) return PictureKind::avif;
    if (among(kHeif, head.substr(at, 4))) return PictureKind::heif;
  }
  return std::nullopt;
}

// "BM", a file header and one of the known sizes of the header behind it: two letters alone begin too many
// texts.
bool is_bmp(std::string_view head) {
  if (!head.starts_with("BM"sv) || head.size() < 18) return false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(head[at]); };
  constexpr std::array kHeaderBytes = {12, 40, 52, 56, 64, 108, 124};
  return byte(15) == 0 && byte(16) == 0 && byte(17) == 0 &&
         std::find(kHeaderBytes.begin(), kHeaderBytes.end(), byte(14)) != kHeaderBytes.end();
}

// "P1" … "P6", white space, and a number or a comment.
bool is_netpbm(std::string_view head) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  if (head.size() < 4 || head[0] != 'P' || head[1] < '1' || head[1] > '6' ||
      kSpace.find(head[2]) == head.npos)
    return false;
  const std::size_t next = head.find_first_not_of(kSpace, 2);
  return next != head.npos && (head[next] == '#' || (head[next] >= '0' && head[next] <= '9'));
}

}  // namespace

std::string_view name(PictureKind kind) noexcept {
  switch (kind) {
    case PictureKind::jpeg:
      return "JPEG";
    case PictureKind::png:
      return "PNG";
    case PictureKind::webp:
      return "WebP";
    case PictureKind::gif:
      return "GIF";
    case PictureKind::tiff:
      return "TIFF";
    case PictureKind::heif:
      return "HEIC";
    case PictureKind::avif:
      return "AVIF";
    case PictureKind::bmp:
      return "BMP";
    case PictureKind::ppm:
      return "PPM";
  }
  return "?";
}

std::optional<PictureKind> sniff_picture(std::span<const std::byte> first_bytes) noexcept {
  const std::string_view head(reinterpret_cast<const char*>(first_bytes.data()),
                              std::min(first_bytes.size(), kSniffBytes));
  if (head.starts_with("\xff\xd8\xff"sv)) return PictureKind::jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return PictureKind::png;
  if (head.starts_with("RIFF"sv) && head.size() >= 12 && head.substr(8, 4) == "WEBP"sv)
    return PictureKind::webp;
  if (head.starts_with("GIF87a"sv) || head.starts_with("GIF89a"sv)) return PictureKind::gif;
  if (head.starts_with("II\x2a\0"sv) || head.starts_with("MM\0\x2a"sv)) return PictureKind::tiff;
  if (head.starts_with("II\x2b\0"sv) || head.starts_with("MM\0\x2b"sv)) return PictureKind::tiff;  // BigTIFF
  if (is_bmp(head)) return PictureKind::bmp;
  if (is_netpbm(head)) return PictureKind::ppm;
  return sniff_brand(head);
}

}  // namespace moa
