"""What `moa train` is given: the captions of ideal pictures, and words with their translations.

No picture is learned from. An ideal picture is what the picture tower's trunk would have to give for its classifier to be
sure of one class; its captions are the texts that stand for the class. A text that stands for n classes is a caption
of each with the n-th part of its weight, to the power of 1/2: "dog" is heard less often of a retriever than
"retriever", but not as rarely as its 118 breeds would have it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import torch
from safetensors.torch import save_file

import korean
from concepts import Concept, Texts, phrase
from wordnet import Nouns

SEED = 20261128
LOGIT = 16.0  # of an ideal picture's class; the others have 0
SHARED = 0.5  # the power of a class's share
OTHERS = 0.6  # the part that languages other than English and Korean have of their weight
CAPTIONS = 240  # of a class in the table, some of them many times
LEAST_WEIGHT = 0.01
LONGEST_NAME = 40  # characters; longer texts are definitions, which nobody puts into a phrase


def write(folder: Path, texts: Texts, nouns: Nouns, vision: dict[str, torch.Tensor]) -> None:
    """classes.safetensors, classes.tsv (row, caption) and names.tsv (en, foreign)."""
    save_file({"features": ideal_features(vision)}, folder / "classes.safetensors")
    rows = [(index, caption) for index, captions in enumerate(class_captions(texts, nouns)) for caption in captions]
    _write_table(folder / "classes.tsv", ("row", "caption"), rows)
    _write_table(folder / "names.tsv", ("en", "foreign"), translations(texts, nouns))


def ideal_features(vision: dict[str, torch.Tensor]) -> torch.Tensor:
    """[classes, features]: the smallest features with the wanted logits."""
    weight, bias = vision["classifier.weight"].double(), vision["classifier.bias"].double()
    wanted = torch.eye(len(weight), dtype=torch.float64) * LOGIT
    return ((wanted - bias) @ torch.linalg.pinv(weight).T).float()


def class_captions(texts: Texts, nouns: Nouns) -> list[list[str]]:
    """Of each class, a text as often as its weight says."""
    weights: list[dict[str, float]] = [defaultdict(float) for _ in nouns.class_offsets]
    for concept in [*texts.concepts, *korean.concepts(nouns)]:
        for text in _spoken(concept):
            weight = concept.weight * (1 if concept.language in ("en", "ko") else OTHERS)
            for index, share in concept.classes.items():
                weights[index][text] = max(weights[index][text], weight * share**SHARED)
    chance = random.Random(SEED)
    captions = []
    for of_class in weights:
        heard = {text: weight for text, weight in sorted(of_class.items()) if weight >= LEAST_WEIGHT}
        captions.append(chance.choices(list(heard), list(heard.values()), k=CAPTIONS))
    return captions


def translations(texts: Texts, nouns: Nouns) -> list[tuple[str, str]]:
    """Names of emoji, and Korean names of WordNet's synsets."""
    pairs = [(english, foreign) for english, _, foreign in texts.pairs]
    named = korean.names(nouns)
    return list(dict.fromkeys(pairs + named + korean.phrases(named)))


def _spoken(concept: Concept) -> list[str]:
    """The text bare and, if it is a word that matters, in a phrase of its language."""
    if concept.weight < 1 or len(concept.text) > LONGEST_NAME:
        return [concept.text]
    if concept.language == "ko":
        return [concept.text, *korean.phrases_of(concept.text)]
    return [concept.text, phrase(concept.text, concept.language)]


def _write_table(path: Path, header: tuple[str, str], rows: list) -> None:
    path.write_text("".join(f"{first}\t{second}\n" for first, second in [header, *rows]))
