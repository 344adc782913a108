"""Writes tests/image/golden/colors.txt: XXH3-128 of what torchvision's functions make of pictures of Pillow's.

Made with Pillow 13.0.0, torchvision 0.29.2, numpy 2.4.6, xxhash 3.x. Each line: operation argument seed hash (of the
picture noise(61, 47, seed)), or "hue argument all hash" (of the 2^24 colours in order), or
"crop left top width height new_width new_height filter seed hash" (of noise(201, 133, seed)).
"""

import pathlib

import numpy
import xxhash
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional

from pillow_noise import noise

FACTORS = [0.0, 0.2, 0.5, 0.6180339, 0.999, 1.0, 1.001, 1.4, 2.0, 7.5]
TURNS = [-0.5, -0.3333, -0.1, -0.001, 0.0, 0.002, 0.1, 0.25, 0.5]
CROPS = [(0, 0, 201, 133, 224, 224), (13, 7, 100, 90, 64, 64), (150, 100, 51, 33, 32, 48), (3, 4, 1, 1, 16, 16),
         (20, 30, 64, 64, 64, 64), (40, 0, 30, 133, 30, 60)]


def digest(picture):
    return xxhash.xxh3_128_hexdigest(picture.tobytes())


def lines():
    for name, function in (("brightness", functional.adjust_brightness), ("contrast", functional.adjust_contrast),
                           ("saturation", functional.adjust_saturation)):
        for factor in FACTORS:
            for seed in (2, 3):
                yield f"{name} {factor} {seed} {digest(function(Image.fromarray(noise(61, 47, seed)), factor))}"
    for turns in TURNS:
        yield f"hue {turns} 2 {digest(functional.adjust_hue(Image.fromarray(noise(61, 47, 2)), turns))}"
    codes = numpy.arange(1 << 24, dtype=numpy.uint32).reshape(4096, 4096)
    colours = numpy.stack([codes >> 16, codes >> 8, codes], axis=-1).astype(numpy.uint8)
    yield f"hue 0.1 all {digest(functional.adjust_hue(Image.fromarray(colours), 0.1))}"
    yield f"flip 0 2 {digest(functional.hflip(Image.fromarray(noise(61, 47, 2))))}"
    for seed, (left, top, width, height, new_width, new_height) in enumerate(CROPS, start=10):
        for name in ("bilinear", "bicubic"):
            picture = functional.resized_crop(Image.fromarray(noise(201, 133, seed)), top, left, height, width,
                                              [new_height, new_width], InterpolationMode(name))
            yield f"crop {left} {top} {width} {height} {new_width} {new_height} {name} {seed} {digest(picture)}"


if __name__ == "__main__":
    target = pathlib.Path(__file__).parent.parent / "image" / "golden" / "colors.txt"
    target.write_text("".join(line + "\n" for line in lines()))
