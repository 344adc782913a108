// The one place where a decoder gets room for pixels.
#pragma once

#include "image/picture.hpp"

namespace moa {

// Errors: corrupt_data if an edge is not positive; limit_exceeded if there are more pixels than `options`
// allow. Nothing is allocated; what passes is below 2^53 pixels.
void check_declared_size(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                         const DecodeOptions& options);

// A black picture of the declared size, which is checked first. Error: also limit_exceeded if there is no
// memory for it.
Picture blank_picture(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                      const DecodeOptions& options);

}  // namespace moa
