// The first directory of a TIFF file, which is also what an EXIF block holds: enough of it to look up a
// number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace moa {

namespace tiff_tag {
inline constexpr std::uint16_t kBitsPerSample = 258;
inline constexpr std::uint16_t kCompression = 259;
inline constexpr std::uint16_t kPhotometric = 262;
inline constexpr std::uint16_t kOrientation = 274;
inline constexpr std::uint16_t kColorMap = 320;
inline constexpr std::uint16_t kExtraSamples = 338;
}  // namespace tiff_tag

// Value number `index` of `tag`, if the directory has it as 16-bit numbers and the block is sound so far.
// `block` begins with "II*\0" or "MM\0*"; anything may follow.
std::optional<std::uint16_t> tiff_short(std::span<const std::byte> block, std::uint16_t tag,
                                        std::size_t index = 0) noexcept;

}  // namespace moa
