"""Measures moa-mini on a folder of photographs named <WordNet id>_<class name>.JPEG, none of which it learnt from.

    python evaluate.py DIRECTORY --photos FOLDER [--work FOLDER]

 - top-1: each photo against the names of all classes in the folder, the name alone being the text;
 - P@5: for each query of queries.tsv, right photos among the first five (of as many as exist, if fewer than five);
   queries for which the folder has no right photo are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import sources
from reference import MoaMini
from wordnet import Nouns

HERE = Path(__file__).parent


def zero_shot_top1(model: MoaMini, images: np.ndarray, names: list[str]) -> float:
    return float(np.mean((images @ model.embed_texts(names).T).argmax(axis=1) == np.arange(len(names))))


def precision_at_5(images: np.ndarray, texts: np.ndarray, relevant: list[np.ndarray]) -> list[float]:
    """relevant: one boolean mask over the photos for each text."""
    precisions = []
    for vector, right in zip(texts, relevant):
        first = np.argsort(-(images @ vector), kind="stable")[:5]
        precisions.append(right[first].sum() / min(5, right.sum()))
    return precisions


def read_queries(nouns: Nouns, offsets: list[int]) -> list[tuple[str, str, np.ndarray]]:
    """(English, Korean, which of the photos are right), for queries with at least one right photo."""
    queries = []
    for line in (HERE / "queries.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        english, korean, senses = line.split("\t")
        classes = set().union(*(nouns.sense(sense).classes for sense in senses.split(",")))
        wanted = {nouns.class_offsets[index] for index in classes}
        right = np.array([offset in wanted for offset in offsets])
        if right.any():
            queries.append((english, korean, right))
    return queries


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--photos", type=Path, required=True)
    arguments.add_argument("--work", type=Path, default=HERE / "work")
    arguments.add_argument("--each", action="store_true", help="print every query")
    options = arguments.parse_args()

    model, nouns = MoaMini(options.directory), Nouns(sources.fetch(options.work))
    paths = sorted(path for path in options.photos.iterdir() if path.name.startswith("n"))
    offsets = [int(path.name[1:9]) for path in paths]
    names = [path.stem.partition("_")[2].replace("_", " ") for path in paths]
    images = model.embed_images([Image.open(path) for path in paths])
    queries = read_queries(nouns, offsets)
    print(f"{len(paths)} photos, {len(queries)} queries")
    print(f"top-1 of {len(names)} class names: {zero_shot_top1(model, images, names):.3f}")
    relevant = [right for _, _, right in queries]
    results = [precision_at_5(images, model.embed_texts([query[column] for query in queries]), relevant)
               for column in (0, 1)]
    print(f"P@5 English {np.mean(results[0]):.3f}, Korean {np.mean(results[1]):.3f}")
    if options.each:
        for (english, korean, right), english_p, korean_p in zip(queries, *results):
            print(f"  {english_p:.2f} {korean_p:.2f}  {english} / {korean} ({right.sum()} photos)")


if __name__ == "__main__":
    main()
