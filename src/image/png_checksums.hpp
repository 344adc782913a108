// The checksums of a PNG file's chunks. libpng only warns where those of the chunks that it could do without
// are broken, and a broken file is not to be guessed at.
#pragma once

#include <cstddef>
#include <span>

namespace moa {

// Every chunk up to IEND carries the CRC-32 of its type and data. What is cut short is left for the decoder
// to find.
bool png_checksums_hold(std::span<const std::byte> png) noexcept;

}  // namespace moa
