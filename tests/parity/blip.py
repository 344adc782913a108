"""Golden checkpoints and tensors for BLIP's matching side, from the reference implementation.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/blip.py            (writes tests/golden/blip/)

As clip.py does: a checkpoint in the published layout with random weights, and `expected.safetensors`. `match_probabilities` is the head for image-text
matching, a row a picture; `probabilities` the cosines that the reference gives without it.
"""

import os
import shutil
import sys
from pathlib import Path

import torch
from align import randomise_bert, tiny_bert_tokenizer
from clip import PICTURES, TEXTS, save_expected
from torch.nn.functional import normalize
from transformers import BlipConfig, BlipForImageTextRetrieval
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

OUT = Path(__file__).resolve().parent.parent / "golden" / "blip"


def case(name, seed, text, vision, dim):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer = tiny_bert_tokenizer(folder, 24)
    ids = [tokenizer(t, truncation=True, max_length=24)["input_ids"] for t in TEXTS]
    config = BlipConfig(text_config=dict(text, vocab_size=len(tokenizer) + 2, max_position_embeddings=24), vision_config=vision, image_text_hidden_size=dim)
    config._attn_implementation = "eager"
    model = BlipForImageTextRetrieval(config).eval()
    randomise_bert(model, seed)
    with torch.no_grad():
        model.itm_head.weight.mul_(3)  # so that probabilities differ
    size = vision["image_size"]
    processor = BlipImageProcessorPil(size={"height": size, "width": size})
    processor.save_pretrained(folder)
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]

    stages = {"pixels": pixels}
    with torch.no_grad():
        seen = model.vision_model(pixels, output_hidden_states=True)
        stages["image_first_layer"] = seen.hidden_states[1]
        stages["image_last_layer"] = seen.last_hidden_state
        stages["image_vectors"] = normalize(model.vision_proj(seen.last_hidden_state[:, 0]), eps=0)
        last, vectors, cosines, matches = [], [], [], []
        for row in ids:
            tokens = torch.tensor([row])
            last.append(model.text_encoder(tokens).last_hidden_state[0, :1])
            vectors.append(normalize(model.text_proj(last[-1]), eps=0)[0])
            cosines.append(model(tokens, pixels, use_itm_head=False).itm_score[:, 0])
            matches.append(model(tokens.expand(len(PICTURES), -1), pixels).itm_score.softmax(-1)[:, 1])
        stages["text_last_layer"] = torch.cat(last)
        stages["text_vectors"] = torch.stack(vectors)
        stages["probabilities"] = torch.stack(cosines, dim=1)
        stages["match_probabilities"] = torch.stack(matches, dim=1)
    print(name, stages["match_probabilities"])
    model.save_pretrained(folder)
    save_expected(folder, stages, ids, PICTURES)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    case("odd_sizes", 31,
         text=dict(hidden_size=24, intermediate_size=43, num_hidden_layers=2, num_attention_heads=3),
         vision=dict(hidden_size=20, intermediate_size=37, num_hidden_layers=2, num_attention_heads=2, image_size=33, patch_size=8), dim=11)
    case("tanh_gelu", 32,
         text=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, hidden_act="gelu_new", layer_norm_eps=1e-5),
         vision=dict(hidden_size=28, intermediate_size=50, num_hidden_layers=1, num_attention_heads=4, image_size=30, patch_size=10, hidden_act="quick_gelu",
                     layer_norm_eps=1e-6), dim=18)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
