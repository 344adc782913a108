"""moa against the references on full-size random dual encoders and text models of BERT's family.

Versions: torch 2.15.0, transformers 5.23.0, sentence-transformers 6.2.0, open_clip_torch 3.3.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/full_size_bert.py MOA WORK_FOLDER NAME PICTURE...      (NAME: one of the functions below)

Writes WORK_FOLDER/NAME once (random weights), embeds a list of texts and the pictures with both, and prints the largest difference of a component
of the unit vectors. The tokenizers are tiny; the tables behind them have their published sizes.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import tiny_tokenizers
import torch
from full_size import TEXTS
from PIL import Image, ImageOps
from safetensors.torch import save_file
from torch.nn.functional import normalize

torch.set_num_threads(2)


def randomise(model):
    """An initialisation's weights are so small that every input would get nearly the same vector."""
    torch.manual_seed(7)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.ndim >= 2:
                p.normal_(std=0.3 if "embedding" in name or p.ndim > 2 and p.shape[0] == 1 else p[0].numel() ** -0.5)
    return model.eval()


def transformers_pair(folder, make, tokenizer, processor, context):
    tokenizer = tokenizer(folder, context)
    processor.save_pretrained(folder)
    model = randomise(make())
    model.save_pretrained(folder)

    def reference(pictures):
        vectors = [model.get_text_features(**tokenizer(t, truncation=True, return_tensors="pt")).pooler_output[0] for t in TEXTS]
        for path in pictures:
            pixels = processor(ImageOps.exif_transpose(Image.open(path)), return_tensors="pt")["pixel_values"]
            vectors.append(model.get_image_features(pixels).pooler_output[0])
        return torch.stack(vectors)

    return reference


def chinese_clip(folder):
    from transformers import ChineseCLIPConfig, ChineseCLIPImageProcessorPil, ChineseCLIPModel

    config = ChineseCLIPConfig(text_config=dict(vocab_size=21128), vision_config=dict(patch_size=16), projection_dim=512)
    processor = ChineseCLIPImageProcessorPil(size={"height": 224, "width": 224}, do_center_crop=False)
    return transformers_pair(folder, lambda: ChineseCLIPModel(config), tiny_tokenizers.bert, processor, 52)


def altclip(folder):
    from transformers import AltCLIPConfig, AltCLIPModel, CLIPImageProcessorPil

    vision = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14)
    config = AltCLIPConfig(text_config={}, vision_config=vision, projection_dim=768)
    return transformers_pair(folder, lambda: AltCLIPModel(config), tiny_tokenizers.xlm_roberta, CLIPImageProcessorPil(), 77)


def vit_bert(folder):
    from transformers import BertConfig, ViTConfig, ViTImageProcessorPil, VisionTextDualEncoderConfig, VisionTextDualEncoderModel

    config = VisionTextDualEncoderConfig.from_vision_text_configs(ViTConfig(), BertConfig())
    return transformers_pair(folder, lambda: VisionTextDualEncoderModel(config), tiny_tokenizers.bert, ViTImageProcessorPil(), 512)


def text_model(folder, config, tokenizer, context, modules):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from transformers import AutoModel

    plain = folder / "plain"
    plain.mkdir()
    tokenizer(plain, context)
    randomise(AutoModel.from_config(config)).save_pretrained(plain)
    model = SentenceTransformer(modules=[Transformer(str(plain)), *map(randomise, modules)], device="cpu")
    model.save(str(folder), create_model_card=False)
    for file in plain.iterdir():
        file.unlink()
    plain.rmdir()
    return lambda pictures: torch.tensor(model.encode(TEXTS))


def xlm_roberta_base(folder):
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import XLMRobertaConfig

    config = XLMRobertaConfig(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    return text_model(folder, config, tiny_tokenizers.xlm_roberta, 512, [Pooling(768, "mean")])


def multilingual_v1(folder):
    from sentence_transformers.base.modules import Dense
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import DistilBertConfig

    modules = [Pooling(768, "mean"), Dense(768, 512, bias=False, activation_function=torch.nn.Identity())]
    return text_model(folder, DistilBertConfig(vocab_size=119547), tiny_tokenizers.distilbert, 128, modules)


def open_clip_xlm_roberta(folder):
    import open_clip
    from open_clip.hf_model import HFTextEncoder
    from open_clip.tokenizer import HFTokenizer
    from transformers import XLMRobertaConfig

    tiny_tokenizers.xlm_roberta(folder, 77)
    tokenizer = HFTokenizer(str(folder), context_length=77)
    config = XLMRobertaConfig(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    model_cfg = {"embed_dim": 512, "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
                 "text_cfg": {"hf_model_name": "xlm-roberta-base", "hf_tokenizer_name": "xlm-roberta-base", "hf_pooler_type": "mean_pooler"}}
    preprocess = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711], "interpolation": "bicubic", "resize_mode": "shortest"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess}))
    text = randomise(HFTextEncoder("xlm-roberta-base", 512, config=config, pooler_type="mean_pooler", proj_type="mlp"))
    visual = randomise(open_clip.model._build_vision_tower(512, model_cfg["vision_cfg"]))
    tensors = {**{"text." + k: v for k, v in text.state_dict().items()}, **{"visual." + k: v for k, v in visual.state_dict().items()}}
    tensors["logit_scale"] = torch.tensor(2.6592)
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "open_clip_model.safetensors")
    transform = open_clip.image_transform(224, is_train=False, **preprocess)

    def reference(pictures):
        images = [visual(transform(ImageOps.exif_transpose(Image.open(path)))[None]) for path in pictures]
        return torch.cat([text(tokenizer(TEXTS)), *images])

    return reference


def main():
    moa, work, name, pictures = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
    folder = work / name
    folder.mkdir(parents=True)
    reference = globals()[name](folder)
    if name in ("xlm_roberta_base", "multilingual_v1"):
        pictures = []
    with torch.no_grad():
        expected = normalize(reference(pictures)).numpy()
    command = [moa, "embed", "--model", str(folder)] + [a for t in TEXTS for a in ("--text", t)] + pictures
    lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip("\n").split("\n")
    found = np.array([json.loads(line)["embedding"] for line in lines], dtype=np.float32)
    difference = np.abs(found - expected).max(axis=1)
    texts = len(TEXTS)
    print(f"{name}: texts {difference[:texts].max():.2e}" + (f", {len(pictures)} pictures {difference[texts:].max():.2e}" if pictures else ""))
    spread = (expected[:texts] @ expected[:texts].T)[~np.eye(texts, dtype=bool)]
    print(f"  reference cosines between different texts: {spread.min():.3f} … {spread.max():.3f}")


if __name__ == "__main__":
    main()
