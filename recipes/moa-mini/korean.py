"""Korean names of what the ImageNet classes are, and of what lies above them: korean.tsv, written for this recipe."""

from __future__ import annotations

from pathlib import Path

from concepts import Concept, uniform
from wordnet import Nouns

TABLE = Path(__file__).parent / "korean.tsv"
WEIGHT = 2


def concepts(nouns: Nouns) -> list[Concept]:
    """A name of several synsets stands for the classes of all."""
    classes: dict[str, set[int]] = {}
    for synset, _, korean in _rows(nouns):
        for name in korean:
            classes.setdefault(name, set()).update(synset.classes)
    return [Concept(name, "ko", uniform(of_name), WEIGHT) for name, of_name in classes.items()]


def names(nouns: Nouns) -> list[tuple[str, str]]:
    """(English, Korean). A word that names several classes or groups of them is told apart by what lies above it."""
    pairs = []
    for synset, english, korean in _rows(nouns):
        if sum(english in other.lemmas and bool(other.classes) for other in nouns.synsets.values()) > 1:
            english += ", " + nouns.synsets[synset.hypernyms[0]].lemmas[0]
        pairs += [(english, name) for name in korean]
    return pairs


def phrases(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs' names as people ask for pictures of them."""
    found = []
    for english, korean in pairs:
        bare, with_particle = phrases_of(korean)
        found += [(f"a photo of a {english}", bare), (f"a picture with a {english} in it", with_particle)]
    return found


def phrases_of(name: str) -> tuple[str, str]:
    return f"{name} 사진", f"{with_particle(name, '이', '가')} 있는 사진"


def with_particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """Hangul syllables are numbered from U+AC00, 28 finals to a vowel, none being the first of them."""
    last = ord(word[-1]) - 0xAC00
    ends_in_consonant = 0 <= last < 11172 and last % 28 > 0
    return word + (after_consonant if ends_in_consonant else after_vowel)


def _rows(nouns: Nouns):
    """(synset, English, Korean names) of each line."""
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            offset, english, korean = line.split("\t")
            yield nouns.synsets[int(offset[1:])], english, korean.split(", ")
