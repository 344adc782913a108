#include "image/processor.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <locale>
#include <sstream>

namespace moa {
namespace {

struct Size {
  std::int64_t width_px;
  std::int64_t height_px;
};

// int(a · b / c) of Python: a true division, rounded to the nearest double, then cut off.
std::int64_t proportion(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<double>(a) * static_cast<double>(b) / static_cast<double>(c));
}

// transformers' get_size_with_aspect_ratio: where the longer edge would pass `longest`, the shorter follows
// from it, rounded to even for itself, but not for its proportion.
Size shortest_edge(Size from, std::int64_t shortest, std::int64_t longest) {
  const std::int64_t low = std::min(from.width_px, from.height_px);
  const std::int64_t high = std::max(from.width_px, from.height_px);
  if (longest == 0) {
    const std::int64_t other = proportion(shortest, high, low);
    return from.width_px <= from.height_px ? Size{shortest, other} : Size{other, shortest};
  }
  double exact = static_cast<double>(shortest);
  const double ratio = static_cast<double>(high) / static_cast<double>(low);
  if (ratio * exact > static_cast<double>(longest)) {
    exact = static_cast<double>(longest) * static_cast<double>(low) / static_cast<double>(high);
    shortest = static_cast<std::int64_t>(std::nearbyint(exact));
  }
  if (low == shortest) return from;
  const auto other = static_cast<std::int64_t>(exact * static_cast<double>(high) / static_cast<double>(low));
  return from.width_px < from.height_px ? Size{shortest, other} : Size{other, shortest};
}

// open_clip's ResizeKeepRatio.
Size keep_ratio(Size from, const PictureRecipe& recipe) {
  const double ratio_width = static_cast<double>(from.width_px) / static_cast<double>(recipe.width_px);
  const double ratio_height = static_cast<double>(from.height_px) / static_cast<double>(recipe.height_px);
  const double ratio = recipe.fit == PictureRecipe::Fit::contain ? std::max(ratio_width, ratio_height)
                                                                 : std::min(ratio_width, ratio_height);
  const auto scaled = [ratio](std::int64_t edge) {
    return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(edge) / ratio));
  };
  return {scaled(from.width_px), scaled(from.height_px)};
}

Size resized(Size from, const PictureRecipe& recipe) {
  switch (recipe.fit) {
    case PictureRecipe::Fit::none:
      break;
    case PictureRecipe::Fit::exact:
      return {recipe.width_px, recipe.height_px};
    case PictureRecipe::Fit::shortest:
      return shortest_edge(from, recipe.shortest_px, recipe.longest_px);
    case PictureRecipe::Fit::cover:
    case PictureRecipe::Fit::contain:
      return keep_ratio(from, recipe);
  }
  return from;
}

// One axis of a centred crop: `count` inputs from `first` on land at `offset` of the output.
struct Placement {
  std::int64_t first;
  std::int64_t offset;
  std::int64_t count;
};

Placement place(std::int64_t input, std::int64_t output, PictureRecipe::Middle middle) {
  const bool is_torchvision = middle == PictureRecipe::Middle::torchvision;
  if (input < output) {
    const std::int64_t room = output - input;
    return {0, is_torchvision ? room / 2 : (room + 1) / 2, input};
  }
  const std::int64_t excess = input - output;
  const auto even = static_cast<std::int64_t>(std::nearbyint(static_cast<double>(excess) / 2));
  return {is_torchvision ? even : excess / 2, 0, output};
}

Picture padded_to_square(const Picture& picture, const std::array<std::uint8_t, 3>& fill) {
  const std::int64_t edge = std::max(picture.width_px, picture.height_px);
  if (edge > 16384) {  // 768 MB; a picture this long is a strip, most of which would be filling
    throw Error(ErrorCode::limit_exceeded, "cannot pad a picture of " + std::to_string(picture.width_px) +
                                               "x" + std::to_string(picture.height_px) +
                                               " to a square: the limit is 16384 pixels");
  }
  Picture square{edge, edge, std::vector<std::uint8_t>(static_cast<std::size_t>(edge * edge * 3))};
  for (std::size_t i = 0; i < square.rgb.size(); ++i) square.rgb[i] = fill[i % 3];
  const std::int64_t left = (edge - picture.width_px) / 2;
  const std::int64_t top = (edge - picture.height_px) / 2;
  for (std::int64_t y = 0; y < picture.height_px; ++y) {
    std::memcpy(square.rgb.data() + ((top + y) * edge + left) * 3,
                picture.rgb.data() + y * picture.width_px * 3,
                static_cast<std::size_t>(picture.width_px * 3));
  }
  return square;
}

float pixel_value(const PictureRecipe& recipe, std::size_t channel, int byte) {
  auto value = static_cast<float>(byte);
  const auto mean = static_cast<float>(recipe.mean[channel]);
  const auto std = static_cast<float>(recipe.std[channel]);
  if (recipe.divide_by_255) {
    value /= 255.0f;
  } else if (recipe.rescale) {
    value = static_cast<float>(static_cast<double>(byte) * recipe.rescale_factor);
    if (recipe.rescale_offset) value -= 1.0f;
  }
  if (recipe.normalize) value = (value - mean) / std;
  if (recipe.divide_by_std) value /= std;
  return value;
}

}  // namespace

PixelValues pixel_values(const PictureRecipe& recipe) {
  PixelValues values;
  for (std::size_t channel = 0; channel < values.size(); ++channel) {
    for (int byte = 0; byte < 256; ++byte) values[channel][byte] = pixel_value(recipe, channel, byte);
  }
  return values;
}

ImageProcessor::ImageProcessor(PictureRecipe recipe) : recipe_(std::move(recipe)) {
  if (recipe_.crop) {
    width_px_ = recipe_.crop_width_px;
    height_px_ = recipe_.crop_height_px;
  } else if (recipe_.fit == PictureRecipe::Fit::exact) {
    width_px_ = recipe_.width_px;
    height_px_ = recipe_.height_px;
  }
  if (width_px_ <= 0 || height_px_ <= 0) {
    throw Error(ErrorCode::invalid_argument,
                "cannot use the image processor " + recipe_.type + ": it gives no fixed size");
  }
  values_ = pixel_values(recipe_);
}

void ImageProcessor::preprocess(const Picture& original, std::span<float> chw) const {
  const std::int64_t plane = width_px_ * height_px_;
  if (static_cast<std::int64_t>(chw.size()) != channels() * plane) {
    throw Error(ErrorCode::invalid_argument, "cannot preprocess a picture: expected room for " +
                                                 std::to_string(channels() * plane) + " values, found " +
                                                 std::to_string(chw.size()));
  }
  if (original.width_px <= 0 || original.height_px <= 0) {
    throw Error(ErrorCode::invalid_argument, "cannot preprocess a picture: it has no pixels");
  }
  Picture square;
  if (recipe_.pad_to_square && original.width_px != original.height_px)
    square = padded_to_square(original, recipe_.square_fill);
  const Picture& picture = square.rgb.empty() ? original : square;

  // A strip may round to an edge of nothing; Pillow refuses that, one pixel is what it means.
  Size size = resized({picture.width_px, picture.height_px}, recipe_);
  size = {std::max(size.width_px, std::int64_t{1}), std::max(size.height_px, std::int64_t{1})};
  const Placement across = place(size.width_px, width_px_, recipe_.middle);
  const Placement down = place(size.height_px, height_px_, recipe_.middle);
  const Picture part = resize_region(picture, size.width_px, size.height_px, recipe_.filter,
                                     {across.first, down.first, across.count, down.count});

  if (across.count < width_px_ || down.count < height_px_) {
    for (std::size_t c = 0; c < values_.size(); ++c) {
      std::fill_n(chw.begin() + static_cast<std::ptrdiff_t>(c) * plane, plane, values_[c][recipe_.crop_fill]);
    }
  }
  for (std::int64_t y = 0; y < down.count; ++y) {
    const std::uint8_t* from = part.rgb.data() + y * across.count * 3;
    float* to = chw.data() + (down.offset + y) * width_px_ + across.offset;
    for (std::int64_t x = 0; x < across.count; ++x, from += 3) {
      to[x] = values_[0][from[0]];
      to[plane + x] = values_[1][from[1]];
      to[2 * plane + x] = values_[2][from[2]];
    }
  }
}

namespace {

// Numbers as they are written everywhere, whatever the locale, and so that they read back equal.
std::ostringstream number_text() {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text.precision(9);  // for people: a float's worth of digits
  return text;
}

template <typename Three>
void list(std::ostringstream& text, const Three& three) {
  text << +three[0] << ' ' << +three[1] << ' ' << +three[2];
}

}  // namespace

std::string describe_values(const PictureRecipe& r) {
  std::ostringstream text = number_text();
  if (r.divide_by_255) {
    text << "/255";
  } else if (r.rescale) {
    text << "x" << r.rescale_factor << (r.rescale_offset ? " -1" : "");
  } else {
    text << "0..255";
  }
  if (r.normalize) {
    text << ", mean ";
    list(text, r.mean);
  }
  if (r.normalize || r.divide_by_std) {
    text << ", std ";
    list(text, r.std);
    if (r.divide_by_std) text << (r.normalize ? " twice" : "");
  }
  return text.str();
}

std::int64_t ImageProcessor::least_edge_px() const noexcept {
  switch (recipe_.fit) {
    case PictureRecipe::Fit::none:
      return 0;
    case PictureRecipe::Fit::shortest:
      return recipe_.shortest_px;
    case PictureRecipe::Fit::exact:
    case PictureRecipe::Fit::cover:
    case PictureRecipe::Fit::contain:
      break;
  }
  return std::max(recipe_.width_px, recipe_.height_px);
}

std::string ImageProcessor::description() const {
  std::ostringstream text = number_text();
  const PictureRecipe& r = recipe_;
  if (r.pad_to_square) {
    text << "pad to square with ";
    list(text, r.square_fill);
    text << ", ";
  }
  switch (r.fit) {
    case PictureRecipe::Fit::none:
      break;
    case PictureRecipe::Fit::exact:
      text << "resize to " << r.width_px << 'x' << r.height_px;
      break;
    case PictureRecipe::Fit::shortest:
      text << "shortest edge to " << r.shortest_px;
      break;
    case PictureRecipe::Fit::cover:
      text << "cover " << r.width_px << 'x' << r.height_px;
      break;
    case PictureRecipe::Fit::contain:
      text << "fit into " << r.width_px << 'x' << r.height_px;
      break;
  }
  if (r.fit == PictureRecipe::Fit::shortest && r.longest_px > 0) text << " (longest " << r.longest_px << ')';
  if (r.fit != PictureRecipe::Fit::none) text << ' ' << name(r.filter) << ", ";
  if (r.crop) {
    text << "centre crop " << width_px_ << 'x' << height_px_;
    if (r.middle == PictureRecipe::Middle::torchvision) text << " (to even)";
    if (r.crop_fill != 0) text << " on " << +r.crop_fill;
    text << ", ";
  }
  return text.str() + describe_values(r);
}

}  // namespace moa
