"""Writes tests/image/golden/resize.txt: XXH3-128 of what Pillow's resize gives for noise.

Made with Pillow 13.0.0, numpy 2.4.6, xxhash 3.x. Each line: width height seed new_width new_height filter hash
"""

import pathlib

import xxhash
from PIL import Image

from pillow_noise import noise

FILTERS = {"nearest": 0, "box": 4, "bilinear": 2, "hamming": 5, "bicubic": 3, "lanczos": 1}
SIZES = [
    # (width, height, new width, new height)
    (1, 1, 1, 1), (1, 1, 7, 5), (7, 5, 1, 1), (2, 3, 3, 2), (3, 2, 224, 224), (31, 17, 31, 40), (31, 17, 40, 17),
    (64, 64, 32, 32), (64, 64, 128, 128), (101, 67, 33, 91), (97, 101, 101, 97), (255, 256, 257, 255),
    (500, 375, 299, 224), (375, 500, 224, 298), (480, 640, 336, 448), (640, 480, 224, 224), (640, 480, 640, 481),
    (1000, 3, 17, 200), (3, 1000, 200, 17), (13, 700, 5, 224), (700, 13, 224, 5), (1, 999, 1, 10), (999, 1, 10, 1),
    # around the height reduction from which Pillow 13 resizes vertically first
    (100, 100, 90, 81), (100, 100, 90, 80), (100, 100, 90, 79), (100, 101, 150, 100), (100, 100, 150, 101),
    (200, 600, 100, 400), (200, 600, 100, 399), (50, 2000, 40, 224),
]
LARGE = [(4000, 3000, 298, 224, "bicubic"), (3000, 4000, 224, 298, "bilinear"), (320, 240, 1600, 1200, "lanczos")]


def line(width, height, new_width, new_height, name, seed):
    picture = Image.fromarray(noise(width, height, seed)).resize((new_width, new_height), FILTERS[name])
    return f"{width} {height} {seed} {new_width} {new_height} {name} {xxhash.xxh3_128_hexdigest(picture.tobytes())}\n"


def main():
    lines = [line(*size, name, seed) for seed, size in enumerate(SIZES) for name in FILTERS]
    lines += [line(*large, seed) for seed, large in enumerate(LARGE, start=100)]
    target = pathlib.Path(__file__).parent.parent / "image" / "golden" / "resize.txt"
    target.write_text("".join(lines))


if __name__ == "__main__":
    main()
