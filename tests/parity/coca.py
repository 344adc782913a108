"""Golden checkpoints and tensors for the embedding side of CoCa, from open_clip.

Versions: torch 2.15.0, open_clip_torch 3.3.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/coca.py            (writes tests/golden/coca/)

As clip.py does: a checkpoint in the published layout with random weights, and `expected.safetensors`. Ids are padded to the context, as open_clip's
tokenizer does; among the texts are one that fills the context and one with id 0, which is padding's, in its middle.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import open_clip
import torch
from clip import PICTURES, TEXTS, randomise, save_expected, tiny_tokenizer
from clip_resnet import PREPROCESS
from open_clip.coca_model import CoCa
from safetensors.torch import save_file
from torch.nn.functional import normalize

OUT = Path(__file__).resolve().parent.parent / "golden" / "coca"


def case(name, seed, model_cfg):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer = tiny_tokenizer(folder)
    context = model_cfg["text_cfg"]["context_length"]
    for part in ("text_cfg", "multimodal_cfg"):
        model_cfg[part]["vocab_size"] = len(tokenizer)
    model = CoCa(**{k: v for k, v in model_cfg.items() if k != "custom_text"}).eval()
    randomise(model, seed)
    texts = [*TEXTS[:-1], "ab !? cd"]
    ids = [tokenizer(t, truncation=True, max_length=context)["input_ids"] for t in texts]
    assert any(0 in row for row in ids) and any(len(row) == context for row in ids) and any(len(row) < context - 1 for row in ids)
    padded = [row + [0] * (context - len(row)) for row in ids]
    transform = open_clip.image_transform(model_cfg["vision_cfg"]["image_size"], is_train=False, **PREPROCESS)
    stages = {"pixels": torch.stack([transform(p) for p in PICTURES])}
    with torch.no_grad():
        stages["image_last_layer"] = model.visual.transformer(model.visual._embeds(stages["pixels"]))
        stages["image_vectors"] = model.encode_image(stages["pixels"]).reshape(len(PICTURES), -1)
        stages["text_vectors"] = model.encode_text(torch.tensor(padded))
        stages["probabilities"] = (model.logit_scale.exp() * stages["image_vectors"] @ stages["text_vectors"].T).softmax(-1)
        assert torch.allclose(stages["text_vectors"], normalize(stages["text_vectors"], dim=-1))
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": PREPROCESS}, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    save_expected(folder, stages, padded, PICTURES)
    (folder / "texts.json").write_text(json.dumps(texts, ensure_ascii=False, indent=1) + "\n")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    decoder = dict(context_length=12, width=8, heads=1, layers=1)
    text = dict(context_length=12, width=20, heads=2, layers=2, embed_cls=True, output_tokens=True)
    case("first_query", 41,
         dict(embed_dim=12, custom_text=True, text_cfg=dict(text), multimodal_cfg=dict(decoder),
              vision_cfg=dict(image_size=25, layers=2, width=16, head_width=8, patch_size=8, attentional_pool=True, attn_pooler_heads=3,
                              attn_pooler_queries=5, output_tokens=True)))
    for index, kind in enumerate(("parallel", "cascade")):
        case(kind, 42 + index,
             dict(embed_dim=16, custom_text=True, quick_gelu=True, text_cfg=dict(text, width=12, heads=3, layers=1), multimodal_cfg=dict(decoder),
                  vision_cfg=dict(image_size=20, layers=1, width=16, head_width=4, patch_size=6, attentional_pool=kind, attn_pooler_heads=2,
                                  attn_pooler_queries=3, output_tokens=True)))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
