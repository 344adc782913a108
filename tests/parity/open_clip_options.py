"""Golden checkpoints of what open_clip builds beside CLIP itself: SigLIP with timm's trunk, CLIPA, and options of the text tower.

Versions: torch 2.15.0, open_clip_torch 3.3.0, timm 1.0.31, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3, sentencepiece 0.2.0 (PyPI).
Usage: python tests/parity/open_clip_options.py            (writes tests/golden/open_clip/)

A timm model's name says its sizes; here it is made smaller, with the heads and the activation that the name stands for.
"""

import functools
import json
import os
import shutil
import sys
from pathlib import Path

import open_clip
import timm
import torch
from open_clip.tokenizer import HFTokenizer
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from clip import TEXTS, picture, randomise
from siglip_tokenizers import PLAIN, gemma, unigram, write_config

OUT = Path(__file__).resolve().parent.parent / "golden" / "open_clip"
PICTURES = [picture(0, 32, 32), picture(1, 51, 34), picture(2, 23, 67)]
UNUSUAL = TEXTS + ["snake_case, and: {punctuation}!", "ΣΊΣΥΦΟΣ A\u3000B\u00a0C", "a ﬁne DOG’S ｐｈｏｔｏ &amp;amp; one\r\n\x1b[1mfox", "a dogâ€™s cafÃ©"]


def wordpiece(folder, context):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(PLAIN, trainers.WordPieceTrainer(vocab_size=250, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_config(folder, tokenizer_class="BertTokenizer", do_lower_case=True, pad_token="[PAD]", sep_token="[SEP]", cls_token="[CLS]", unk_token="[UNK]",
                 mask_token="[MASK]", model_max_length=context)
    return tokenizer.get_vocab_size(), None


def case(name, seed, tokenizer, model_cfg, preprocess_cfg, timm_sizes=None, tokenizer_of=None):
    folder = OUT / name
    folder.mkdir(parents=True)
    text = model_cfg["text_cfg"]
    vocabulary, own = tokenizer(folder, text["context_length"])
    text["vocab_size"] = vocabulary
    reference = HFTokenizer(str(folder), context_length=text["context_length"], **text.get("tokenizer_kwargs", {}))
    if own is not None and text.get("tokenizer_kwargs", {}).get("clean") == "canonicalize":
        # transformers 5 rebuilds SiglipTokenizer from spiece.model; what it gives for cleaned texts is what both give.
        ids = [own(reference.clean_fn(t)) for t in UNUSUAL]
    else:
        ids = reference(UNUSUAL).tolist()
    create = timm.create_model
    if timm_sizes:
        timm.create_model = functools.partial(create, **timm_sizes)
    parts = {k: v for k, v in model_cfg.items() if k != "custom_text"}
    model = (open_clip.model.CustomTextCLIP if model_cfg.get("custom_text") else open_clip.model.CLIP)(**parts).eval()
    timm.create_model = create
    randomise(model, seed)
    with torch.no_grad():
        model.logit_scale.fill_(2.3)
        if model.logit_bias is not None:
            model.logit_bias.fill_(-2.7)
    transform = open_clip.image_transform(model_cfg["vision_cfg"]["image_size"], is_train=False, **preprocess_cfg)
    pixels = torch.stack([transform(p) for p in PICTURES])
    with torch.no_grad():
        image_vectors = torch.nn.functional.normalize(model.encode_image(pixels), eps=0)
        text_vectors = torch.nn.functional.normalize(model.encode_text(torch.tensor(ids)), eps=0)
        logits = model.logit_scale.exp() * image_vectors @ text_vectors.T
        probabilities = logits.softmax(-1) if model.logit_bias is None else (logits + model.logit_bias).sigmoid()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess_cfg}, indent=1) + "\n")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    tensors = dict(pixels=pixels, image_vectors=image_vectors, text_vectors=text_vectors, probabilities=probabilities,
                   ids=torch.tensor([i for row in ids for i in row], dtype=torch.int32), lengths=torch.tensor([len(row) for row in ids], dtype=torch.int32))
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, folder / "expected.safetensors")
    for index, image in enumerate(PICTURES):
        image.save(folder / f"picture{index}.png", optimize=True)
    (folder / "texts.json").write_text(json.dumps(UNUSUAL, ensure_ascii=False, indent=1) + "\n")


def main():
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    half = dict(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5], interpolation="bicubic", resize_mode="squash")
    siglip_text = dict(hf_tokenizer_name="timm/ViT-B-16-SigLIP", tokenizer_kwargs=dict(clean="canonicalize"), no_causal_mask=True, proj_bias=True,
                       pool_type="last", norm_kwargs=dict(eps=1e-6))
    siglip_vision = dict(timm_model_pretrained=False, timm_pool="map", timm_proj="none")
    case("siglip_base", 31, unigram,
         dict(embed_dim=24, init_logit_bias=-10, custom_text=True,
              vision_cfg=dict(siglip_vision, image_size=30, timm_model_name="vit_base_patch16_siglip_224"),
              text_cfg=dict(siglip_text, context_length=16, width=20, heads=2, layers=2)),
         half, timm_sizes=dict(img_size=30, patch_size=6, embed_dim=24, depth=2))
    case("siglip2_so400m", 32, functools.partial(gemma, tokenizer_class="GemmaTokenizer"),
         dict(embed_dim=32, init_logit_bias=-10, custom_text=True,
              vision_cfg=dict(siglip_vision, image_size=32, timm_model_name="vit_so400m_patch16_siglip_256"),
              text_cfg=dict(siglip_text, context_length=18, width=18, heads=3, layers=1, mlp_ratio=3.7362, act_kwargs=dict(approximate="tanh"))),
         dict(half, interpolation="bilinear"), timm_sizes=dict(img_size=32, patch_size=9, embed_dim=32, depth=1))
    case("siglip_i18n_so400m", 36, unigram,
         dict(embed_dim=32, init_logit_bias=-10, custom_text=True,
              vision_cfg=dict(siglip_vision, image_size=30, timm_model_name="vit_so400m_patch16_siglip_256"),
              text_cfg=dict({k: v for k, v in siglip_text.items() if k != "proj_bias"}, context_length=16, width=32, heads=4, layers=1, mlp_ratio=3.7362,
                            proj_type="none")),
         half, timm_sizes=dict(img_size=30, patch_size=10, embed_dim=32, depth=1))
    case("clipa", 33, wordpiece,
         dict(embed_dim=20,
              vision_cfg=dict(image_size=30, layers=2, width=36, head_width=12, patch_size=6, no_ln_pre=True, pool_type="avg", final_ln_after_pool=True),
              text_cfg=dict(context_length=14, hf_tokenizer_name="bert-base-uncased", tokenizer_kwargs=dict(strip_sep_token=True), width=24, heads=2, layers=2,
                            pool_type="last", no_causal_mask=True)),
         dict(half, resize_mode="squash"))
    case("mean_of_normed_first", 34, wordpiece,
         dict(embed_dim=18, quick_gelu=True,
              vision_cfg=dict(image_size=30, layers=1, width=24, head_width=8, patch_size=10, pool_type="avg", pos_embed_type="sin_cos_2d"),
              text_cfg=dict(context_length=14, hf_tokenizer_name="bert-base-uncased", width=24, heads=2, layers=1, pool_type="first", proj_bias=True)),
         dict(half, resize_mode="shortest"))
    case("eos_both_ways", 35, wordpiece,
         dict(embed_dim=18, custom_text=True,
              vision_cfg=dict(image_size=30, layers=1, width=24, head_width=8, patch_size=10),
              text_cfg=dict(context_length=14, hf_tokenizer_name="bert-base-uncased", width=24, heads=2, layers=1, pool_type="eos", eos_id=3,
                            no_causal_mask=True)),
         dict(half, resize_mode="longest", fill_color=0))


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
