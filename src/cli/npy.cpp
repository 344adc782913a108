#include "cli/npy.hpp"

#include <bit>

namespace moa::cli {

std::string npy_header(std::int64_t rows, std::int64_t columns) {
  std::string description = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) +
                            ", " + std::to_string(columns) + "), }";
  // Magic, version and length take 10 bytes; the data begins at a multiple of 64, and a newline stands before
  // it.
  constexpr std::size_t kPrefix = 10;
  constexpr std::size_t kAlignment = 64;
  const std::size_t unpadded = kPrefix + description.size() + 1;
  description.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  description += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(description.size() & 0xFF);
  header += static_cast<char>(description.size() >> 8);
  return header + description;
}

std::string npy_row(std::span<const float> row) {
  std::string bytes;
  bytes.reserve(row.size() * sizeof(float));
  for (const float value : row) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift & 0xFF);
  }
  return bytes;
}

}  // namespace moa::cli
