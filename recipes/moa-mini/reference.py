"""moa-mini in plain torch, from its directory alone: what src/models/moa_mini.cpp must give.

    python reference.py DIRECTORY --text "a dog" --image dog.jpg
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file
from tokenizers import Tokenizer

import e5
import lite0


class MoaMini:
    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text())
        self.processor = json.loads((folder / "preprocessor_config.json").read_text())
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.prompt = self.config["prompts"][self.config["default_prompt_name"]]
        tensors = _expand(load_file(folder / "model.safetensors"))
        self.text_model = _part(tensors, "text_model.")
        self.vision_model = _part(tensors, "vision_model.")
        self.heads = {name: tensor for name, tensor in tensors.items() if "_model." not in name}

    def tokenize(self, text: str) -> list[int]:
        return self.tokenizer.encode(self.prompt + text).ids

    def preprocess(self, picture: Image.Image) -> np.ndarray:
        return preprocess(picture, self.processor)

    @torch.inference_mode()
    def forward_text(self, ids: list[int], trace: dict | None = None) -> np.ndarray:
        """[384], not normalised."""
        mask = torch.ones(1, len(ids))
        hidden = e5.forward(self.text_model, self.config["text_config"], torch.tensor([ids]), mask, trace)
        return self.project(e5.mean_pool(hidden, mask))[0].numpy()

    def project(self, pooled: torch.Tensor) -> torch.Tensor:
        """centre, normalise, residual MLP."""
        x = F.normalize(pooled + self.heads["text_projection.offset"], dim=-1, eps=1e-12)
        inner = F.gelu(F.linear(x, self.heads["text_projection.fc1.weight"], self.heads["text_projection.fc1.bias"]))
        return x + F.linear(inner, self.heads["text_projection.fc2.weight"], self.heads["text_projection.fc2.bias"])

    @torch.inference_mode()
    def forward_image(self, pixels: np.ndarray, trace: dict | None = None) -> np.ndarray:
        """pixels [batch, 3, 224, 224] -> [batch, 384], not normalised."""
        features, logits = lite0.forward(self.vision_model, self.config["vision_config"], torch.from_numpy(pixels), trace)
        if trace is not None:
            trace["logits"] = logits
        probabilities = torch.softmax(logits / self.config["vision_config"]["temperature"], dim=-1)
        vectors = F.linear(probabilities, self.heads["class_projection.weight"])
        if self.config["feature_projection"]:
            vectors = vectors + F.linear(features, self.heads["feature_projection.weight"])
        return vectors.numpy()

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return unit(np.stack([self.forward_text(self.tokenize(text)) for text in texts]))

    def embed_images(self, pictures: list[Image.Image], batch: int = 32) -> np.ndarray:
        rows = [self.forward_image(np.stack([self.preprocess(picture) for picture in pictures[start:start + batch]]))
                for start in range(0, len(pictures), batch)]
        return unit(np.concatenate(rows))


def preprocess(picture: Image.Image, processor: dict) -> np.ndarray:
    """[3, 224, 224]; the steps and their rounding are those of transformers' PIL processors."""
    picture = picture.convert("RGB")
    shortest, crop = processor["size"]["shortest_edge"], processor["crop_size"]["height"]
    width_px, height_px = picture.size
    short, long = sorted(picture.size)
    resized = (shortest, int(shortest * long / short))
    picture = picture.resize(resized if width_px <= height_px else resized[::-1], processor["resample"])
    width_px, height_px = picture.size
    left, top = (width_px - crop) // 2, (height_px - crop) // 2
    pixels = np.asarray(picture.crop((left, top, left + crop, top + crop)))
    scaled = (pixels.astype(np.float64) * processor["rescale_factor"]).astype(np.float32)
    mean, std = (np.array(processor[key], dtype=np.float32) for key in ("image_mean", "image_std"))
    return ((scaled - mean) / std).transpose(2, 0, 1)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _expand(stored: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Everything in f32; NAME.q4 and NAME.scale become NAME."""
    tensors = {}
    for name, tensor in stored.items():
        if name.endswith(".q4"):
            name = name.removesuffix(".q4")
            tensors[name] = torch.from_numpy(e5.Q4Matrix(tensor.numpy(), stored[name + ".scale"].numpy()).expand())
        elif not (name.endswith(".scale") and name.removesuffix(".scale") + ".q4" in stored):
            tensors[name] = tensor.float()
    return tensors


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--text", action="append", default=[])
    arguments.add_argument("--image", action="append", default=[])
    options = arguments.parse_args()
    model = MoaMini(options.directory)
    for text in options.text:
        print(json.dumps({"input": text, "embedding": model.embed_texts([text])[0].tolist()}, ensure_ascii=False))
    for path in options.image:
        print(json.dumps({"input": path, "embedding": model.embed_images([Image.open(path)])[0].tolist()}))


if __name__ == "__main__":
    main()
