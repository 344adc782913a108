// The encodings of one byte a character that texts in UTF-8 are mistaken for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moa {

struct SingleByteEncoding {
  std::u32string_view high;  // what the bytes from 0x80 mean, 128 characters
  // A byte that the encoding leaves open means the control character of its number, and 0x1A means U+FFFD: a
  // character that was lost. (ftfy's "sloppy" codecs)
  bool is_sloppy;
  bool is_latin_1 = false;
  bool is_macroman = false;
};

// In the order in which ftfy 6 tries them: Latin-1; Windows-1252, -1251, -1250, -1253, -1254 and -1257;
// ISO 8859-2; MacRoman; code page 437.
std::span<const SingleByteEncoding> single_byte_encodings();

// The bytes of `utf8`, or nothing if it holds a character that `encoding` has not.
std::optional<std::string> in_single_bytes(std::string_view utf8, const SingleByteEncoding& encoding);

// What `byte` means in Windows-1252, the five bytes that it leaves open in Latin-1.
char32_t windows_1252(std::uint8_t byte);

}  // namespace moa
