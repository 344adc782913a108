"""Golden checkpoints and tensors for SigLIP and SigLIP 2, from the reference implementation.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3, sentencepiece 0.2.0 (PyPI).
Usage: python tests/parity/siglip.py            (writes tests/golden/siglip/)

Each folder is a checkpoint in the published layout with random weights, and `expected.safetensors`: token ids with their padding, pixels (or the
patches of pictures of their own sizes), and what the reference computes from them, stage by stage.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model, SiglipConfig, SiglipImageProcessorPil, SiglipModel

from clip import TEXTS, picture, randomise
from siglip_tokenizers import gemma, unigram

OUT = Path(__file__).resolve().parent.parent / "golden" / "siglip"
PICTURES = [picture(0, 30, 30), picture(1, 51, 34), picture(2, 23, 67)]


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def text_stages(model, ids, stages):
    t = model.text_model(torch.tensor(ids), output_hidden_states=True)
    stages["text_first_layer"] = t.hidden_states[1]
    stages["text_last_layer"] = t.hidden_states[-1]
    stages["text_vectors"] = unit(t.pooler_output)


def write(folder, model, store, stages, ids, pictures):
    logits = model.logit_scale.exp() * stages["image_vectors"] @ stages["text_vectors"].T + model.logit_bias
    stages["probabilities"] = logits.sigmoid()
    model.to(store).save_pretrained(folder)
    tensors = {k: v.detach().to(torch.float32).contiguous() for k, v in stages.items()}
    tensors["ids"] = torch.tensor([i for row in ids for i in row], dtype=torch.int32)
    tensors["lengths"] = torch.tensor([len(row) for row in ids], dtype=torch.int32)
    if "grids" in stages:
        tensors["grids"] = stages["grids"].to(torch.int32)
    save_file(tensors, folder / "expected.safetensors")
    for index, image in enumerate(pictures):
        image.save(folder / f"picture{index}.png", optimize=True)
    (folder / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=1) + "\n")


def prepared(model, seed, store):
    randomise(model, seed)
    with torch.no_grad():
        model.vision_model.head.probe.mul_(4)
        model.logit_scale.fill_(2.3)
        model.logit_bias.fill_(-2.7)
    return model.to(store).float()  # what the file will hold


def fixed_case(name, seed, text, vision, tokenizer, resample, store=torch.float32):
    folder = OUT / name
    folder.mkdir(parents=True)
    vocabulary, tokenize = tokenizer(folder)
    ids = [tokenize(t) for t in TEXTS]
    config = SiglipConfig(text_config=dict(text, vocab_size=vocabulary), vision_config=vision)
    config._attn_implementation = "eager"
    model = prepared(SiglipModel(config).eval(), seed, store)
    processor = SiglipImageProcessorPil(size={"height": vision["image_size"], "width": vision["image_size"]}, resample=resample)
    processor.save_pretrained(folder)
    stages = {"pixels": processor(PICTURES, return_tensors="pt")["pixel_values"]}
    with torch.no_grad():
        v = model.vision_model(stages["pixels"], output_hidden_states=True)
        stages["image_first_layer"] = v.hidden_states[1]
        stages["image_last_layer"] = v.hidden_states[-1]
        stages["image_vectors"] = unit(v.pooler_output)
        text_stages(model, ids, stages)
        write(folder, model, store, stages, ids, PICTURES)


NATIVE_PICTURES = PICTURES + [picture(3, 9, 110), picture(4, 20, 17)]


def native_case(name, seed, text, vision, tokenizer, max_patches, pictures=NATIVE_PICTURES, store=torch.float32):
    """SigLIP 2 NaFlex. The stages of pictures are packed: each picture's patches without the padding behind them.

    A picture one patch wide has the reference's own positions: see Ops::add_position_grid."""
    folder = OUT / name
    folder.mkdir(parents=True)
    vocabulary, tokenize = tokenizer(folder)
    ids = [tokenize(t) for t in TEXTS]
    config = Siglip2Config(text_config=dict(text, vocab_size=vocabulary), vision_config=vision)
    config._attn_implementation = "eager"
    model = prepared(Siglip2Model(config).eval(), seed, store)
    processor = Siglip2ImageProcessorPil(patch_size=vision["patch_size"], max_num_patches=max_patches)
    processor.save_pretrained(folder)
    inputs = processor(pictures, return_tensors="pt")
    grids = inputs["spatial_shapes"]
    pack = lambda x: torch.cat([row[: h * w] for row, (h, w) in zip(x, grids.tolist())])
    stages = {"pixels": pack(inputs["pixel_values"]), "grids": grids}
    with torch.no_grad():
        v = model.vision_model(inputs["pixel_values"], inputs["pixel_attention_mask"], grids, output_hidden_states=True)
        stages["image_first_layer"] = pack(v.hidden_states[1])
        stages["image_last_layer"] = pack(v.hidden_states[-1])
        stages["image_vectors"] = unit(v.pooler_output)
        text_stages(model, ids, stages)
        write(folder, model, store, stages, ids, pictures)


def main():
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    fixed_case(
        "odd_sizes", 11,
        text=dict(hidden_size=21, intermediate_size=50, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=18, projection_size=36),
        vision=dict(hidden_size=36, intermediate_size=61, num_hidden_layers=2, num_attention_heads=4, image_size=30, patch_size=5),
        tokenizer=lambda folder: unigram(folder, 18), resample=3)
    fixed_case(
        "gemma_f16", 12,
        text=dict(hidden_size=20, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=16, hidden_act="gelu"),
        vision=dict(hidden_size=20, intermediate_size=47, num_hidden_layers=3, num_attention_heads=2, image_size=33, patch_size=8),
        tokenizer=lambda folder: gemma(folder, 16, "GemmaTokenizer"), resample=2, store=torch.float16)
    native_case(
        "native_sizes", 13,
        text=dict(hidden_size=18, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=12, projection_size=20),
        vision=dict(hidden_size=20, intermediate_size=50, num_hidden_layers=2, num_attention_heads=5, patch_size=5, num_patches=36),
        tokenizer=lambda folder: gemma(folder, 12, "Siglip2Tokenizer"), max_patches=41,
        pictures=NATIVE_PICTURES + [picture(5, 4, 90), picture(6, 90, 4)])  # 23 x 1 and 1 x 23 patches
    native_case(
        "native_more_patches_f16", 14,
        text=dict(hidden_size=12, intermediate_size=30, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=16, projection_size=24),
        vision=dict(hidden_size=24, intermediate_size=50, num_hidden_layers=3, num_attention_heads=2, patch_size=7, num_patches=16),
        tokenizer=lambda folder: unigram(folder, 16), max_patches=30, store=torch.float16)
    native_case(  # grids of 1 x 1, 2 x 1, 3 x 1, 1 x 2 and 1 x 3
        "native_one_patch", 15,
        text=dict(hidden_size=10, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=12, projection_size=12),
        vision=dict(hidden_size=12, intermediate_size=26, num_hidden_layers=2, num_attention_heads=3, patch_size=4, num_patches=16),
        tokenizer=lambda folder: gemma(folder, 12, "Siglip2Tokenizer"), max_patches=3,
        pictures=[picture(0, 8, 8), picture(1, 8, 9), picture(2, 4, 25), picture(3, 9, 8), picture(4, 30, 7)])


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
