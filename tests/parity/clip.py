"""Golden checkpoints and tensors for CLIP, from the reference implementations.

Versions: torch 2.15.0, transformers 5.23.0, open_clip_torch 3.3.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/clip.py            (writes tests/golden/clip/)

Each folder is a checkpoint in the published layout with random weights, small enough to commit, and `expected.safetensors`: token ids, pixels,
and what the reference computes from them, stage by stage. The sizes are odd on purpose: no width, head or patch count is a multiple of 16.
"""

import gzip
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

OUT = Path(__file__).resolve().parent.parent / "golden" / "clip"
MERGES = 220  # of CLIP's own 48,894: enough to make tokens of several characters, few enough to commit

TEXTS = [
    "a photo of a dog.",
    "강아지",
    "풍경과 산이 있는 사진",
    "The quick brown fox jumps over 13 lazy dogs!",
    "",
    "naïve café — 日本語 🐕‍🦺",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen",
]


def picture(index, width, height):
    """A picture that needs no file: smooth waves and integer noise, different in every channel."""
    y, x = np.mgrid[0:height, 0:width]
    noise = (x * 7919 + y * 104729 + index * 1299709) % 61
    channels = [128 + 90 * np.sin((x * (c + 1) + 3 * index) / 9.0) * np.cos(y * (c + 2) / 11.0) + noise - 30 for c in range(3)]
    return Image.fromarray(np.clip(np.stack(channels, axis=-1), 0, 255).astype(np.uint8))


PICTURES = [picture(0, 49, 49), picture(1, 97, 64), picture(2, 40, 131)]


def tiny_tokenizer(folder):
    """CLIP's own alphabet and first merges; ids stay dense."""
    with gzip.open(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz") as f:
        merges = f.read().decode().split("\n")[1 : MERGES + 1]
    with tempfile.TemporaryDirectory() as full:
        byte_symbols = list(open_clip.tokenizer.bytes_to_unicode().values())
        symbols = byte_symbols + [s + "</w>" for s in byte_symbols] + ["".join(m.split()) for m in merges]
        vocab = {s: i for i, s in enumerate(symbols + ["<|startoftext|>", "<|endoftext|>"])}
        (Path(full) / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        (Path(full) / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
        tokenizer = CLIPTokenizer(vocab=str(Path(full) / "vocab.json"), merges=str(Path(full) / "merges.txt"), model_max_length=20)
        tokenizer.save_pretrained(folder)
    return tokenizer


def pack(sequences):
    return torch.tensor([i for s in sequences for i in s], dtype=torch.int32)


def save_expected(folder, stages, sequences, files):
    tensors = {k: v.detach().to(torch.float32).contiguous() for k, v in stages.items()}
    tensors["ids"] = pack(sequences)
    tensors["lengths"] = torch.tensor([len(s) for s in sequences], dtype=torch.int32)
    save_file(tensors, folder / "expected.safetensors")
    for index, image in enumerate(files):
        image.save(folder / f"picture{index}.png", optimize=True)
    (folder / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=1) + "\n")


def randomise(model, seed):
    """Larger weights than an initialisation has, so that every part matters in the result."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 0:
                continue
            scale = 0.5 if "embedding" in name else (1.0 / p[0].numel() ** 0.5 if p.ndim > 1 else 0.2)
            noise = torch.randn(p.shape, generator=generator) * scale
            p.copy_(noise + (1.0 if "norm" in name and name.endswith("weight") or ".ln_" in name and name.endswith("weight") else 0.0))


def transformers_case(name, seed, text, vision, top, legacy_eos, store=torch.float32, out=OUT, classes=(CLIPConfig, CLIPModel), tokenizer_of=tiny_tokenizer):
    folder = out / name
    folder.mkdir(parents=True)
    tokenizer = tokenizer_of(folder)
    ids = [tokenizer(t, truncation=True, max_length=text["max_position_embeddings"])["input_ids"] for t in TEXTS]
    eos = tokenizer.eos_token_id
    config = classes[0](
        text_config=dict(text, vocab_size=len(tokenizer), eos_token_id=2 if legacy_eos else eos, bos_token_id=0, pad_token_id=1),
        vision_config=vision,
        **top,
    )
    config._attn_implementation = "eager"
    model = classes[1](config).eval()
    randomise(model, seed)
    model = model.to(store).float()  # what the file will hold
    size = vision["image_size"]
    processor = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    processor.save_pretrained(folder)
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]

    stages = {"pixels": pixels}
    with torch.no_grad():
        v = model.vision_model(pixels, output_hidden_states=True)
        stages["image_first_layer"] = v.hidden_states[1]
        stages["image_last_layer"] = v.hidden_states[-1]
        stages["image_vectors"] = torch.nn.functional.normalize(model.visual_projection(v.pooler_output), eps=0)
        first, last, vectors = [], [], []
        for row in ids:
            t = model.text_model(torch.tensor([row]), output_hidden_states=True)
            first.append(t.hidden_states[1][0])
            last.append(t.hidden_states[-1][0])
            vectors.append(torch.nn.functional.normalize(model.text_projection(t.pooler_output), eps=0)[0])
        stages["text_first_layer"] = torch.cat(first)
        stages["text_last_layer"] = torch.cat(last)
        stages["text_vectors"] = torch.stack(vectors)
        stages["probabilities"] = (model.logit_scale.exp() * stages["image_vectors"] @ stages["text_vectors"].T).softmax(-1)
    model.to(store).save_pretrained(folder)
    save_expected(folder, stages, ids, PICTURES)


def open_clip_case(name, seed, model_cfg, preprocess_cfg):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer = tiny_tokenizer(folder)
    context = model_cfg["text_cfg"]["context_length"]
    model_cfg["text_cfg"]["vocab_size"] = len(tokenizer)
    model = open_clip.model.CLIP(**{k: v for k, v in model_cfg.items() if k != "custom_text"}).eval()
    randomise(model, seed)
    ids = [tokenizer(t, truncation=True, max_length=context)["input_ids"] for t in TEXTS]
    transform = open_clip.image_transform(model_cfg["vision_cfg"]["image_size"], is_train=False, mean=preprocess_cfg["mean"],
                                          std=preprocess_cfg["std"], interpolation=preprocess_cfg["interpolation"],
                                          resize_mode=preprocess_cfg["resize_mode"])
    pixels = torch.stack([transform(p) for p in PICTURES])
    with torch.no_grad():
        image_vectors = torch.nn.functional.normalize(model.encode_image(pixels), eps=0)
        padded = torch.zeros(len(ids), context, dtype=torch.long)
        for i, row in enumerate(ids):
            padded[i, : len(row)] = torch.tensor(row)
        text_vectors = torch.nn.functional.normalize(model.encode_text(padded), eps=0)
        probabilities = (model.logit_scale.exp() * image_vectors @ text_vectors.T).softmax(-1)
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}, indent=1) + "\n")
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    if model_cfg.get("custom_text"):
        moved = ("transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "attn_mask")
        state = {("text." + k if k.startswith(moved) else k): v for k, v in state.items()}
    save_file(state, folder / "open_clip_model.safetensors")
    save_expected(folder, {"pixels": pixels, "image_vectors": image_vectors, "text_vectors": text_vectors, "probabilities": probabilities},
                  ids, PICTURES)


def main():
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    transformers_case(
        "odd_sizes", 1,
        text=dict(hidden_size=36, intermediate_size=75, num_hidden_layers=3, num_attention_heads=3, max_position_embeddings=20),
        vision=dict(hidden_size=48, intermediate_size=101, num_hidden_layers=2, num_attention_heads=4, image_size=49, patch_size=7),
        top=dict(projection_dim=29), legacy_eos=False)
    transformers_case(
        "legacy_eos_gelu_f16", 2,
        text=dict(hidden_size=40, intermediate_size=64, num_hidden_layers=2, num_attention_heads=5, max_position_embeddings=20,
                  hidden_act="gelu", projection_dim=11),
        vision=dict(hidden_size=32, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2, image_size=33, patch_size=8,
                    hidden_act="gelu", projection_dim=13),
        top=dict(projection_dim=21), legacy_eos=True, store=torch.float16)
    openai = dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711])
    open_clip_case(
        "open_clip_tiny", 3,
        dict(embed_dim=24, quick_gelu=True,
             vision_cfg=dict(image_size=35, layers=2, width=40, head_width=20, patch_size=5, mlp_ratio=3.7),
             text_cfg=dict(context_length=20, width=28, heads=2, layers=2)),
        dict(openai, interpolation="bicubic", resize_mode="shortest"))
    open_clip_case(
        "open_clip_custom_text", 4,
        dict(embed_dim=17, custom_text=True,
             vision_cfg=dict(image_size=32, layers=1, width=48, head_width=16, patch_size=9),
             text_cfg=dict(context_length=20, width=30, heads=3, layers=2, proj_bias=False)),
        dict(openai, interpolation="bicubic", resize_mode="squash"))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
