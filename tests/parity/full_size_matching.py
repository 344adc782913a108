"""moa against the reference on full-size random checkpoints: ALIGN, CLIP's RN50, CoCa and BLIP, from files and texts to vectors and scores.

Versions: torch 2.15.0, transformers 5.23.0, open_clip_torch 3.3.0, Pillow 13.0.0.
Usage: python tests/parity/full_size_matching.py MOA WORK_FOLDER NAME PICTURE...        (NAME: a key of MAKERS)

Writes WORK_FOLDER/NAME once (random weights; batch norms get the statistics of noise), embeds pictures and texts with both, and prints the largest
difference of a component of the unit vectors.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

TEXTS = ["a photo of a dog.", "A man riding a wave on top of a surfboard.", "", "x", "naïve café — 日本語", "The quick brown fox jumps over the lazy dog. " * 30]


def settle_batch_norms(model, forward):
    """One pass over noise in training mode sets every batch norm's statistics to what it meets."""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
    model.train()
    with torch.no_grad():
        forward()
    model.eval()


def widen(model):
    """An initialisation's weights are so small that every input would get nearly the same vector."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim == 2:
                p.normal_(std=0.3 if "embedding" in name else p.shape[1] ** -0.5)


def bert_tokenizer(folder):
    from transformers import BertTokenizer

    letters = [chr(c) for c in range(33, 127) if not chr(c).isupper()]
    words = ["photo", "dog", "man", "wave", "the", "quick", "brown", "fox", "jump", "lazy", "over"]
    vocab = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), *words]
    vocab += [f"[filler{i}]" for i in range(30522 - len(vocab))]
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=512).save_pretrained(folder)


def make_align(folder):
    from transformers import AlignConfig, AlignModel
    from transformers.models.efficientnet.image_processing_pil_efficientnet import EfficientNetImageProcessorPil

    model = AlignModel(AlignConfig(vision_config=dict(image_size=289, hidden_dim=640)))
    widen(model)
    settle_batch_norms(model.vision_model, lambda: model.vision_model(torch.randn(4, 3, 289, 289)))
    model.save_pretrained(folder)
    bert_tokenizer(folder)
    EfficientNetImageProcessorPil(size={"height": 346, "width": 346}, crop_size={"height": 289, "width": 289}, resample=2, do_center_crop=True, rescale_factor=1 / 127.5,
                                  rescale_offset=True, do_normalize=False, include_top=False).save_pretrained(folder)


def align_reference(folder, pictures):
    from transformers import AlignModel, BertTokenizer
    from transformers.models.efficientnet.image_processing_pil_efficientnet import EfficientNetImageProcessorPil

    model = AlignModel.from_pretrained(folder).eval()
    tokenizer, processor = BertTokenizer.from_pretrained(folder), EfficientNetImageProcessorPil.from_pretrained(folder)
    texts = [model.get_text_features(tokenizer(t, truncation=True, max_length=64, return_tensors="pt")["input_ids"]).pooler_output[0] for t in TEXTS]
    images = [model.get_image_features(processor(p, return_tensors="pt")["pixel_values"]).pooler_output[0] for p in pictures]
    return texts + images


def clip_tokenizer(folder):
    import gzip

    import open_clip
    from transformers import CLIPTokenizer

    with gzip.open(Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz") as f:
        merges = f.read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    alphabet = list(open_clip.tokenizer.bytes_to_unicode().values())
    symbols = alphabet + [s + "</w>" for s in alphabet] + ["".join(m.split()) for m in merges]
    vocab = {s: i for i, s in enumerate(symbols + ["<|startoftext|>", "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    CLIPTokenizer(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"), model_max_length=77).save_pretrained(folder)


OPEN_CLIP_PREPROCESS = dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711], interpolation="bicubic", resize_mode="shortest")


def open_clip_pair(name):
    """One of open_clip's named models: how to make it, and what it computes."""

    def make(folder):
        import open_clip
        from safetensors.torch import save_file

        model = open_clip.create_model(name)
        widen(model)
        if any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules()):
            settle_batch_norms(model.visual, lambda: model.visual(torch.randn(4, 3, 224, 224)))
        config = {"model_cfg": open_clip.get_model_config(name), "preprocess_cfg": OPEN_CLIP_PREPROCESS}
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
        clip_tokenizer(folder)

    def reference(folder, pictures):
        import open_clip
        from safetensors.torch import load_file

        model = open_clip.create_model(name).eval()
        model.load_state_dict(load_file(folder / "open_clip_model.safetensors"))
        tokenize = open_clip.SimpleTokenizer(context_length=open_clip.get_model_config(name)["text_cfg"]["context_length"])
        transform = open_clip.image_transform(224, is_train=False, **OPEN_CLIP_PREPROCESS)
        return [model.encode_text(tokenize([t]))[0] for t in TEXTS] + [model.encode_image(transform(p)[None])[0] for p in pictures]

    return make, reference


def make_blip(folder):
    from transformers import BlipConfig, BlipForImageTextRetrieval
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    model = BlipForImageTextRetrieval(BlipConfig(text_config=dict(num_attention_heads=12))).eval()
    widen(model)
    model.save_pretrained(folder)
    bert_tokenizer(folder)
    BlipImageProcessorPil().save_pretrained(folder)


def blip_parts(folder):
    from transformers import BertTokenizer, BlipForImageTextRetrieval
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    return BlipForImageTextRetrieval.from_pretrained(folder).eval(), BertTokenizer.from_pretrained(folder), BlipImageProcessorPil.from_pretrained(folder)


def blip_reference(folder, pictures):
    model, tokenizer, processor = blip_parts(folder)
    texts = [model.text_proj(model.text_encoder(tokenizer(t, truncation=True, return_tensors="pt")["input_ids"]).last_hidden_state[0, 0]) for t in TEXTS]
    images = [model.vision_proj(model.vision_model(processor(p, return_tensors="pt")["pixel_values"]).last_hidden_state[0, 0]) for p in pictures]
    return texts + images


def compare_scores(moa, folder, files):
    """BLIP's head for image-text matching, every picture with every text."""
    command = [moa, "match", "--model", str(folder), "--format", "json"] + [a for t in TEXTS for a in ("--text", t)] + [a for f in files for a in ("--image", f)]
    found = np.array(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["score"])
    model, tokenizer, processor = blip_parts(folder)
    expected = np.zeros_like(found)
    with torch.no_grad():
        for i, file in enumerate(files):
            pixels = processor(open_picture(file), return_tensors="pt")["pixel_values"]
            for j, text in enumerate(TEXTS):
                ids = tokenizer(text, truncation=True, return_tensors="pt")["input_ids"]
                expected[i, j] = model(ids, pixels).itm_score.softmax(-1)[0, 1]
    print(f"  scores of the matching head: {np.abs(found - expected).max():.2e}, from {expected.min():.3f} to {expected.max():.3f}")


def open_picture(file):
    return ImageOps.exif_transpose(Image.open(file)).convert("RGB")


MAKERS = {"align-base": (make_align, align_reference), "RN50": open_clip_pair("RN50"), "coca_ViT-B-32": open_clip_pair("coca_ViT-B-32"),
          "blip-itm-base": (make_blip, blip_reference)}


def main():
    moa, work, name, files = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    make, reference = MAKERS[name]
    folder = work / name
    torch.manual_seed(7)
    if not folder.exists():
        folder.mkdir(parents=True)
        make(folder)
    if not files:
        return
    command = [moa, "embed", "--model", str(folder)] + [a for t in TEXTS for a in ("--text", t)] + files
    lines = [json.loads(line) for line in subprocess.run(command, capture_output=True, check=True).stdout.splitlines()]
    found = np.array([line["embedding"] for line in lines], dtype=np.float32)
    with torch.no_grad():
        stacked = torch.stack(reference(folder, [open_picture(f) for f in files]))
    expected = (stacked / stacked.norm(dim=-1, keepdim=True)).numpy()
    difference = np.abs(found - expected).max(axis=1)
    print(f"{name}: texts {difference[:len(TEXTS)].max():.2e}, {len(files)} pictures {difference[len(TEXTS):].max():.2e}")
    spread = expected @ expected.T
    print(f"  reference cosines between different inputs: {spread[~np.eye(len(spread), dtype=bool)].min():.3f} … "
          f"{spread[~np.eye(len(spread), dtype=bool)].max():.3f}")
    if name == "blip-itm-base":
        compare_scores(moa, folder, files)


if __name__ == "__main__":
    main()
