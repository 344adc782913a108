"""Golden checkpoints and tensors for ALIGN, from the reference implementation.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/align.py            (writes tests/golden/align/)

As clip.py does: a checkpoint in the published layout with random weights (and random batch norm statistics), and `expected.safetensors`.
"""

import os
import shutil
import sys
from pathlib import Path

import torch
from clip import PICTURES, TEXTS, randomise, save_expected
from torch.nn.functional import normalize
from transformers import AlignConfig, AlignModel, BertTokenizer
from transformers.models.efficientnet.image_processing_pil_efficientnet import EfficientNetImageProcessorPil

OUT = Path(__file__).resolve().parent.parent / "golden" / "align"


def tiny_bert_tokenizer(folder, most_tokens):
    """Characters and a few words of TEXTS, so that words are whole, in pieces and unknown."""
    words = ["photo", "dog", "quick", "fox", "jump", "one", "two", "three", "teen", "##teen", "caf"]
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    digits = list("0123456789")
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *("##" + c for c in letters), *digits, *("##" + c for c in digits), ".", "!", "—", "日"]
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    tokenizer = BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=most_tokens)
    tokenizer.save_pretrained(folder)
    (folder / "vocab.txt").unlink()
    return tokenizer


def randomise_bert(model, seed):
    """As clip.py's randomise, which knows BERT's norms for norms only by this."""
    randomise(model, seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                p.add_(1)


def randomise_batch_norms(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            with torch.no_grad():
                module.weight.copy_(1 + 0.2 * torch.randn(module.weight.shape, generator=generator))
                module.bias.copy_(0.2 * torch.randn(module.bias.shape, generator=generator))
                module.running_mean.copy_(0.3 * torch.randn(module.bias.shape, generator=generator))
                module.running_var.copy_(0.5 + torch.rand(module.bias.shape, generator=generator))


def case(name, seed, text, vision, dim, temperature):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer = tiny_bert_tokenizer(folder, 24)
    ids = [tokenizer(t, truncation=True, max_length=24)["input_ids"] for t in TEXTS]
    config = AlignConfig(text_config=dict(text, vocab_size=len(tokenizer), max_position_embeddings=24), vision_config=vision,
                         projection_dim=dim, temperature_init_value=temperature)
    config._attn_implementation = "eager"
    model = AlignModel(config).eval()
    randomise_bert(model, seed)
    randomise_batch_norms(model, seed + 100)
    size = vision["image_size"]
    processor = EfficientNetImageProcessorPil(
        size={"height": size + 11, "width": size + 11}, crop_size={"height": size, "width": size}, resample=2, do_center_crop=True, do_rescale=True,
        rescale_factor=1 / 127.5, rescale_offset=True, do_normalize=False, include_top=False)
    processor.save_pretrained(folder)
    pixels = processor(PICTURES, return_tensors="pt")["pixel_values"]

    stages = {"pixels": pixels}
    with torch.no_grad():
        stem = model.vision_model.embeddings(pixels)
        stages["image_first_layer"] = model.vision_model.encoder.blocks[0](stem).permute(0, 2, 3, 1)
        pooled = model.vision_model(pixels)
        stages["image_last_layer"] = pooled.last_hidden_state.permute(0, 2, 3, 1)
        stages["image_vectors"] = normalize(pooled.pooler_output, eps=0)
        first, last, vectors = [], [], []
        for row in ids:
            t = model.text_model(torch.tensor([row]), output_hidden_states=True)
            first.append(t.hidden_states[1][0])
            last.append(t.hidden_states[-1][0])
            vectors.append(normalize(model.get_text_features(torch.tensor([row])).pooler_output, eps=0)[0])
        stages["text_first_layer"] = torch.cat(first)
        stages["text_last_layer"] = torch.cat(last)
        stages["text_vectors"] = torch.stack(vectors)
        whole = model(torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in ids], batch_first=True), pixels,
                      attention_mask=torch.nn.utils.rnn.pad_sequence([torch.ones(len(r), dtype=torch.long) for r in ids], batch_first=True))
        stages["probabilities"] = whole.logits_per_image.softmax(-1)
    model.save_pretrained(folder)
    save_expected(folder, stages, ids, PICTURES)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    case("odd_sizes", 11,
         text=dict(hidden_size=24, intermediate_size=43, num_hidden_layers=2, num_attention_heads=3),
         vision=dict(image_size=27, width_coefficient=0.4, depth_coefficient=1.2, depth_divisor=4, kernel_sizes=[3, 5, 3], in_channels=[32, 16, 24],
                     out_channels=[16, 24, 28], strides=[1, 2, 2], num_block_repeats=[1, 2, 1], expand_ratios=[1, 6, 3], hidden_dim=64),
         dim=12, temperature=0.07)
    case("even_padding_relu", 12,
         text=dict(hidden_size=20, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, hidden_act="gelu_new"),
         vision=dict(image_size=24, width_coefficient=1.0, depth_coefficient=1.0, depth_divisor=8, kernel_sizes=[5, 3], in_channels=[32, 16],
                     out_channels=[16, 24], strides=[2, 2], num_block_repeats=[2, 2], expand_ratios=[2, 4], hidden_dim=5, hidden_act="relu",
                     depthwise_padding=[0], batch_norm_eps=0.01, squeeze_expansion_ratio=0.1),
         dim=24, temperature=0.5)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
