#include "embed/media_kind.hpp"

#include <array>

#include "base/file.hpp"
#include "base/utf8.hpp"
#include "image/picture.hpp"

namespace moa {
namespace {

bool at(std::string_view text, std::size_t offset, std::string_view expected) {
  return text.size() >= offset && text.substr(offset, expected.size()) == expected;
}

bool is_video(std::string_view text) {
  using namespace std::string_view_literals;
  return at(text, 4, "ftyp") ||
         at(text, 0, "\x1A\x45\xDF\xA3"sv) ||  // MP4 and kin (pictures were asked for before); Matroska
         (at(text, 0, "RIFF") && at(text, 8, "AVI ")) ||  // AVI
         at(text, 0, "\0\0\1\xBA"sv) || at(text, 0, "\0\0\1\xB3"sv) ||
         at(text, 0, "FLV\1");  // MPEG-PS, MPEG-1/2, Flash
}

bool is_audio(std::string_view text) {
  using namespace std::string_view_literals;
  constexpr std::array kMagics = {"fLaC"sv,     "OggS"sv,     "ID3"sv,      "\xFF\xFB"sv,
                                  "\xFF\xF3"sv, "\xFF\xF2"sv, "\xFF\xF1"sv, "\xFF\xF9"sv};
  for (const std::string_view magic : kMagics) {
    if (at(text, 0, magic)) return true;
  }
  return (at(text, 0, "RIFF") && at(text, 8, "WAVE")) || (at(text, 0, "FORM") && at(text, 8, "AIF"));
}

bool is_text(std::string_view text) {
  if (text.empty() || text.find('\0') != std::string_view::npos) return false;
  // The last character may be cut: up to three bytes of it may be there.
  for (std::size_t cut = 0; cut < 4 && cut < text.size(); ++cut) {
    if (is_utf8(text.substr(0, text.size() - cut))) return true;
  }
  return false;
}

}  // namespace

std::string_view name(MediaKind kind) noexcept {
  switch (kind) {
    case MediaKind::picture:
      return "picture";
    case MediaKind::audio:
      return "sound";
    case MediaKind::video:
      return "video";
    case MediaKind::text:
      return "text";
    case MediaKind::unknown:
      break;
  }
  return "unknown";
}

MediaKind sniff_media(std::span<const std::byte> first_bytes) noexcept {
  const std::string_view text = as_text(first_bytes.first(std::min(first_bytes.size(), kMediaSniffBytes)));
  if (sniff_picture(first_bytes)) return MediaKind::picture;
  if (at(text, 4, "ftypM4A")) return MediaKind::audio;
  if (is_video(text)) return MediaKind::video;
  if (is_audio(text)) return MediaKind::audio;
  return is_text(text) ? MediaKind::text : MediaKind::unknown;
}

}  // namespace moa
