"""A small CLIP that learns from moa-mini what it says of a folder of photographs and of the names of what is on them.

    python build.py WORK --photos FOLDER [--moa COMMAND]

FOLDER's pictures are named by their class, as n02123045_tabby_cat.jpg. WORK/small/model is then a CLIP directory of the usual layout:
ViT-S/32 and a text tower of the same size, both of 12 layers and width 384. What README.md says of it, and not more, is it good for.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import torch
from open_clip.tokenizer import bytes_to_unicode
from transformers import CLIPConfig, CLIPModel

HERE = Path(__file__).parent
SEED = 20261128
WIDTH, LAYERS, PICTURE_PX = 384, 12, 224
MERGES = 48_894  # of OpenAI's vocabulary: 256 bytes, twice, what they merge into, and two tokens around
TEMPLATE = "a photo of a {}."


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("work", type=Path)
    arguments.add_argument("--photos", type=Path, required=True)
    arguments.add_argument("--moa", type=Path, default=HERE.parent.parent / "build" / "release" / "moa")
    options = arguments.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    write_lessons(options.work, options.photos.resolve())
    write_start(options.work / "start")
    shutil.copy(HERE / "distil.yaml", options.work)
    subprocess.run([options.moa.resolve(), "train", "distil.yaml"], cwd=options.work, check=True)


def write_lessons(work: Path, photos: Path) -> None:
    """pictures.tsv (filepath, caption), and names.tsv (name, same): each class by its name alone and in a sentence."""
    names = {path: path.stem.split("_", 1)[1].replace("_", " ").replace("-", " ")
             for path in sorted(photos.iterdir()) if "_" in path.stem}
    pictures = [f"{path}\t{TEMPLATE.format(name)}" for path, name in names.items()]
    texts = [text for name in sorted(set(names.values())) for text in (name, TEMPLATE.format(name))]
    (work / "pictures.tsv").write_text("\n".join(["filepath\tcaption", *pictures]) + "\n")
    (work / "names.tsv").write_text("\n".join(["name\tsame", *(f"{text}\t{text}" for text in texts)]) + "\n")


def write_start(folder: Path) -> None:
    """Random weights, with OpenAI's tokenizer as open_clip has it (MIT)."""
    torch.manual_seed(SEED)
    body = {"hidden_size": WIDTH, "intermediate_size": 4 * WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": WIDTH // 64,
            "projection_dim": WIDTH}
    config = CLIPConfig(text_config=body, vision_config=body | {"image_size": PICTURE_PX, "patch_size": 32}, projection_dim=WIDTH)
    CLIPModel(config).save_pretrained(folder)
    write_tokenizer(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({
        "image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"shortest_edge": PICTURE_PX}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": PICTURE_PX, "width": PICTURE_PX}, "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "do_convert_rgb": True}, indent=2) + "\n")


def write_tokenizer(folder: Path) -> None:
    packed = files("open_clip") / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(packed.read_bytes()).decode().split("\n")[1:MERGES + 1]
    letters = list(bytes_to_unicode().values())
    tokens = [*letters, *(letter + "</w>" for letter in letters), *("".join(merge.split()) for merge in merges),
              "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "CLIPTokenizer", "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>", "model_max_length": 77}, indent=2) + "\n")


if __name__ == "__main__":
    main()
