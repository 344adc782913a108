"""Golden checkpoints and tensors for CLIP's ResNets, from open_clip.

Versions: torch 2.15.0, open_clip_torch 3.3.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/clip_resnet.py            (writes tests/golden/clip_resnet/)

As clip.py does: a checkpoint in the published layout with random weights (and random batch norm statistics), and `expected.safetensors`.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import open_clip
import torch
from align import randomise_batch_norms
from clip import PICTURES, TEXTS, randomise, save_expected, tiny_tokenizer
from safetensors.torch import save_file
from torch.nn.functional import normalize

OUT = Path(__file__).resolve().parent.parent / "golden" / "clip_resnet"
PREPROCESS = dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711], interpolation="bicubic", resize_mode="shortest")


def case(name, seed, model_cfg):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer = tiny_tokenizer(folder)
    context = model_cfg["text_cfg"]["context_length"]
    model_cfg["text_cfg"]["vocab_size"] = len(tokenizer)
    model = open_clip.model.CLIP(**model_cfg).eval()
    randomise(model, seed)
    randomise_batch_norms(model, seed + 100)
    ids = [tokenizer(t, truncation=True, max_length=context)["input_ids"] for t in TEXTS]
    transform = open_clip.image_transform(model_cfg["vision_cfg"]["image_size"], is_train=False, **PREPROCESS)
    stages = {"pixels": torch.stack([transform(p) for p in PICTURES])}
    with torch.no_grad():
        stem = model.visual.stem(stages["pixels"])
        stages["image_first_layer"] = model.visual.layer1[0](stem).permute(0, 2, 3, 1)
        last = model.visual.layer4(model.visual.layer3(model.visual.layer2(model.visual.layer1(stem))))
        stages["image_last_layer"] = last.permute(0, 2, 3, 1)
        stages["image_vectors"] = normalize(model.encode_image(stages["pixels"]), eps=0)
        padded = torch.zeros(len(ids), context, dtype=torch.long)
        for i, row in enumerate(ids):
            padded[i, : len(row)] = torch.tensor(row)
        stages["text_vectors"] = normalize(model.encode_text(padded), eps=0)
        stages["probabilities"] = (model.logit_scale.exp() * stages["image_vectors"] @ stages["text_vectors"].T).softmax(-1)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS}, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    save_expected(folder, stages, ids, PICTURES)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    case("odd_sizes", 21,
         dict(embed_dim=13, vision_cfg=dict(image_size=32, layers=[1, 2, 1, 1], width=2, head_width=16, patch_size=None),
              text_cfg=dict(context_length=20, width=20, heads=2, layers=1)))
    case("larger_pictures", 22,
         dict(embed_dim=10, quick_gelu=True, vision_cfg=dict(image_size=64, layers=[2, 1, 1, 2], width=2, head_width=32, patch_size=None),
              text_cfg=dict(context_length=20, width=12, heads=1, layers=2)))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
