// Any bytes: sniffed, decoded, preprocessed. Whatever comes is a picture or a moa::Error.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "image/processor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const moa::ImageProcessor processor = moa::ImageProcessor::from_open_clip(moa::Config(), 24);
  static std::vector<float> pixels(3 * 24 * 24);
  try {
    const moa::Picture picture =
        moa::decode_picture(std::as_bytes(std::span(data, size)), {.max_megapixels = 0.5});
    processor.preprocess(picture, pixels);
  } catch (const moa::Error&) {
  }
  return 0;
}
