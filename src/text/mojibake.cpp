#include "text/mojibake.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/utf8.hpp"
#include "text/regex.hpp"
#include "text/single_byte.hpp"

namespace moa {
namespace {

constexpr std::string_view kReplacement = "\ufffd";

// A set of bytes, and sequences of them: what Python's patterns over bytes say.
struct Bytes {
  std::array<bool, 256> has{};

  static Bytes between(int first, int last) {
    Bytes bytes;
    for (int byte = first; byte <= last; ++byte) bytes.has[static_cast<std::size_t>(byte)] = true;
    return bytes;
  }
  static Bytes of(std::string_view members) {
    Bytes bytes;
    for (const char c : members) bytes.has[static_cast<std::uint8_t>(c)] = true;
    return bytes;
  }
  Bytes operator|(const Bytes& other) const {
    Bytes both = *this;
    for (std::size_t i = 0; i < has.size(); ++i) both.has[i] = has[i] || other.has[i];
    return both;
  }
};

using ByteSequence = std::vector<Bytes>;

bool begins_with(std::string_view bytes, const ByteSequence& sequence) {
  if (bytes.size() < sequence.size()) return false;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    if (!sequence[i].has[static_cast<std::uint8_t>(bytes[i])]) return false;
  }
  return true;
}

// The bytes of the first of `sequences` that `bytes` begins with; 0 if with none.
std::size_t begun(std::string_view bytes, const std::vector<ByteSequence>& sequences) {
  for (const ByteSequence& sequence : sequences) {
    if (begins_with(bytes, sequence)) return sequence.size();
  }
  return 0;
}

// UTF-8 whose byte A0 became a space, where characters that are likely come of it.
const std::vector<ByteSequence>& with_spaces() {
  static const std::vector<ByteSequence> sequences = [] {
    const Bytes space = Bytes::of(" ");
    const Bytes next = Bytes::between(0x80, 0xBF);
    // Without 85 and A0, which are white space too.
    const Bytes rest = Bytes::between(0x80, 0x84) | Bytes::between(0x86, 0x9F) | Bytes::between(0xA1, 0xBF);
    const Bytes four = Bytes::of("\xF0");
    return std::vector<ByteSequence>{{Bytes::of("\xC2\xC3\xC5\xCE\xD0\xD9"), space},
                                     {Bytes::of("\xE2\xE3"), space, rest},
                                     {Bytes::between(0xE0, 0xE3), rest, space},
                                     {four, space, next, next},
                                     {four, next, space, next},
                                     {four, next, next, space}};
  }();
  return sequences;
}

// UTF-8, or UTF-16's surrogates in it, some of whose bytes were lost: 1A stands for them (single_byte.hpp).
const std::vector<ByteSequence>& with_losses() {
  static const std::vector<ByteSequence> sequences = [] {
    const Bytes lost = Bytes::of("\x1A");
    const Bytes lost_or_asked = Bytes::of("\x1A?");
    const Bytes next = Bytes::between(0x80, 0xBF);
    const Bytes lost_or_next = lost | next;
    const Bytes any = lost_or_asked | next;
    const Bytes three = Bytes::between(0xE0, 0xEF);
    const Bytes four = Bytes::between(0xF0, 0xF4);
    const Bytes surrogate = Bytes::of("\xED");
    const Bytes high = Bytes::between(0xA0, 0xAF);
    const Bytes low = Bytes::between(0xB0, 0xBF);
    return std::vector<ByteSequence>{{Bytes::between(0xC2, 0xDF), lost},
                                     {Bytes::of("\xC2\xC3"), Bytes::of("?")},
                                     {surrogate, high, lost_or_asked, surrogate, low, any},
                                     {surrogate, high, any, surrogate, low, lost_or_asked},
                                     {three, lost_or_asked, lost_or_next},
                                     {three, lost_or_next, lost_or_asked},
                                     {four, lost_or_asked, lost_or_next, lost_or_next},
                                     {four, lost_or_next, lost_or_asked, lost_or_next},
                                     {four, lost_or_next, lost_or_next, lost_or_asked},
                                     {lost}};
  }();
  return sequences;
}

// "Ã la mode" was "à la mode": the space that became of A0 and the one behind it were made one. Not so before
// what goes on in Portuguese: "às", "àquele", "àquela", "àquilo".
std::string restore_words_of_one_a(std::string_view bytes) {
  constexpr std::string_view kWord = "\xC3 ";
  std::string restored;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view here = bytes.substr(at);
    const auto follows = [&](std::string_view rest) { return here.substr(kWord.size()).starts_with(rest); };
    if (here.starts_with(kWord) && !follows(" ") && !follows("quele") && !follows("quela") &&
        !follows("quilo") && !follows("s ")) {
      restored += "\xC3\xA0 ";
      at += kWord.size();
    } else {
      restored += bytes[at++];
    }
  }
  return restored;
}

std::string restore_no_break_spaces(std::string_view bytes) {
  const bool has_any = [&] {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      if (begun(bytes.substr(at), with_spaces()) > 0) return true;
    }
    return false;
  }();
  std::string restored(bytes);
  if (!has_any) return restored;
  restored = restore_words_of_one_a(bytes);
  for (std::size_t at = 0; at < restored.size();) {
    const std::size_t length = begun(std::string_view(restored).substr(at), with_spaces());
    for (std::size_t i = at; i < at + length; ++i) {
      if (restored[i] == ' ') restored[i] = '\xA0';
    }
    at += std::max<std::size_t>(length, 1);
  }
  return restored;
}

std::string replace_losses(std::string_view bytes) {
  std::string replaced;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = begun(bytes.substr(at), with_losses());
    if (length > 0) {
      replaced += kReplacement;
    } else {
      replaced += bytes[at];
    }
    at += std::max<std::size_t>(length, 1);
  }
  return replaced;
}

// A character beyond U+FFFF whose two surrogates of UTF-16 were each written as UTF-8 (CESU-8).
std::optional<char32_t> surrogate_pair(std::string_view bytes) {
  static const Bytes lead = Bytes::of("\xED");
  static const Bytes next = Bytes::between(0x80, 0xBF);
  static const ByteSequence pair = {lead, Bytes::between(0xA0, 0xAF), next,
                                    lead, Bytes::between(0xB0, 0xBF), next};
  if (!begins_with(bytes, pair)) return std::nullopt;
  const auto bits = [&](std::size_t at, unsigned mask) {
    return static_cast<char32_t>(static_cast<std::uint8_t>(bytes[at]) & mask);
  };
  return 0x10000 + (bits(1, 0x0F) << 16) + (bits(2, 0x3F) << 10) + (bits(4, 0x0F) << 6) + bits(5, 0x3F);
}

// Bytes in UTF-8, CESU-8, or Java's kind of it, in which C0 80 is U+0000, as UTF-8.
std::optional<std::string> utf8_of(std::string_view bytes) {
  std::string utf8;
  std::size_t plain = 0;  // where what is not yet in `utf8` begins
  for (std::size_t at = 0; at < bytes.size();) {
    const std::string_view here = bytes.substr(at);
    std::size_t length = 0;
    std::string characters;
    if (here.starts_with("\xC0\x80")) {
      length = 2;
      characters = std::string(1, '\0');
    } else if (const auto character = surrogate_pair(here)) {
      length = 6;
      append_utf8(characters, *character);
    }
    if (length == 0) {
      ++at;
      continue;
    }
    utf8.append(bytes.substr(plain, at - plain)).append(characters);
    at += length;
    plain = at;
  }
  utf8 += bytes.substr(plain);
  return is_utf8(utf8) ? std::optional(std::move(utf8)) : std::nullopt;
}

// The characters that bytes `first` to `last` mean in the encodings that have letters where Latin-1 has them.
std::string meanings(int first, int last, std::u32string_view without = {}) {
  std::string members;
  for (const SingleByteEncoding& encoding : single_byte_encodings()) {
    if (!encoding.is_latin_1 && !encoding.is_sloppy) continue;
    for (int byte = first; byte <= last; ++byte) {
      const char32_t c = encoding.high[static_cast<std::size_t>(byte - 0x80)];
      if (without.find(c) == without.npos) append_utf8(members, c);
    }
  }
  return members;
}

// Characters that look like UTF-8 read as one of those encodings. Not right behind a character that might be
// a part of it: mending a little of a large garble makes it worse.
std::string pattern_of_embedded_utf8() {
  const std::string next = "[\x20" + meanings(0x80, 0xBF) + "]";
  return "(?<![" + meanings(0x80, 0xBF, U"–—―‘’‚“”„•…") + "])(?:[" + meanings(0xC2, 0xDF) + "]" + next +
         "|[" + meanings(0xE0, 0xEF) + "]" + next + "{2}|[" + meanings(0xF0, 0xF0) + meanings(0xF3, 0xF3) +
         "]" + next + "{3})+";
}

// Mends parts by themselves, where the whole cannot be. Only what is shorter than the whole, so that this
// comes to an end.
std::string mend_embedded(std::string_view text) {
  static const Regex embedded(pattern_of_embedded_utf8());
  std::string mended;
  for (const Span& span : embedded.find(text)) {
    const std::string_view part = text.substr(span.begin, span.end - span.begin);
    if (span.is_match && part.size() < text.size() && looks_like_mojibake(part)) {
      mended += mend_mojibake(part);
    } else {
      mended += part;
    }
  }
  return mended;
}

// Control characters of Latin-1 as what Windows-1252 has in their places.
std::string replace_controls(std::string_view text) {
  std::string replaced;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    append_utf8(replaced, c >= 0x80 && c <= 0x9F ? windows_1252(static_cast<std::uint8_t>(c)) : c);
  }
  return replaced;
}

std::string mend_once(std::string_view text) {
  if (is_ascii(text) || !looks_like_mojibake(text)) return std::string(text);
  for (const SingleByteEncoding& encoding : single_byte_encodings()) {
    std::optional<std::string> bytes = in_single_bytes(text, encoding);
    if (!bytes) continue;
    // In MacRoman such a sequence is a dash and a space.
    if (!encoding.is_macroman) bytes = restore_no_break_spaces(*bytes);
    if (encoding.is_sloppy) bytes = replace_losses(*bytes);
    if (std::optional<std::string> meant = utf8_of(*bytes)) return std::move(*meant);
  }
  std::string mended = mend_embedded(text);
  return mended == text ? replace_controls(text) : mended;
}

}  // namespace

std::string mend_mojibake(std::string_view utf8) {
  constexpr int kMostLayers = 64;  // of texts mistaken again and again
  std::string text(utf8);
  for (int layer = 0; layer < kMostLayers; ++layer) {
    std::string mended = mend_once(text);
    if (mended == text) break;
    text = std::move(mended);
  }
  return text;
}

}  // namespace moa
