// The checksums of a PNG file's chunks. libpng only warns where those of the chunks that it could do without
// are broken, and a broken file is not to be guessed at. The sum inside the compressed stream (Adler-32) is
// not looked at: libvips does not tell, and inflating once more would add 46 % to a PNG's decoding (measured
// on photos) to find what only a writer that miscounts can have done, for every byte of the stream stands
// under a chunk's CRC already.
#pragma once

#include <cstddef>
#include <span>

namespace moa {

// Every chunk up to IEND carries the CRC-32 of its type and data. What is cut short is left for the decoder
// to find.
bool png_checksums_hold(std::span<const std::byte> png) noexcept;

}  // namespace moa
