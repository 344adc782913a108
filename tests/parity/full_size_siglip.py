"""moa against transformers on full-size random SigLIPs, from files and texts to vectors.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3, sentencepiece 0.2.0.
Usage: python tests/parity/full_size_siglip.py MOA WORK_FOLDER NAME PICTURE...        (NAME: a key of MODELS)

Writes WORK_FOLDER/NAME once (random weights, up to 3.5 GB), embeds the pictures and a list of texts with both, and prints the largest difference of a
component of the unit vectors.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model, SiglipConfig, SiglipImageProcessorPil, SiglipModel

from siglip_tokenizers import gemma, unigram

TEXTS = ["a photo of a dog.", "A man riding a wave on top of a surfboard.", "", "x", "naïve café — 강아지", "The quick brown fox jumps over the lazy dog. " * 30]
SO400M = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16)
MODELS = {
    "siglip-base-patch16-224": (SiglipModel, SiglipConfig(), SiglipImageProcessorPil()),
    "siglip-so400m-patch14-384": (SiglipModel, SiglipConfig(text_config=SO400M, vision_config=dict(SO400M, image_size=384, patch_size=14)),
                                  SiglipImageProcessorPil(size={"height": 384, "width": 384})),
    "siglip2-base-patch16-naflex": (Siglip2Model, Siglip2Config(text_config=dict(vocab_size=256000)), Siglip2ImageProcessorPil()),
}


def tokenizer(folder, name):
    return gemma(folder, 64, "Siglip2Tokenizer")[1] if name.startswith("siglip2") else unigram(folder, 64)[1]


def make(folder, name):
    torch.manual_seed(7)
    kind, config, processor = MODELS[name]
    folder.mkdir(parents=True)
    tokenizer(folder, name)
    processor.save_pretrained(folder)
    model = kind(config).eval()
    with torch.no_grad():  # an initialisation's weights are so small that every input would get nearly the same vector
        for key, p in model.named_parameters():
            if p.ndim == 2 and p.shape[0] > 1:
                p.normal_(std=0.3 if "embedding.weight" in key and "patch" not in key else p.shape[1] ** -0.5)
        model.logit_scale.fill_(4.7)
        model.logit_bias.fill_(-12.0)
    model.save_pretrained(folder)


def reference(folder, name, pictures):
    kind, _, processor = MODELS[name]
    model, tokenize = kind.from_pretrained(folder).eval(), tokenizer(folder, name)
    vectors = []
    with torch.no_grad():
        for text in TEXTS:
            vectors.append(model.text_model(torch.tensor([tokenize(text)])).pooler_output[0])
        for path in pictures:
            inputs = processor(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), return_tensors="pt")
            vectors.append(model.vision_model(*(inputs[k] for k in ("pixel_values", "pixel_attention_mask", "spatial_shapes") if k in inputs)).pooler_output[0])
    stacked = torch.stack(vectors)
    return (stacked / stacked.norm(dim=-1, keepdim=True)).numpy()


def main():
    moa, folder, name, pictures = sys.argv[1], Path(sys.argv[2]) / sys.argv[3], sys.argv[3], sys.argv[4:]
    if not folder.exists():
        make(folder, name)
    if not pictures:
        return
    command = [moa, "embed", "--model", str(folder)] + [a for t in TEXTS for a in ("--text", t)] + pictures
    lines = [json.loads(line) for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()]
    found = np.array([line["embedding"] for line in lines], dtype=np.float32)
    expected = reference(folder, name, pictures)
    difference = np.abs(found - expected).max(axis=1)
    print(f"{name}: texts {difference[:len(TEXTS)].max():.2e}, {len(pictures)} pictures {difference[len(TEXTS):].max():.2e}")
    spread = expected @ expected.T
    print(f"  reference cosines between different inputs: {spread[~np.eye(len(spread), dtype=bool)].min():.3f} … {spread[~np.eye(len(spread), dtype=bool)].max():.3f}")


if __name__ == "__main__":
    main()
