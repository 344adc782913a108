"""Openclipart's drawings as Debian packs them, and what they are called: titles and keywords of their makers."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import drawn_classes

sys.path.insert(0, str(Path(__file__).parent.parent))

from openclipart import titles_and_keywords  # noqa: E402

MOST_DRAWINGS = 3  # that a text may speak of; more share "Road Signs" or "Various Cliparts"
MOST_PIXELS = 1024  # of a side; the largest are posters of 231 megapixels
Image.MAX_IMAGE_PIXELS = None  # the package is the one whose sum is known


@dataclass
class Clipart:
    path: Path
    texts: list[str]  # that speak of it, and of few others

    def picture(self) -> Image.Image:
        picture = Image.open(self.path)
        picture.thumbnail((MOST_PIXELS, MOST_PIXELS))
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")


def read(unpacked: Path) -> list[Clipart]:
    """Those that some text speaks of."""
    drawings = unpacked / "openclipart-svg" / "usr" / "share" / "openclipart" / "svg"
    pictures = unpacked / "openclipart-png" / "usr" / "share" / "openclipart" / "png"
    told = {}
    for path in sorted(drawings.rglob("*.svg")):
        picture = pictures / path.relative_to(drawings).with_suffix(".png")
        if picture.exists():
            told[picture] = list(dict.fromkeys(_texts(path)))
    drawings_of = Counter(text for texts in told.values() for text in texts)
    cliparts = [Clipart(picture, [text for text in texts if drawings_of[text] <= MOST_DRAWINGS])
                for picture, texts in told.items()]
    return [clipart for clipart in cliparts if clipart.texts]


def see(cliparts: list[Clipart], work: Path, vision: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the trunk gives for each, [cliparts, 1280]; kept in the work folder."""
    kept = work / "cliparts.npy"
    if not kept.exists():
        np.save(kept, drawn_classes.features((clipart.picture() for clipart in cliparts), vision).numpy())
    return torch.from_numpy(np.load(kept))


def _texts(path: Path) -> Iterator[str]:
    """Its title, and all keywords together; the name of its file where it has neither."""
    titles, keywords = ({_words(text) for text in texts} for texts in titles_and_keywords(path))
    # "hash" and what follows it was left by the tools that kept the collection.
    keywords = {word for word in keywords if word not in ("", "clip art", "clipart") and not word.startswith("hash")}
    yield from sorted(titles - {""})
    if len(keywords) > 1:
        yield ", ".join(sorted(keywords))
    if not titles and not keywords and "computer" not in path.parts:  # icons of programs have their commands' names
        yield _words(path.stem)


def _words(text: str) -> str:
    """Without numbers of versions and what joins words in the names of files."""
    return " ".join(re.sub(r"[\d_#()-]+", " ", re.sub("^clipart by [^-]* - ", "", text.lower())).split())
