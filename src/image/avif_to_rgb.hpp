// Part of the component moa-avif: from a decoded AVIF frame to the bytes that Pillow makes of it.
#pragma once

#include <avif/avif.h>

namespace moa {

// Converts `frame` into `rgb`, whose pixels are allocated here and freed by the caller
// (avifRGBImageFreePixels): 8 bits a channel, RGBA where the frame has alpha, RGB otherwise.
//
// The bytes are those of the libavif 1.4 that Pillow 13 bundles. It converts a frame of more than 8 bits by
// way of its 8 upper bits wherever libyuv has no function for the whole depth; libavif 0.11, in floating
// point. So those bits are cut here first.
avifResult avif_to_rgb(const avifImage& frame, avifRGBImage& rgb);

}  // namespace moa
