// Patterns and mappings over all code points (tests/parity/tokenizers_classes.py).
#include <gtest/gtest.h>

#include <cstdint>
#include <sstream>
#include <string>

#include "base/utf8.hpp"
#include "text/clip_files.hpp"
#include "text/regex.hpp"
#include "text/unicode.hpp"

namespace moa {
namespace {

constexpr char32_t kEnd = 0x110000;

char32_t after(char32_t c) {
  return c == 0xD7FF ? 0xE000 : c + 1;
}

struct Fnv1a {
  std::uint32_t hash = 0x811C9DC5;
  void add(char32_t byte) { hash = (hash ^ (byte & 0xFF)) * 0x01000193; }
};

std::uint32_t matches_of(const Regex& regex) {
  Fnv1a sum;
  for (char32_t c = 0; c < kEnd;) {
    std::string text;
    for (int i = 0; i < 4096 && c < kEnd; ++i, c = after(c)) append_utf8(text, c);
    for (const Span& span : regex.find(text)) {
      for (std::size_t at = span.begin; span.is_match && at < span.end;) {
        const char32_t matched = next_code_point(text, at);
        for (int shift = 0; shift < 32; shift += 8) sum.add(matched >> shift);
      }
    }
  }
  return sum.hash;
}

std::string mapped(const std::string& name, char32_t c) {
  std::string text;
  if (name == "lower") {
    append_lower(text, c);
    return text;
  }
  append_utf8(text, c);
  return normal_form(text, name == "nfc"    ? NormalForm::nfc
                           : name == "nfd"  ? NormalForm::nfd
                           : name == "nfkc" ? NormalForm::nfkc
                                            : NormalForm::nfkd);
}

TEST(Unicode, ClassesAndMappingsEqualTheReferenceOnEveryCodePoint) {
  std::istringstream lines(read_golden("classes.txt"));
  std::size_t count = 0;
  for (std::string kind, name, value; std::getline(lines, kind, '\t'); ++count) {
    ASSERT_TRUE(std::getline(lines, name, '\t') && std::getline(lines, value));
    Fnv1a sum;
    if (kind == "pattern") {
      sum.hash = matches_of(Regex(name));
    } else {
      for (char32_t c = 0; c < kEnd; c = after(c)) {
        for (const char byte : mapped(name, c)) sum.add(static_cast<unsigned char>(byte));
      }
    }
    EXPECT_EQ(sum.hash, std::stoul(value)) << kind << " " << name;
  }
  EXPECT_GT(count, 60u);
}

}  // namespace
}  // namespace moa
