#include "image/netpbm.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "image/pixel_limit.hpp"

namespace moa {
namespace {

constexpr int kMaxDigits = 10;

[[noreturn]] void fail(const std::string& reason) {
  throw Error(ErrorCode::corrupt_data, "cannot decode a PPM picture: " + reason);
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// The text of a header or of plain samples, read from front to back.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next number; comments run from '#' to the end of the line. One white space behind the number is taken
  // with it.
  std::int64_t number(const char* what) {
    skip_space();
    std::int64_t value = 0;
    int digits = 0;
    for (; !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; text_.remove_prefix(1)) {
      if (++digits > kMaxDigits) fail(std::string(what) + " has more than ten digits");
      value = value * 10 + (text_[0] - '0');
    }
    if (digits == 0)
      fail(text_.empty() ? std::string("it ends before ") + what : std::string(what) + " is not a number");
    if (!text_.empty() && text_[0] != '#') {
      if (!is_space(text_[0])) fail(std::string(what) + " is not a number");
      text_.remove_prefix(1);
    }
    return value;
  }

  // The next bit of a plain bitmap, where digits need no space between them.
  bool bit() {
    skip_space();
    if (text_.empty()) fail("it ends before its last pixel");
    const char digit = text_[0];
    if (digit != '0' && digit != '1') fail("a bit is neither 0 nor 1");
    text_.remove_prefix(1);
    return digit == '1';
  }

  std::string_view rest() const { return text_; }

 private:
  void skip_space() {
    while (!text_.empty() && (is_space(text_[0]) || text_[0] == '#')) {
      if (text_[0] == '#') {
        text_.remove_prefix(std::min(text_.find_first_of("\r\n"), text_.size()));
      } else {
        text_.remove_prefix(1);
      }
    }
  }

  std::string_view text_;
};

// A sample of 0 … most as a byte.
class Scale {
 public:
  Scale(std::int64_t most, bool is_gray)
      : most_(static_cast<double>(most)), out_most_(is_gray && most > 255 ? 65535.0 : 255.0) {}

  std::uint8_t operator()(std::int64_t value) const {
    const double scaled =
        std::nearbyint(static_cast<double>(value) / most_ * out_most_);  // to even, as Python rounds
    return static_cast<std::uint8_t>(std::min(scaled, 255.0));
  }

 private:
  double most_;
  double out_most_;
};

void check_room(std::string_view samples, std::size_t expected) {
  if (samples.size() < expected) {
    fail("expected " + std::to_string(expected) + " bytes of samples, found " +
         std::to_string(samples.size()));
  }
}

void read_bits(std::string_view samples, Picture& picture) {
  const auto row_bytes = static_cast<std::size_t>((picture.width_px + 7) / 8);
  check_room(samples, row_bytes * static_cast<std::size_t>(picture.height_px));
  std::uint8_t* to = picture.rgb.data();
  for (std::int64_t y = 0; y < picture.height_px; ++y, samples.remove_prefix(row_bytes)) {
    for (std::int64_t x = 0; x < picture.width_px; ++x, to += 3) {
      const bool black = (static_cast<unsigned char>(samples[x / 8]) >> (7 - x % 8) & 1) != 0;
      to[0] = to[1] = to[2] = black ? 0 : 255;
    }
  }
}

// Calls next() for every sample and stores it, three times where a pixel has only one.
template <typename Next>
void store(Picture& picture, bool is_gray, Next next) {
  for (std::size_t i = 0; i < picture.rgb.size(); i += 3) {
    picture.rgb[i] = next();
    picture.rgb[i + 1] = is_gray ? picture.rgb[i] : next();
    picture.rgb[i + 2] = is_gray ? picture.rgb[i] : next();
  }
}

}  // namespace

Picture decode_netpbm(std::span<const std::byte> bytes, const DecodeOptions& options) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.size() < 3) fail("it has no header");
  const char form = text[1];
  const bool is_bitmap = form == '1' || form == '4';
  const bool is_plain = form <= '3';
  const bool is_gray = form != '3' && form != '6';
  Scanner scanner(text.substr(2));
  const std::int64_t width_px = scanner.number("the width");
  const std::int64_t height_px = scanner.number("the height");
  const std::int64_t most = is_bitmap ? 1 : scanner.number("the largest value");
  if (most < 1 || most > 65535)
    fail("the largest value is " + std::to_string(most) + ", expected 1 to 65535");

  check_declared_size(PictureKind::ppm, width_px, height_px, options);
  // A pixel takes a byte at least, or a bit: more pixels than bytes are a lie, found before they get room.
  const auto pixels = static_cast<std::uint64_t>(width_px) * static_cast<std::uint64_t>(height_px);
  if (pixels / (form == '4' ? 8 : 1) > bytes.size()) fail("it ends before its last pixel");
  Picture picture = blank_picture(PictureKind::ppm, width_px, height_px, options);
  if (form == '4') {
    read_bits(scanner.rest(), picture);
    return picture;
  }
  if (form == '1') {
    store(picture, true, [&] { return scanner.bit() ? 0 : 255; });
    return picture;
  }
  const Scale scale(most, is_gray);
  if (is_plain) {
    store(picture, is_gray, [&] {
      const std::int64_t value = scanner.number("a sample");
      if (value > most) fail("a sample is larger than the declared largest value");
      return scale(value);
    });
    return picture;
  }
  const std::size_t sample_size = most > 255 ? 2 : 1;
  const std::string_view samples = scanner.rest();
  check_room(samples, picture.rgb.size() / (is_gray ? 3 : 1) * sample_size);
  const auto* from = reinterpret_cast<const unsigned char*>(samples.data());
  if (sample_size == 2) {
    store(picture, is_gray, [&] {
      from += 2;
      return scale(from[-2] << 8 | from[-1]);
    });
  } else {
    std::uint8_t table[256];
    for (int value = 0; value < 256; ++value) table[value] = scale(value);
    store(picture, is_gray, [&] { return table[*from++]; });
  }
  return picture;
}

}  // namespace moa
