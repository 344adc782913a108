// The one place where a decoder gets room for pixels.
#pragma once

#include <string_view>

#include "image/picture.hpp"

namespace moa {

// Errors: corrupt_data if an edge is not positive; limit_exceeded if there are more pixels than `options`
// allow. Nothing is allocated; what passes is below 2^53 pixels.
void check_declared_size(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                         const DecodeOptions& options);

// Whether `message` is that of a picture that had more pixels than a limit allowed.
bool is_of_pixel_limit(std::string_view message);
// And that limit was another: under this one it may be read.
bool is_of_another_pixel_limit(std::string_view message, double max_megapixels);

// A black picture of the declared size, which is checked first. Error: also limit_exceeded if there is no
// memory for it.
Picture blank_picture(PictureKind kind, std::int64_t width_px, std::int64_t height_px,
                      const DecodeOptions& options);

}  // namespace moa
