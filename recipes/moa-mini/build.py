"""Builds models/moa-mini: fetch the packages, cut the tokenizer, write the lessons, let moa learn classes and words, add the
classes for drawings, let moa tune the text tower and all classes together, keep what it learned.

    python build.py [--work FOLDER] [--output FOLDER] [--moa COMMAND]

Most of the time goes into the drawings' views and the text tower's reading of every text, once (both are kept in the work folder). The same inputs
and package versions give the same tokenizer and tower weights bit for bit; the learned part up to rounding.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import cldr
import cliparts
import concepts
import drawn_classes
import e5
import lessons
import lite0
import picture_lessons
import sources
import tokenizer
from evaluate import Moa
from wordnet import Nouns

HERE = Path(__file__).parent
PROMPT = "query: "
TEMPERATURE = 0.5  # of the class probabilities: sharper than the classifier's own
LOG_SCALE = 2.7  # what cosines are multiplied with while it learns
HIDDEN = 768  # of the MLP
SEED = 20261128
PHOTOS = HERE.parent.parent / "demo"  # what is no drawing
# How much an emoji's name in a language counts for its class's vector, and how often it is heard.
NAMES_SHARES = {"en": 1.0, "ko": 0.6} | dict.fromkeys(("ja", "zh", "de", "es", "fr", "it", "pt"), 0.2)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=HERE / "work")
    arguments.add_argument("--output", type=Path, default=HERE.parent.parent / "models" / "moa-mini")
    arguments.add_argument("--moa", type=Path, default=HERE.parent.parent / "build" / "release" / "moa")
    options = arguments.parse_args()
    unpacked = sources.fetch(options.work)
    nouns, vision = Nouns(unpacked), lite0.load(unpacked)
    lessons.write(options.work, concepts.gather(unpacked), nouns, vision)
    write_start(options.work / "start", unpacked, nouns, vision)
    train("learn.yaml", options.work, options.moa)
    keep(options.work / "learned" / "model", options.work / "drawn")
    seen, names = drawn_classes.see(unpacked, options.work, vision), cldr.read(unpacked)
    add_drawn_classes(options.work / "drawn", seen, vision, Moa(options.moa, options.work / "drawn", options.work), names)
    drawings = cliparts.read(unpacked)
    picture_lessons.write(options.work, seen, cliparts.see(drawings, options.work, vision), drawings, names, NAMES_SHARES)
    train("tune.yaml", options.work, options.moa)
    keep(options.work / "tuned" / "model", options.output)


def train(settings: str, work: Path, moa: Path) -> None:
    shutil.copy(HERE / settings, work)
    subprocess.run([moa.resolve(), "train", settings], cwd=work, check=True)


def write_start(folder: Path, unpacked: Path, nouns: Nouns, vision: dict[str, torch.Tensor]) -> None:
    """The model before it learns: a class's vector is the mean of its own texts, and the MLP changes nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    source = e5.read(unpacked)
    rows = tokenizer.kept_rows(source.pieces)
    source.matrices[e5.EMBEDDING_TABLE] = source.matrices[e5.EMBEDDING_TABLE].rows(rows)
    tokenizer.write([source.pieces[row] for row in rows], source.scores[rows],
                    source.config["max_position_embeddings"], folder)
    _write_weights(source, vision, _joint(source, nouns, folder), folder / "model.safetensors")
    _write_json(_config(source, len(rows)), folder / "config.json")
    _write_json(lite0.PREPROCESSOR, folder / "preprocessor_config.json")


def keep(learned: Path, output: Path) -> None:
    """The model, without what speaks of the folder that it was learned in."""
    output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json",
                 "tokenizer_config.json"):
        shutil.copy(learned / name, output)


def add_drawn_classes(folder: Path, seen: drawn_classes.Drawings, vision: dict[str, torch.Tensor], model: Moa,
                      names: dict[str, dict[str, cldr.Annotation]]) -> None:
    """To the model in `folder`, whose texts are done learning."""
    tensors = load_file(folder / "model.safetensors")
    photos = (Image.open(path) for path in sorted(PHOTOS.glob("*.jpg")))
    weight, bias = drawn_classes.rows(seen, drawn_classes.features(photos, vision), TEMPERATURE)
    columns = drawn_classes.columns([(share, _names(model, names[language], seen.emoji))
                                     for language, share in NAMES_SHARES.items()])
    known = tensors["class_projection.weight"].float()
    columns *= known.norm(dim=0).mean() / columns.norm(dim=1).mean()
    for name, more in (("vision_model.classifier.weight", weight), ("vision_model.classifier.bias", bias)):
        tensors[name] = torch.cat([tensors[name].float(), more]).half()
    tensors["class_projection.weight"] = torch.cat([known, columns.T], dim=1).half().contiguous()
    save_file(tensors, folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["num_classes"] = len(tensors["vision_model.classifier.bias"])
    _write_json(config, folder / "config.json")


def _names(model: Moa, of_emoji: dict[str, cldr.Annotation], emoji: list[str]) -> torch.Tensor:
    """[emoji, dim], zeros for an emoji without a name."""
    named = [one for one in emoji if one in of_emoji]
    vectors = dict(zip(named, torch.from_numpy(model.embed_texts([of_emoji[one].name for one in named]))))
    nothing = torch.zeros_like(vectors[named[0]])
    return torch.stack([vectors.get(one, nothing) for one in emoji])


def _joint(source: e5.Source, nouns: Nouns, folder: Path) -> dict[str, torch.Tensor]:
    own = [[*synset.lemmas, synset.definition] for synset in map(nouns.synsets.get, nouns.class_offsets)]
    weights = {name: torch.from_numpy(matrix.expand()) for name, matrix in source.matrices.items()}
    weights |= {name: torch.from_numpy(_f16(vector)).float() for name, vector in source.vectors.items()}
    cut = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pooled = e5.pooled([PROMPT + text for texts in own for text in texts], cut, weights, source.config)
    offset = -pooled.mean(dim=0)
    unit = F.normalize(pooled + offset, dim=-1).split([len(texts) for texts in own])
    classes = F.normalize(torch.stack([vectors.mean(dim=0) for vectors in unit]), dim=-1)
    torch.manual_seed(SEED)
    width = len(offset)
    return {
        "text_projection.offset": offset,
        "text_projection.fc1.weight": torch.randn(HIDDEN, width) * width ** -0.5,
        "text_projection.fc1.bias": torch.zeros(HIDDEN),
        "text_projection.fc2.weight": torch.zeros(width, HIDDEN),
        "text_projection.fc2.bias": torch.zeros(width),
        "class_projection.weight": classes.T,  # [dim, classes]: probabilities in, their weighted sum out
        "logit_scale": torch.tensor(LOG_SCALE),
    }


def _write_weights(source: e5.Source, vision: dict[str, torch.Tensor], joint: dict[str, torch.Tensor],
                   path: Path) -> None:
    tensors = {}
    for name, matrix in source.matrices.items():
        tensors[f"text_model.{name}.q4"] = torch.from_numpy(matrix.nibbles)
        tensors[f"text_model.{name}.scale"] = torch.from_numpy(matrix.scales)
    for name, vector in source.vectors.items():
        tensors[f"text_model.{name}"] = torch.from_numpy(_f16(vector))
    for name, tensor in vision.items():
        tensors[f"vision_model.{name}"] = tensor.half()
    for name, tensor in joint.items():
        tensors[name] = tensor.half()
    save_file({name: tensor.contiguous() for name, tensor in sorted(tensors.items())}, path)


def _config(source: e5.Source, vocabulary: int) -> dict:
    return {
        "model_type": "moa_mini",
        "projection_dim": source.config["hidden_size"],
        "text_config": source.config | {"vocab_size": vocabulary,
                                        "projection_hidden_size": HIDDEN},
        "vision_config": lite0.config() | {"temperature": TEMPERATURE},
        # Room for a linear path from the picture tower's features [dim, head_channels], added to the classes' sum.
        "feature_projection": False,
        "prompts": {"query": PROMPT},
        "default_prompt_name": "query",
        "zero_shot_templates": ["{}"],
    }


def _f16(vector: np.ndarray) -> np.ndarray:
    return vector.astype(np.float16)


def _write_json(value: dict, path: Path) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
