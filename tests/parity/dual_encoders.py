"""Golden checkpoints and tensors for dual encoders with a text tower of the BERT family, from the reference implementation.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/dual_encoders.py     (writes tests/golden/dual_encoder/, chinese_clip/ and altclip/)

As clip.py does: a checkpoint in the published layout with random weights, and `expected.safetensors`.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import tiny_tokenizers
import torch
from clip import TEXTS, picture, randomise, save_expected
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize
from transformers import (
    AltCLIPConfig,
    AltCLIPModel,
    AutoConfig,
    BitImageProcessorPil,
    ChineseCLIPConfig,
    ChineseCLIPImageProcessorPil,
    ChineseCLIPModel,
    CLIPImageProcessorPil,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
    ViTImageProcessorPil,
)

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
CONTEXT = 24
PICTURES = [picture(0, 30, 30), picture(1, 51, 34), picture(2, 23, 67)]


def square(processor, size):
    return processor(size={"height": size, "width": size}, do_center_crop=False)


def cropped(processor, size):
    return processor(size={"shortest_edge": size}, crop_size={"height": size, "width": size})


def new_folder(path):
    folder = GOLDEN / path
    folder.mkdir(parents=True)
    return folder


def write(folder, model, seed, processor, ids):
    """Randomises the model, computes all stages, saves both."""
    randomise(model, seed)
    model.eval().half().float()  # what the file will hold
    processor.save_pretrained(folder)
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]
    stages = {"pixels": pixels}
    with torch.no_grad():
        v = model.vision_model(pixels, output_hidden_states=True)
        stages["image_first_layer"], stages["image_last_layer"] = v.hidden_states[1], v.hidden_states[-1]
        stages["image_vectors"] = normalize(model.get_image_features(pixels).pooler_output, eps=0)
        first, last, vectors = [], [], []
        for row in ids:
            row = torch.tensor([row])
            tower = getattr(model.text_model, "roberta", model.text_model)  # AltCLIP's is one level further down
            t = tower(row, output_hidden_states=True)
            first.append(t.hidden_states[1][0])
            last.append(t.last_hidden_state[0])
            vectors.append(normalize(model.get_text_features(row).pooler_output, eps=0)[0])
        stages["text_first_layer"], stages["text_last_layer"] = torch.cat(first), torch.cat(last)
        stages["text_vectors"] = torch.stack(vectors)
        stages["probabilities"] = (model.logit_scale.exp() * stages["image_vectors"] @ stages["text_vectors"].T).softmax(-1)
    model.half().save_pretrained(folder)
    save_expected(folder, stages, ids, PICTURES)


def tokenized(tokenizer):
    return [tokenizer(t, truncation=True)["input_ids"] for t in TEXTS]


def pair(name, seed, vision, text, tokenizer, processor, dim):
    folder = new_folder(f"dual_encoder/{name}")
    tokenizer = tokenizer(folder, CONTEXT)
    config = VisionTextDualEncoderConfig(
        vision_config=AutoConfig.for_model(**vision).to_dict(), text_config=AutoConfig.for_model(vocab_size=len(tokenizer), **text).to_dict(), projection_dim=dim)
    config._attn_implementation = "eager"
    write(folder, VisionTextDualEncoderModel(config), seed, processor, tokenized(tokenizer))
    return folder


def as_transformers_4_saved(folder):
    """transformers 4 put a CLIP tower's own prefix behind the model's."""
    tensors = load_file(folder / "model.safetensors")
    save_file({k.replace("vision_model.", "vision_model.vision_model.", 1): v for k, v in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["transformers_version"] = "4.30.0"
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def dual_encoders():
    pair("vit_bert", 21,
         dict(model_type="vit", hidden_size=36, num_hidden_layers=2, num_attention_heads=3, intermediate_size=70, image_size=30, patch_size=7),
         dict(model_type="bert", hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=43, max_position_embeddings=CONTEXT),
         tiny_tokenizers.bert, square(ViTImageProcessorPil, 30), 19)
    pair("deit_xlm_roberta", 22,
         dict(model_type="deit", hidden_size=24, num_hidden_layers=3, num_attention_heads=2, intermediate_size=50, image_size=24, patch_size=8,
              qkv_bias=False, hidden_act="gelu_new", layer_norm_eps=1e-5),
         dict(model_type="xlm-roberta", hidden_size=30, num_hidden_layers=2, num_attention_heads=5, intermediate_size=44, max_position_embeddings=CONTEXT + 2,
              type_vocab_size=1, layer_norm_eps=1e-5),
         tiny_tokenizers.xlm_roberta, square(ViTImageProcessorPil, 24), 23)
    as_transformers_4_saved(pair(
        "clip_roberta", 23,
        dict(model_type="clip_vision_model", hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=61, image_size=28, patch_size=9),
        dict(model_type="roberta", hidden_size=28, num_hidden_layers=3, num_attention_heads=2, intermediate_size=37, max_position_embeddings=CONTEXT + 2,
             type_vocab_size=1, hidden_act="relu"),
        tiny_tokenizers.roberta, cropped(CLIPImageProcessorPil, 28), 16))
    # Pictures of another size than the position table is for; with SwiGLU, and without.
    pair("dinov2_swiglu_mpnet", 24,
         dict(model_type="dinov2", hidden_size=24, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=3, image_size=35, patch_size=7, use_swiglu_ffn=True),
         dict(model_type="mpnet", hidden_size=27, num_hidden_layers=2, num_attention_heads=3, intermediate_size=50, max_position_embeddings=CONTEXT + 2),
         tiny_tokenizers.mpnet, cropped(BitImageProcessorPil, 23), 14)
    pair("dinov2_bert", 25,
         dict(model_type="dinov2", hidden_size=20, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4),
         dict(model_type="bert", hidden_size=18, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20, max_position_embeddings=CONTEXT),
         tiny_tokenizers.bert, cropped(BitImageProcessorPil, 32), 12)


def chinese_clip(name, seed, text, vision, dim, processor):
    folder = new_folder(f"chinese_clip/{name}")
    tokenizer = tiny_tokenizers.bert(folder, CONTEXT)
    config = ChineseCLIPConfig(text_config=dict(text, vocab_size=len(tokenizer), max_position_embeddings=CONTEXT), vision_config=vision, projection_dim=dim)
    config._attn_implementation = "eager"
    write(folder, ChineseCLIPModel(config), seed, processor, tokenized(tokenizer))


def altclip(name, seed, text, vision, dim, processor):
    folder = new_folder(f"altclip/{name}")
    tokenizer = tiny_tokenizers.xlm_roberta(folder, CONTEXT)
    config = AltCLIPConfig(text_config=dict(text, vocab_size=len(tokenizer), max_position_embeddings=CONTEXT + 2), vision_config=vision, projection_dim=dim)
    config._attn_implementation = "eager"
    write(folder, AltCLIPModel(config), seed, processor, tokenized(tokenizer))


def main():
    for family in ("dual_encoder", "chinese_clip", "altclip"):
        shutil.rmtree(GOLDEN / family, ignore_errors=True)
    dual_encoders()
    chinese_clip("odd_sizes", 31,
                 text=dict(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=43),
                 vision=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=3, intermediate_size=61, image_size=30, patch_size=7),
                 dim=19, processor=square(ChineseCLIPImageProcessorPil, 30))
    chinese_clip("other_activations", 32,
                 text=dict(hidden_size=20, num_hidden_layers=2, num_attention_heads=2, intermediate_size=31, hidden_act="gelu_new"),
                 vision=dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=24, patch_size=8, hidden_act="gelu"),
                 dim=12, processor=cropped(ChineseCLIPImageProcessorPil, 24))
    altclip("odd_sizes", 33,
            text=dict(hidden_size=30, num_hidden_layers=2, num_attention_heads=5, intermediate_size=44, project_dim=21),
            vision=dict(hidden_size=36, num_hidden_layers=2, num_attention_heads=3, intermediate_size=61, image_size=30, patch_size=7),
            dim=13, processor=cropped(CLIPImageProcessorPil, 30))
    altclip("three_layers", 34,
            text=dict(hidden_size=24, num_hidden_layers=3, num_attention_heads=2, intermediate_size=35, project_dim=16),
            vision=dict(hidden_size=28, num_hidden_layers=3, num_attention_heads=2, intermediate_size=40, image_size=24, patch_size=8),
            dim=16, processor=cropped(CLIPImageProcessorPil, 24))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
