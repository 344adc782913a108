#include "text/precompiled_charsmap.hpp"

#include <moa/error.hpp>
#include "base/utf8.hpp"
#include "text/grapheme.hpp"
#include "text/piece.hpp"

namespace moa {
namespace {

[[noreturn]] void fail(const std::string& complaint) {
  throw Error(ErrorCode::corrupt_data, "cannot read a precompiled_charsmap: " + complaint);
}

std::string decode_base64(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t window = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) fail("not base64");
    window = window << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<char>(window >> bits & 0xFF));
    }
  }
  return bytes;
}

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  return value;
}

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The fields of a Darts-clone unit.
bool has_leaf(std::uint32_t unit) {
  return (unit >> 8 & 1) != 0;
}
std::uint32_t value(std::uint32_t unit) {
  return unit & 0x7FFFFFFF;
}
std::uint32_t label(std::uint32_t unit) {
  return unit & 0x800000FF;
}
std::uint32_t offset(std::uint32_t unit) {
  return (unit >> 10) << ((unit & 0x200) >> 6);
}

}  // namespace

PrecompiledCharsmap PrecompiledCharsmap::parse(std::string_view base64) {
  return from_bytes(decode_base64(base64));
}

PrecompiledCharsmap PrecompiledCharsmap::from_bytes(std::string_view bytes) {
  if (bytes.size() < 4) fail("it has " + std::to_string(bytes.size()) + " bytes");
  const std::uint32_t trie_bytes = little_endian(bytes);
  if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes > bytes.size() - 4) {
    fail("its trie has " + std::to_string(trie_bytes) + " bytes of " + std::to_string(bytes.size()));
  }
  PrecompiledCharsmap map;
  map.units_.reserve(trie_bytes / 4);
  for (std::size_t at = 4; at < 4 + std::size_t{trie_bytes}; at += 4) {
    map.units_.push_back(little_endian(bytes.substr(at, 4)));
  }
  map.replacements_ = bytes.substr(4 + std::size_t{trie_bytes});
  if (!is_utf8(map.replacements_)) fail("its replacements are not UTF-8");
  return map;
}

std::optional<std::string_view> PrecompiledCharsmap::replacement_at(std::size_t begin) const {
  // A place inside a character, or behind the end, can only come from a damaged map.
  if (begin > replacements_.size()) return std::nullopt;
  const auto replacement = std::string_view(replacements_).substr(begin);
  if (!replacement.empty() && is_continuation(replacement[0])) return std::nullopt;
  return replacement.substr(0, replacement.find('\0'));
}

std::optional<PrecompiledCharsmap::Match> PrecompiledCharsmap::find_longest(std::string_view text) const {
  std::optional<Match> longest;
  std::size_t node = offset(units_[0]);
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || label(units_[node]) != byte) break;
    const std::uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) break;
    const bool ends_character = at + 1 == text.size() || !is_continuation(text[at + 1]);
    const auto replacement = replacement_at(value(units_[node]));
    if (ends_character && replacement) longest = Match{at + 1, *replacement};
  }
  return longest;
}

std::optional<std::string_view> PrecompiledCharsmap::find(std::string_view text) const {
  std::size_t node = offset(units_[0]);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    node ^= byte;
    if (node >= units_.size() || label(units_[node]) != byte) return std::nullopt;
    const std::uint32_t unit = units_[node];
    node ^= offset(unit);
    if (!has_leaf(unit)) continue;
    if (node >= units_.size()) return std::nullopt;
    return replacement_at(value(units_[node]));
  }
  return std::nullopt;
}

std::string PrecompiledCharsmap::normalize(std::string_view text) const {
  constexpr std::size_t kLongestWhole = 5;
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    check_normalized_size(result.size());
    const std::size_t end = grapheme_end(text, at);
    if (end - at <= kLongestWhole) {
      if (const auto replacement = find(text.substr(at, end - at))) {
        result.append(*replacement);
        at = end;
        continue;
      }
    }
    while (at < end) {
      const std::size_t here = at;
      next_code_point(text, at);
      const std::string_view character = text.substr(here, at - here);
      result.append(find(character).value_or(character));
    }
  }
  return result;
}

}  // namespace moa
