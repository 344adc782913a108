// PBM, PGM and PPM, plain and binary: a header of numbers and the samples. libvips counts its reader among
// the untrusted ones.
#pragma once

#include <cstddef>
#include <span>

#include "image/picture.hpp"

namespace moa {

// `bytes` begin with "P1" … "P6". Values are scaled to 255 by their declared maximum; gray of more than 255
// levels is scaled to 65535 and then clipped at 255, which is what Pillow's convert("RGB") makes of its wide
// integers. Errors: corrupt_data, limit_exceeded.
Picture decode_netpbm(std::span<const std::byte> bytes, const DecodeOptions& options);

}  // namespace moa
