// What speed is measured with: captions as people write them, and pictures made in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace moa {

// Of 5 to 18 words, each once.
std::span<const std::string_view> bench_captions();

// A PPM file of soft colours and noise, another one for each `seed`; the same everywhere.
std::string bench_picture(std::uint32_t seed, std::int64_t width_px, std::int64_t height_px);

}  // namespace moa
