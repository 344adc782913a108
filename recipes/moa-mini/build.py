"""Builds models/moa-mini: fetch the packages, cut the tokenizer, learn the joint, write the directory.

    python build.py [--work FOLDER] [--output FOLDER]

About 10 minutes on two idle cores, most of it the text tower reading the 65,000 texts once (kept in the work folder).
The same inputs and package versions give the same tokenizer and tower weights bit for bit; the learned part up to the
rounding of torch's matrix products.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

import concepts
import e5
import learn
import lite0
import sources
import tokenizer

HERE = Path(__file__).parent
PROMPT = "query: "
TEMPERATURE = 0.5  # of the class probabilities: sharper than the classifier's own


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--work", type=Path, default=HERE / "work")
    arguments.add_argument("--output", type=Path, default=HERE.parent.parent / "models" / "moa-mini")
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    options.output.mkdir(parents=True, exist_ok=True)

    unpacked = sources.fetch(options.work)
    source = e5.read(unpacked)
    rows = tokenizer.kept_rows(source.pieces)
    source.matrices[e5.EMBEDDING_TABLE] = source.matrices[e5.EMBEDDING_TABLE].rows(rows)
    tokenizer.write([source.pieces[row] for row in rows], source.scores[rows],
                    source.config["max_position_embeddings"], options.output)

    texts = concepts.gather(unpacked)
    vectors = _text_vectors(texts, source, options.output, options.work)
    learned = learn.learn(texts, vectors)
    _write_weights(source, lite0.load(unpacked), learned, options.output / "model.safetensors")
    _write_json(_config(source, len(rows), learned), options.output / "config.json")
    _write_json(lite0.PREPROCESSOR, options.output / "preprocessor_config.json")


def _text_vectors(texts: concepts.Texts, source: e5.Source, output: Path, work: Path) -> dict[str, np.ndarray]:
    """text -> pooled vector; computed once for a list of texts and kept in the work folder."""
    found, pairs = learn.variants(texts)
    wanted = sorted({text for _, text in found} | {text for pair in pairs for text in pair})
    digest = hashlib.sha256("\n".join([PROMPT, *wanted]).encode()).hexdigest()[:16]
    cache = work / f"text_vectors_{digest}.npy"
    if not cache.exists():
        weights = {name: torch.from_numpy(matrix.expand()) for name, matrix in source.matrices.items()}
        weights |= {name: torch.from_numpy(_f16(vector)).float() for name, vector in source.vectors.items()}
        cut = Tokenizer.from_file(str(output / "tokenizer.json"))
        np.save(cache, learn.embed_texts(wanted, PROMPT, cut, weights, source.config))
    return dict(zip(wanted, np.load(cache)))


def _write_weights(source: e5.Source, vision: dict[str, torch.Tensor], learned: dict[str, torch.Tensor],
                   path: Path) -> None:
    tensors = {}
    for name, matrix in source.matrices.items():
        tensors[f"text_model.{name}.q4"] = torch.from_numpy(matrix.nibbles)
        tensors[f"text_model.{name}.scale"] = torch.from_numpy(matrix.scales)
    for name, vector in source.vectors.items():
        tensors[f"text_model.{name}"] = torch.from_numpy(_f16(vector))
    for name, tensor in vision.items():
        tensors[f"vision_model.{name}"] = tensor.half()
    for name, tensor in learned.items():
        tensors[name] = tensor.half()
    save_file({name: tensor.contiguous() for name, tensor in sorted(tensors.items())}, path)


def _config(source: e5.Source, vocabulary: int, learned: dict[str, torch.Tensor]) -> dict:
    return {
        "model_type": "moa_mini",
        "projection_dim": learned["class_projection.weight"].shape[0],
        "text_config": source.config | {"vocab_size": vocabulary,
                                        "projection_hidden_size": learned["text_projection.fc1.weight"].shape[0]},
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
