"""Pairs of texts from Debian's openclipart-svg: a drawing's title, and its keywords.

    python clipart.py FOLDER OUT       FOLDER: openclipart-svg, unpacked by dpkg-deb -x

Writes OUT/train.tsv, validation.tsv and test.tsv, columns title and keywords. The split is by concept: the folders that
drawings lie in ("animals/bugs") are dealt out, and no title or set of keywords that is learned from, but for case and
order, is asked for. In validation and test every title and every set of keywords stands once.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from openclipart import titles_and_keywords  # noqa: E402

SHARES = {"test": 200, "validation": 150}  # pairs that each has at least; what is left is learned from
NO_KEYWORDS = {"", "hash", "clip art", "clipart"}  # left by the tools that kept the collection
LEAST_KEYWORDS = 2

Pair = tuple[str, str]


def pair_of(drawing: Path) -> Pair | None:
    """Title and keywords of its RDF; None if it says too little."""
    titles, said = titles_and_keywords(drawing)
    title = " ".join(titles[0].split()) if titles else ""
    words = [" ".join(word.split()) for word in said]
    keywords = list(dict.fromkeys(word for word in words if word.lower() not in NO_KEYWORDS))
    return (title, ", ".join(keywords)) if title and len(keywords) >= LEAST_KEYWORDS else None


def names(pair: Pair) -> set[str]:
    """What two pairs must not have in common to be of different concepts."""
    return {"title " + pair[0].lower(), "keywords " + ", ".join(sorted(pair[1].lower().split(", ")))}


def by_folder(root: Path) -> dict[str, list[Pair]]:
    folders: dict[str, list[Pair]] = {}
    for drawing in sorted(root.rglob("*.svg")):
        if pair := pair_of(drawing):
            folders.setdefault(str(drawing.parent.relative_to(root)), []).append(pair)
    return folders


def split(folders: dict[str, list[Pair]]) -> dict[str, list[Pair]]:
    order = sorted(folders)
    random.Random(0).shuffle(order)
    parts: dict[str, list[Pair]] = {}
    seen: set[str] = set()
    for part, least in SHARES.items():
        parts[part] = []
        while len(parts[part]) < least:
            for pair in folders[order.pop()]:
                if seen.isdisjoint(names(pair)):
                    parts[part].append(pair)
                    seen |= names(pair)
    parts["train"] = sorted({pair for folder in order for pair in folders[folder] if seen.isdisjoint(names(pair))})
    return parts


def main(package: str, out: str) -> None:
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    for part, pairs in split(by_folder(Path(package) / "usr/share/openclipart/svg")).items():
        lines = ["title\tkeywords", *("\t".join(text.replace("\t", " ") for text in pair) for pair in pairs)]
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{part}: {len(pairs)} pairs")


if __name__ == "__main__":
    main(*sys.argv[1:])
