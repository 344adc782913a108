"""Unicode CLDR's names and keywords of emoji, in the languages that moa-mini reads."""

from __future__ import annotations

import xml.etree.ElementTree as xml
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

UNFIT = {"개새끼"}  # a keyword of "dog face" that is a curse first

LANGUAGES = ("en", "ko", "ja", "zh", "de", "es", "fr", "it", "pt")


@dataclass
class Annotation:
    name: str
    keywords: list[str]


def read(unpacked: Path) -> dict[str, dict[str, Annotation]]:
    """language -> emoji -> annotation. Only pictographs: no letters, punctuation, arrows, flags or skin tones."""
    folder = unpacked / "unicode-cldr-core" / "usr" / "share" / "unicode" / "cldr" / "common" / "annotations"
    return {language: _read_language(folder / f"{language}.xml") for language in LANGUAGES}


def translate(english: dict[str, Annotation], foreign: dict[str, Annotation], into: Container[str]) -> dict[str, str]:
    """Foreign word -> the word of `into` that the same emoji carry: that of greatest Dice coefficient, from 1/2 up."""
    english_emoji, foreign_emoji = _carriers(english), _carriers(foreign)
    english_words: dict[str, set[str]] = defaultdict(set)
    for word, carriers in english_emoji.items():
        if word in into:
            for emoji in carriers:
                english_words[emoji].add(word)
    translations = {}
    for word, carriers in foreign_emoji.items():
        candidates = set().union(*(english_words[emoji] for emoji in carriers))
        scores = {candidate: 2 * len(carriers & english_emoji[candidate]) / (len(carriers) + len(english_emoji[candidate]))
                  for candidate in candidates}
        best = max(scores, key=lambda candidate: (scores[candidate], -len(candidate), candidate), default=None)
        if best is not None and scores[best] >= 0.5:
            translations[word] = best
    return translations


def _carriers(annotations: dict[str, Annotation]) -> dict[str, set[str]]:
    """word, as a name or a keyword -> the emoji that carry it."""
    carriers: dict[str, set[str]] = defaultdict(set)
    for emoji, annotation in annotations.items():
        for word in (annotation.name, *annotation.keywords):
            carriers[word].add(emoji)
    return carriers


def _read_language(path: Path) -> dict[str, Annotation]:
    names, keywords = {}, {}
    for element in xml.parse(path).getroot().iter("annotation"):
        emoji = element.get("cp")
        text = (element.text or "").strip()
        if not _pictograph(emoji) or text == "↑↑↑":  # inherited from the parent language
            continue
        if element.get("type") == "tts":
            names[emoji] = text
        else:
            keywords[emoji] = [word for word in map(str.strip, text.split("|")) if word not in UNFIT]
    return {emoji: Annotation(name, keywords.get(emoji, [])) for emoji, name in names.items()}


def _pictograph(emoji: str) -> bool:
    first = ord(emoji[0])
    pictures = 0x2600 <= first <= 0x27BF or 0x1F300 <= first <= 0x1FAFF
    return pictures and not 0x1F3FB <= first <= 0x1F3FF and len(emoji) == 1
