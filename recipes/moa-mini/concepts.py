"""The texts that moa-mini learns from, each with the ImageNet classes that it stands for."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cldr
from wordnet import Nouns

MOST_CLASSES = 550  # "animal" stands for 398 classes, "artifact" for 522, "whole" for 949
MOST_LENT_CLASSES = 150  # an emoji's name that stands for more says too little
MOST_CLASSES_BESIDE = 40

LANGUAGE_WEIGHTS = {"ko": 2}  # WordNet teaches English; Korean is moa's other first language

# How people put a word into a query; of Korean ones, korean.py.
TEMPLATES = {
    "en": ("a photo of a {}", "a picture with a {} in it"),
    "ja": ("{}の写真",),
    "zh": ("一张{}的照片",),
    "de": ("ein Foto von {}",),
    "es": ("una foto de {}",),
    "fr": ("une photo de {}",),
}


@dataclass
class Concept:
    """A text in one language and a probability for each class that it stands for."""

    text: str
    language: str
    classes: dict[int, float]
    weight: float = 1.0


@dataclass
class Texts:
    concepts: list[Concept]
    pairs: list[tuple[str, str, str]]  # English name, language, the same emoji's name in it


def gather(unpacked: Path) -> Texts:
    nouns, annotations = Nouns(unpacked), cldr.read(unpacked)
    above, beside = nouns.words(MOST_CLASSES), nouns.words_beside(MOST_CLASSES_BESIDE)
    concepts = [Concept(word, "en", uniform(classes), weight=4) for word, classes in above.items()]
    concepts += [Concept(text, "en", uniform(classes)) for text, classes in nouns.definitions(MOST_CLASSES).items()]
    concepts += [Concept(word, "en", uniform(classes), weight=0.08) for word, classes in beside.items()]
    lent = _lent_classes(annotations["en"], beside | nouns.first_sense_words(MOST_LENT_CLASSES))
    meanings = beside | nouns.first_sense_words(MOST_CLASSES)
    for language in cldr.LANGUAGES:
        translations = {} if language == "en" else cldr.translate(annotations["en"], annotations[language], meanings)
        meant = {word: meanings[english] for word, english in translations.items()}
        concepts += _lend(annotations[language], language, lent, meant)
    pairs = [(annotations["en"][emoji].name, language, annotation.name)
             for language in cldr.LANGUAGES if language != "en"
             for emoji, annotation in annotations[language].items() if emoji in annotations["en"]]
    return Texts(concepts, pairs)


def phrase(text: str, language: str) -> str:
    """The text in one of its language's templates, always the same one."""
    templates = TEMPLATES.get(language, ("{}",))
    return templates[zlib.crc32(text.encode()) % len(templates)].format(text)


def _lent_classes(english: dict[str, cldr.Annotation], words: dict[str, set[int]]) -> dict[str, set[int]]:
    """emoji -> classes, for each emoji whose English name is a word with classes ("dog face" counts as "dog")."""
    lent = {}
    for emoji, annotation in english.items():
        name = annotation.name.removesuffix(" face")
        tail = name.split()[-1] if len(name.split()) == 2 else name
        classes = words.get(name) or words.get(tail)
        if classes:
            lent[emoji] = classes
    return lent


def _lend(annotations: dict[str, cldr.Annotation], language: str, lent: dict[str, set[int]],
          meant: dict[str, set[int]]) -> list[Concept]:
    """An emoji's name stands for its classes; a keyword for what it translates to, else for the mean of all the emoji
    that carry it ("pet")."""
    carriers: dict[str, list[set[int]]] = defaultdict(list)
    clear = dict(meant)
    for emoji, annotation in annotations.items():
        if emoji in lent:
            clear[annotation.name] = lent[emoji]
            for keyword in annotation.keywords:
                carriers[keyword].append(lent[emoji])
    weight = LANGUAGE_WEIGHTS.get(language, 1)
    concepts = [Concept(word, language, uniform(classes), 2 * weight) for word, classes in clear.items()]
    for keyword, class_sets in carriers.items():
        if keyword not in clear:
            shares: dict[int, float] = defaultdict(float)
            for classes in class_sets:
                for index, share in uniform(classes).items():
                    shares[index] += share / len(class_sets)
            concepts.append(Concept(keyword, language, dict(shares), weight))
    return concepts


def uniform(classes: set[int]) -> dict[int, float]:
    return {index: 1 / len(classes) for index in sorted(classes)}
