"""Handwritten digits as pictures in folders of classes: some a class to learn from, the others held out.

Usage: python digits.py data 16      (needs scikit-learn, whose load_digits has them, and Pillow)
"""
import pathlib
import sys

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

WORDS = "zero one two three four five six seven eight nine".split()


def main(place, shots):
    digits = load_digits()
    seen = dict.fromkeys(WORDS, 0)
    for i in np.random.default_rng(0).permutation(len(digits.target)):
        word = WORDS[digits.target[i]]
        seen[word] += 1
        folder = pathlib.Path(place) / ("train" if seen[word] <= shots else "held-out") / word
        folder.mkdir(parents=True, exist_ok=True)
        ink = 255 - digits.images[i] * 255 / 16
        Image.fromarray(ink.round().astype("uint8")).resize((224, 224), Image.BICUBIC).save(folder / f"{i:04}.png")


main(sys.argv[1], int(sys.argv[2]))
