// The files of tests/text/golden: a corpus, and what the reference makes of each of its lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace moa {

inline const std::filesystem::path kGolden = std::filesystem::path(MOA_TEST_DATA) / "text" / "golden";

inline std::string read_golden_file(const std::string& name) {
  return read_file(kGolden / name, 64 << 20);
}

inline std::uint32_t u32(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes.at(at + i));
  return value;
}

inline std::vector<std::string> texts_of(const std::string& name) {
  const std::string bytes = read_golden_file(name);
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::uint32_t length = u32(bytes, at);
    texts.push_back(bytes.substr(at + 4, length));
    at += 4 + std::size_t{length};
  }
  return texts;
}

inline std::vector<std::string> corpus() {
  return texts_of("corpus.bin");
}

// A length and an FNV-1a hash, as the goldens store them.
struct Digest {
  std::uint32_t length = 0;
  std::uint32_t hash = 0x811C9DC5;
  bool operator==(const Digest&) const = default;

  void add(std::uint8_t byte) { hash = (hash ^ byte) * 0x01000193; }
};

inline Digest digest(const std::vector<std::int32_t>& ids) {
  Digest result{static_cast<std::uint32_t>(ids.size())};
  for (const std::int32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) result.add(static_cast<std::uint8_t>(id >> shift));
  }
  return result;
}

inline Digest digest(std::string_view text) {
  Digest result{static_cast<std::uint32_t>(text.size())};
  for (const char byte : text) result.add(static_cast<std::uint8_t>(byte));
  return result;
}

inline Digest golden(const std::string& bytes, std::size_t line) {
  return {u32(bytes, line * 8), u32(bytes, line * 8 + 4)};
}

inline std::string shown(const std::vector<std::int32_t>& ids) {
  std::string text;
  for (std::size_t i = 0; i < ids.size() && i < 60; ++i) text += std::to_string(ids[i]) + " ";
  return text;
}

}  // namespace moa
