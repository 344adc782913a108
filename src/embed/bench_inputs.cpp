#include "embed/bench_inputs.hpp"

#include <array>

namespace moa {
namespace {

constexpr std::array<std::string_view, 32> kCaptions = {
    "A black dog runs along the beach with a stick in its mouth.",
    "Two children are building a sandcastle.",
    "A plate of noodles with vegetables and an egg on top.",
    "An old man reads a newspaper on a park bench.",
    "Snow-covered mountains behind a calm blue lake.",
    "A red bicycle leaning against a brick wall.",
    "People waiting for the train on a crowded platform in the evening.",
    "A cat asleep on a laptop keyboard.",
    "A woman in a yellow raincoat walks across the street.",
    "Several boats are moored in a small harbour at sunset.",
    "A bowl of fruit on a wooden table next to a window.",
    "The kitchen has white cupboards and a steel refrigerator.",
    "A surfer rides a large wave.",
    "A group of friends sitting around a campfire at night, one of them playing the guitar.",
    "An airplane taking off from the runway.",
    "A giraffe eats leaves from a tall tree while a zebra stands nearby.",
    "A close-up of a bee on a purple flower.",
    "Children in school uniforms wave at the camera.",
    "A narrow street with shops and paper lanterns.",
    "A tennis player stretches to reach the ball.",
    "A birthday cake with lit candles.",
    "A farmer drives a tractor through a field of wheat under a cloudy sky.",
    "Two men shake hands in an office.",
    "A small white house with a garden full of roses.",
    "A skateboarder jumps over a flight of stairs as his friends watch.",
    "A herd of sheep blocks a country road.",
    "A train passes over an old stone bridge.",
    "A cup of coffee and a croissant.",
    "The statue of a rider on a horse in the middle of a square.",
    "A baby elephant stands between the legs of its mother.",
    "A traffic light turns green at an empty crossing.",
    "Fireworks over the river in a big city on New Year's Eve.",
};

}  // namespace

std::span<const std::string_view> bench_captions() {
  return kCaptions;
}

std::string bench_picture(std::uint32_t seed, std::int64_t width_px, std::int64_t height_px) {
  std::string file = "P6 " + std::to_string(width_px) + " " + std::to_string(height_px) + " 255\n";
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::int64_t y = 0; y < height_px; ++y) {
    for (std::int64_t x = 0; x < width_px; ++x) {
      for (std::int64_t channel = 0; channel < 3; ++channel) {
        state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
        const std::int64_t slope =
            (x * (channel + 1) + y * (3 - channel) + std::int64_t{seed} * 37) / 4 % 192;
        file += static_cast<char>(slope + (state >> 26));
      }
    }
  }
  return file;
}

}  // namespace moa
