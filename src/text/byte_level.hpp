// GPT-2's alphabet: every byte as one printable character, so that any text is made of known characters.
// Bytes 33-126, 161-172 and 174-255 stand for themselves, the other 68 in order for U+0100, U+0101, ...
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace moa {

std::string bytes_to_characters(std::string_view bytes);
// The bytes of `characters`; nothing if one of them stands for no byte. `characters` must be well-formed.
std::optional<std::string> characters_to_bytes(std::string_view characters);

}  // namespace moa
