"""Classes that ImageNet does not know: each emoji, as Noto and Twemoji draw it, becomes one more class of the picture tower.

Its classifier's rows are found in closed form from what the trunk, which stays as published, gives for the drawings in many
hands (restyle.py): a ridge regression of the classes, and one direction that tells drawings from photographs, which is
added to every row. So the drawn classes together come to nothing for a photograph, and a photograph's vector stays what it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import drawings
import lite0
import restyle
from reference import preprocess

VIEWS = 12  # of each drawing
SEED = 20261128
RIDGE = 1e4  # on standardised features
LEAST_DEVIATION = 0.05  # of a feature, so that rare ones are not blown up
SHARPNESS = 60.0  # what a class's regression is multiplied with to be a logarithm of odds
GATE_SHARPNESS = 25.0  # the same of being a drawing, from -1 to 1
NAMES_RIDGE = 0.1
BATCH = 2  # with the channels last, the fastest in torch


@dataclass
class Drawings:
    """What the trunk gives: rows of `features` show the emoji numbered `labels`."""

    emoji: list[str]
    features: torch.Tensor
    labels: torch.Tensor


def see(unpacked: Path, work: Path, vision: dict[str, torch.Tensor]) -> Drawings:
    """Every view of every drawing; kept in the work folder."""
    emoji, pictures, labels = [], [], []
    by_noto = drawings.noto(unpacked)
    by_twemoji = drawings.twemoji(unpacked, work, list(by_noto))
    for number, (one, drawing) in enumerate(by_noto.items()):
        emoji.append(one)
        for picture in [drawing, *filter(None, [by_twemoji.get(one)])]:
            pictures.append(picture)
            labels += [number] * VIEWS
    kept = work / "drawings.npy"
    if not kept.exists():
        with ProcessPoolExecutor(initializer=_start, initargs=(vision,)) as pool:
            np.save(kept, np.concatenate(list(pool.map(_see_views, pictures, range(len(pictures)), chunksize=4))))
    return Drawings(emoji, torch.from_numpy(np.load(kept)), torch.tensor(labels))


def features(pictures: Iterable[Image.Image], vision: dict[str, torch.Tensor]) -> torch.Tensor:
    """[pictures, 1280]"""
    left, rows = iter(pictures), []
    with torch.inference_mode():
        while batch := list(islice(left, BATCH)):
            pixels = np.stack([preprocess(picture, lite0.PREPROCESSOR) for picture in batch])
            rows.append(lite0.forward(vision, lite0.config(), _channels_last(torch.from_numpy(pixels)))[0])
    return torch.cat(rows)


def rows(seen: Drawings, photos: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """weight [emoji, 1280] and bias [emoji] of the classifier, whose logits the model then divides by `temperature`."""
    weight, bias = _regression(seen)
    gate, gate_bias = _nearer_mean(seen.features.mean(dim=0), photos.mean(dim=0))
    weight = SHARPNESS * weight + GATE_SHARPNESS * gate
    bias = SHARPNESS * bias + GATE_SHARPNESS * gate_bias
    return temperature * weight, temperature * bias


def columns(names: list[tuple[float, torch.Tensor]]) -> torch.Tensor:
    """[emoji, dim]: vectors whose products with the emoji's names are 1 for their own and 0 for the others', by least squares.

    Were a class's vector its name's, a drawing between two classes would be nearest to what merely sounds like them: of
    OpenMoji's drawings, 29 % instead of half would have their name among the first five.

    `names`: of each language its weight, and the unit vectors of the emoji's names; a row of zeros where it has none.
    """
    means = F.normalize(sum(weight * vectors for weight, vectors in names), dim=-1)
    return means @ torch.linalg.inv(means.T @ means + NAMES_RIDGE * torch.eye(means.shape[1]))


def _regression(seen: Drawings) -> tuple[torch.Tensor, torch.Tensor]:
    """Ridge regression of the classes (1 and 0) on the features."""
    mean, deviation = seen.features.mean(dim=0), seen.features.std(dim=0) + LEAST_DEVIATION
    x, y = (seen.features - mean) / deviation, F.one_hot(seen.labels).float()
    weight = torch.linalg.solve(x.T @ x + RIDGE * torch.eye(x.shape[1]), x.T @ y).T / deviation
    return weight, y.mean(dim=0) - weight @ mean


def _nearer_mean(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """weight and bias of what is 1 at the first mean and -1 at the second."""
    apart = first - second
    weight = 2 * apart / apart.square().sum()
    return weight, -weight @ (first + second) / 2


def _start(vision: dict[str, torch.Tensor]) -> None:
    """Of a process that makes views and looks at them."""
    global _vision
    torch.set_num_threads(1)
    _vision = {name: _channels_last(tensor) if tensor.dim() == 4 else tensor for name, tensor in vision.items()}


def _see_views(drawing: Image.Image, number: int) -> np.ndarray:
    chance = random.Random(SEED + number)
    return features((restyle.view(drawing, view, chance) for view in range(VIEWS)), _vision).numpy()


def _channels_last(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)
