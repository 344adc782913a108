"""WordNet 3.0's nouns, and which of the 1000 ImageNet classes a noun stands for.

An ImageNet class id is "n" and a WordNet 3.0 noun offset, so a class is a synset. A word answers to a class if one of
its synsets is the class or lies above it ("dog" answers to 118 breeds); a word that only lies below or beside the
classes ("puppy") answers to those of its nearest ancestor.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Synset:
    offset: int
    lemmas: list[str]
    hypernyms: list[int]
    definition: str
    classes: set[int] = field(default_factory=set)  # at or below this synset


class Nouns:
    def __init__(self, unpacked: Path) -> None:
        folder = unpacked / "wordnet-base" / "usr" / "share" / "wordnet"
        self.synsets = dict(_read_synsets(folder / "data.noun"))
        self._senses = dict(_read_senses(folder / "index.noun"))
        listing = unpacked / "timm" / "timm" / "data" / "_info" / "imagenet_synsets.txt"
        self.class_offsets = [int(line[1:]) for line in listing.read_text().split()]
        for index, offset in enumerate(self.class_offsets):
            for ancestor in self.closure(offset):
                self.synsets[ancestor].classes.add(index)

    def closure(self, offset: int) -> set[int]:
        """The synset and everything above it."""
        found, pending = set(), [offset]
        while pending:
            current = pending.pop()
            if current not in found:
                found.add(current)
                pending += self.synsets[current].hypernyms
        return found

    def sense(self, name: str) -> Synset:
        """`mountain.1` is the first sense of "mountain", as WordNet orders them."""
        lemma, _, number = name.rpartition(".")
        return self.synsets[self._senses[lemma][int(number) - 1]]

    def words(self, most_classes: int) -> dict[str, set[int]]:
        """word -> classes. Synsets that stand for more than `most_classes` say too little to be taught."""
        words: dict[str, set[int]] = defaultdict(set)
        for synset in self.synsets.values():
            if 0 < len(synset.classes) <= most_classes:
                for lemma in synset.lemmas:
                    words[lemma] |= synset.classes
        return words

    def words_beside(self, most_classes: int, levels: int = 2) -> dict[str, set[int]]:
        """Words whose first sense has no class at or below it -> classes of the nearest ancestor within `levels`."""
        words = {}
        for lemma, senses in self._senses.items():
            level, classes = {senses[0]}, set()
            for _ in range(levels + 1):
                classes = set().union(*(self.synsets[offset].classes for offset in level))
                if classes:
                    break
                level = {above for offset in level for above in self.synsets[offset].hypernyms}
            if 0 < len(classes) <= most_classes and not self.synsets[senses[0]].classes:
                words[lemma.replace("_", " ")] = classes
        return words

    def first_sense_words(self, most_classes: int) -> dict[str, set[int]]:
        """word -> classes of the first of its senses that has any: what people usually mean by the word."""
        words = {}
        for lemma, senses in self._senses.items():
            classes = next((self.synsets[sense].classes for sense in senses if self.synsets[sense].classes), set())
            if 0 < len(classes) <= most_classes:
                words[lemma.replace("_", " ")] = classes
        return words

    def definitions(self, most_classes: int) -> dict[str, set[int]]:
        """Definition -> classes, for the classes and everything above them."""
        return {synset.definition: synset.classes for synset in self.synsets.values()
                if 0 < len(synset.classes) <= most_classes}


def _read_synsets(path: Path):
    for line in path.read_text().splitlines():
        if line.startswith("  "):  # the licence
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        offset, count = int(fields[0]), int(fields[3], 16)
        lemmas = [fields[4 + 2 * i].replace("_", " ") for i in range(count)]
        pointers = fields[4 + 2 * count:]
        hypernyms = [int(pointers[i + 1]) for i in range(1, len(pointers) - 3, 4) if pointers[i] in ("@", "@i")]
        yield offset, Synset(offset, lemmas, hypernyms, gloss.split(";")[0].split('"')[0].strip())


def _read_senses(path: Path):
    for line in path.read_text().splitlines():
        if not line.startswith("  "):
            fields = line.split()
            yield fields[0], [int(offset) for offset in fields[-int(fields[2]):]]
