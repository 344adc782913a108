// Where a fuzz target puts the files that it hands to whoever opens files.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <utility>

namespace moa::fuzz {

// One for the process; it stays behind.
inline const std::filesystem::path& scratch_folder() {
  static const std::filesystem::path path = [] {
    std::string name = (std::filesystem::temp_directory_path() / "moa-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    return std::filesystem::path(name);
  }();
  return path;
}

// A file of that name there.
inline void write_scratch(std::string_view name, std::string_view content) {
  std::ofstream(scratch_folder() / name, std::ios::binary) << content;
}

inline std::string_view bytes_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Two files in one input: what stands before its first zero byte, and what behind.
inline std::pair<std::string_view, std::string_view> split_at_zero(std::string_view bytes) {
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  return {bytes.substr(0, zero), bytes.substr(std::min(zero + 1, bytes.size()))};
}

}  // namespace moa::fuzz
