#include "text/byte_level.hpp"

#include <array>
#include <cstdint>

#include "base/utf8.hpp"

namespace moa {
namespace {

constexpr bool stands_for_itself(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

struct Alphabet {
  std::array<char16_t, 256> character{};
  std::array<std::int16_t, 256 + 68> byte{};  // by character; -1 where there is none
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet;
  for (auto& byte : alphabet.byte) byte = -1;
  char16_t next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    const char16_t c = stands_for_itself(byte) ? static_cast<char16_t>(byte) : next++;
    alphabet.character[static_cast<std::size_t>(byte)] = c;
    alphabet.byte[c] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::string bytes_to_characters(std::string_view bytes) {
  std::string characters;
  characters.reserve(bytes.size() * 2);
  for (const char byte : bytes)
    append_utf8(characters, kAlphabet.character[static_cast<unsigned char>(byte)]);
  return characters;
}

std::optional<std::string> characters_to_bytes(std::string_view characters) {
  std::string bytes;
  for (std::size_t at = 0; at < characters.size();) {
    const char32_t c = next_code_point(characters, at);
    if (c >= kAlphabet.byte.size() || kAlphabet.byte[c] < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(kAlphabet.byte[c]));
  }
  return bytes;
}

}  // namespace moa
