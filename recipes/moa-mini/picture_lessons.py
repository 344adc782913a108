"""What `moa train` is given of pictures when the text tower is tuned: what the trunk sees in drawings, and what they are called.

All texts of the lessons are kept that are short, for a batch costs what its longest text costs.

Emoji, as Noto and Twemoji draw them, with their names in nine languages; and openclipart's drawings with the words of their
makers. Beside each caption stands one that is near and wrong, where there is one: the name, in the same language, of an emoji
that shares most keywords with the picture's ("beaming face with smiling eyes" with "grinning face").
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file

import cldr
from cliparts import Clipart
from drawn_classes import VIEWS, Drawings

SEED = 20261128
EVERY = 3  # of the views of a drawing one in so many
CAPTIONS = 12  # of a row of emoji, by the languages' shares
MOST_NEAR = 8  # emoji that one may be mistaken for
LEAST_COMMON = 2  # keywords that it has in common with them
LONGEST = 40  # characters of a text


def write(folder: Path, seen: Drawings, seen_cliparts: torch.Tensor, cliparts: list[Clipart],
          names: dict[str, dict[str, cldr.Annotation]], shares: dict[str, float]) -> None:
    """drawn.safetensors and drawn.tsv (row, caption, negative); short_classes.tsv and short_names.tsv of what lessons.py wrote."""
    for table in ("classes.tsv", "names.tsv"):
        lines = (folder / table).read_text().splitlines()
        (folder / f"short_{table}").write_text("".join(line + "\n" for line in lines if _is_short(line.split("\t"))))
    kept = torch.arange(len(seen.labels)) % VIEWS % EVERY == 0
    save_file({"features": torch.cat([seen.features[kept], seen_cliparts]).contiguous()}, folder / "drawn.safetensors")
    near = _near(seen.emoji, names["en"])
    chance = random.Random(SEED)
    rows = [("row", "caption", "negative")]
    for row, label in enumerate(seen.labels[kept].tolist()):
        emoji = seen.emoji[label]
        spoken = [language for language in names if emoji in names[language]]
        for language in chance.choices(spoken, [shares[language] for language in spoken], k=CAPTIONS):
            wrong = [other for other in near[emoji] if other in names[language]]
            rows.append((str(row), names[language][emoji].name, names[language][chance.choice(wrong)].name if wrong else ""))
    for row, clipart in enumerate(cliparts, start=int(kept.sum())):
        rows += [(str(row), text, "") for text in clipart.texts]
    (folder / "drawn.tsv").write_text("".join("\t".join(row) + "\n" for row in rows if _is_short(row)))


def _is_short(texts: Sequence[str]) -> bool:
    return all(len(text) <= LONGEST for text in texts)


def _near(emoji: list[str], english: dict[str, cldr.Annotation]) -> dict[str, list[str]]:
    """emoji -> those with which it has most keywords in common."""
    keywords = {one: set(english[one].keywords) for one in emoji}
    near = {}
    for one in emoji:
        common = {other: len(keywords[one] & keywords[other]) for other in emoji if other != one}
        best = sorted(common, key=lambda other: -common[other])[:MOST_NEAR]
        near[one] = [other for other in best if common[other] >= LEAST_COMMON]
    return near
