"""moa against transformers on full-size random CLIPs, from files and texts to vectors.

Versions: torch 2.15.0, transformers 5.23.0, open_clip_torch 3.3.0 (for its copy of CLIP's merges), Pillow 13.0.0.
Usage: python tests/parity/full_size.py MOA WORK_FOLDER PICTURE...

Writes WORK_FOLDER/clip-vit-base-patch32 and …-large-patch14 once (random weights, 0.6 and 1.7 GB), embeds the pictures and a list of texts with
both, and prints the largest difference of a component of the unit vectors.
"""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image, ImageOps
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

TEXTS = [
    "a photo of a dog.", "강아지", "풍경과 산이 있는 사진", "A man riding a wave on top of a surfboard.", "", "x", "naïve café — 日本語 🐕‍🦺",
    "The quick brown fox jumps over the lazy dog. " * 30,
]

SIZES = {
    "clip-vit-base-patch32": dict(text_config=dict(), vision_config=dict(), projection_dim=512),
    "clip-vit-large-patch14": dict(
        text_config=dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12),
        vision_config=dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14),
        projection_dim=768),
}


def save_tokenizer(folder):
    with gzip.open(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz") as f:
        merges = f.read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    alphabet = list(open_clip.tokenizer.bytes_to_unicode().values())
    symbols = alphabet + [s + "</w>" for s in alphabet] + ["".join(m.split()) for m in merges]
    vocab = {s: i for i, s in enumerate(symbols + ["<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    CLIPTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=77).save_pretrained(folder)


def make(folder, sizes):
    torch.manual_seed(7)
    folder.mkdir(parents=True)
    save_tokenizer(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    model = CLIPModel(CLIPConfig(**sizes)).eval()
    with torch.no_grad():  # an initialisation's weights are so small that every input would get nearly the same vector
        for name, p in model.named_parameters():
            if p.ndim == 2 and "embedding" not in name:
                p.normal_(std=p.shape[1] ** -0.5)
            elif "embedding" in name:
                p.normal_(std=0.3)
    model.save_pretrained(folder)


def reference(folder, pictures):
    model = CLIPModel.from_pretrained(folder).eval()
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    vectors = []
    with torch.no_grad():
        for text in TEXTS:
            ids = tokenizer(text, truncation=True, return_tensors="pt")["input_ids"]
            vectors.append(model.get_text_features(ids).pooler_output[0])
        for path in pictures:
            pixels = processor(ImageOps.exif_transpose(Image.open(path)), return_tensors="pt")["pixel_values"]
            vectors.append(model.get_image_features(pixels).pooler_output[0])
    stacked = torch.stack(vectors)
    return (stacked / stacked.norm(dim=-1, keepdim=True)).numpy()


def main():
    moa, work, pictures = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    for name, sizes in SIZES.items():
        folder = work / name
        if not folder.exists():
            make(folder, sizes)
        if not pictures:
            continue
        command = [moa, "embed", "--model", str(folder)] + [a for t in TEXTS for a in ("--text", t)] + pictures
        lines = [json.loads(line) for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()]
        found = np.array([line["embedding"] for line in lines], dtype=np.float32)
        expected = reference(folder, pictures)
        difference = np.abs(found - expected).max(axis=1)
        print(f"{name}: texts {difference[:len(TEXTS)].max():.2e}, {len(pictures)} pictures {difference[len(TEXTS):].max():.2e}")
        spread = expected @ expected.T
        print(f"  reference cosines between different inputs: {spread[~np.eye(len(spread), dtype=bool)].min():.3f} … "
              f"{spread[~np.eye(len(spread), dtype=bool)].max():.3f}")


if __name__ == "__main__":
    main()
