#include "text/html_entities.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/utf8.hpp"
#include "text/html_entity_table.hpp"
#include "text/single_byte.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

struct Entity {
  std::string_view characters;
  bool counts_bare = false;  // without a semicolon too
};

using Entities = std::unordered_map<std::string_view, Entity>;

const Entities& entities() {
  static const Entities table = [] {
    Entities made;
    for (std::size_t at = 0; at < kHtmlEntities.size();) {
      const std::size_t equals = kHtmlEntities.find('=', at);
      const std::size_t end = kHtmlEntities.find('\0', equals);
      made[kHtmlEntities.substr(at, equals - at)].characters =
          kHtmlEntities.substr(equals + 1, end - equals - 1);
      at = end + 1;
    }
    for (std::size_t at = 0; at < kBareHtmlEntities.size();) {
      const std::size_t end = kBareHtmlEntities.find('\0', at);
      made[kBareHtmlEntities.substr(at, end - at)].counts_bare = true;
      at = end + 1;
    }
    return made;
  }();
  return table;
}

const Entity* find_entity(std::string_view name) {
  const auto found = entities().find(name);
  return found == entities().end() ? nullptr : &found->second;
}

// The longest beginning of `text` that counts without a semicolon.
std::string_view bare_beginning(std::string_view text) {
  constexpr std::size_t kLongestBare = 6;  // "Aacute"
  for (std::size_t length = std::min(text.size(), kLongestBare); length > 1; --length) {
    const Entity* const entity = find_entity(text.substr(0, length));
    if (entity != nullptr && entity->counts_bare) return text.substr(0, length);
  }
  return {};
}

bool is_digit(char c, int base) {
  if (c >= '0' && c <= '9') return true;
  return base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A number that HTML takes for nothing.
bool is_no_character(std::uint32_t number) {
  return (number >= 1 && number <= 8) || number == 0xB || (number >= 0xE && number <= 0x1F) ||
         (number >= 0x7F && number <= 0x9F) || (number >= 0xFDD0 && number <= 0xFDEF) ||
         (number & 0xFFFE) == 0xFFFE;
}

std::string character_of(std::uint32_t number) {
  constexpr char32_t kReplacement = 0xFFFD;
  std::string text;
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) {
    append_utf8(text, kReplacement);
  } else if (number >= 0x80 && number <= 0x9F) {
    append_utf8(text, windows_1252(static_cast<std::uint8_t>(number)));
  } else if (!is_no_character(number)) {
    append_utf8(text, number);
  }
  return text;
}

struct Reference {
  std::string characters;
  std::size_t bytes;  // that it takes of the text, the "&" included
};

// "&#…" at the beginning of `text`.
std::optional<Reference> number_at(std::string_view text) {
  const int base = text.size() > 2 && (text[2] == 'x' || text[2] == 'X') ? 16 : 10;
  const std::size_t first = base == 16 ? 3 : 2;
  std::size_t at = first;
  std::uint32_t number = 0;
  for (; at < text.size() && is_digit(text[at], base); ++at) {
    const char c = text[at];
    const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    number =
        std::min<std::uint32_t>(number * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit),
                                0x110000);  // no further: it is no character any more
  }
  if (at == first) return std::nullopt;
  const bool is_closed = at < text.size() && text[at] == ';';
  return Reference{character_of(number), at + (is_closed ? 1 : 0)};
}

// As html.unescape has it.
std::optional<Reference> reference_at(std::string_view text) {
  if (text.size() > 1 && text[1] == '#') return number_at(text);
  constexpr std::size_t kLongestName = 32;
  std::size_t end = 1;
  while (end < text.size() && end <= kLongestName && is_letter_or_digit(text[end])) ++end;
  const std::string_view name = text.substr(1, end - 1);
  if (end < text.size() && text[end] == ';') {
    if (const Entity* const entity = find_entity(name)) {
      return Reference{std::string(entity->characters), end + 1};
    }
  }
  const std::string_view bare = bare_beginning(name);
  if (bare.empty()) return std::nullopt;
  return Reference{std::string(find_entity(bare)->characters), 1 + bare.size()};
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return lower;
}

// As ftfy has it: "&#?[0-9A-Za-z]{1,24};".
std::optional<Reference> closed_reference_at(std::string_view text) {
  constexpr std::size_t kLongestName = 24;
  const std::size_t first = text.size() > 1 && text[1] == '#' ? 2 : 1;
  std::size_t end = first;
  while (end < text.size() && end - first < kLongestName && is_letter_or_digit(text[end])) ++end;
  if (end == first || end == text.size() || text[end] != ';') return std::nullopt;
  if (first == 2) {
    std::optional<Reference> number = number_at(text);
    const bool is_whole = number && number->bytes == end + 1 && number->characters != ";";
    return is_whole ? std::move(number) : std::nullopt;
  }
  const std::string_view name = text.substr(1, end - 1);
  if (const Entity* const entity = find_entity(name)) {
    return Reference{std::string(entity->characters), end + 1};
  }
  // A database in capitals: "&EACUTE;" is "É", unless it begins like a name of its own ("&GTDOT;").
  const bool is_capital = std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!is_capital || !bare_beginning(name).empty()) return std::nullopt;
  const Entity* const entity = find_entity(lower_ascii(name));
  if (entity == nullptr) return std::nullopt;
  return Reference{upper_in_context(entity->characters), end + 1};
}

// `find` reads the reference that a text begins with.
template <typename Find>
std::string unescape(std::string_view text, Find find) {
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t ampersand = std::min(text.find('&', at), text.size());
    plain += text.substr(at, ampersand - at);
    at = ampersand;
    if (at == text.size()) break;
    if (const std::optional<Reference> reference = find(text.substr(at))) {
      plain += reference->characters;
      at += reference->bytes;
    } else {
      plain += text[at++];
    }
  }
  return plain;
}

}  // namespace

std::string unescape_html(std::string_view text) {
  return unescape(text, reference_at);
}

std::string unescape_closed_html(std::string_view text) {
  return unescape(text, closed_reference_at);
}

}  // namespace moa
