"""How fast moa is, and what memory it takes, by size of model.

    python bench/sizes.py MOA WORK_FOLDER NAME… [--seconds S] [--make]      (NAME: a key of MODELS, or "all")

With --make, writes WORK_FOLDER/NAME: the published shape with random numbers, which are as fast as trained ones. Without, runs `moa bench` there
and prints a line of JSON a model. Texts are the captions of `moa bench`; tokenizers are CLIP's own, or tiny ones where the model pads its texts anyway.

Versions: torch 2.15.0, transformers 5.23.0, open_clip_torch 3.3.0.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "parity"))

CLIP_LARGE_TEXT = dict(hidden_size=768, intermediate_size=3072, num_attention_heads=12)
CLIP_HUGE_TEXT = dict(hidden_size=1024, intermediate_size=4096, num_attention_heads=16, num_hidden_layers=24)
VIT_LARGE = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16)
SO400M = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16)


def numbers(shape, name):
    """Random, of a size that keeps a network's values in bounds; the norms' weights and variances are 1."""
    if len(shape) < 2:
        is_scale = name.endswith(("norm.weight", "norm1.weight", "norm2.weight", "ln_1.weight", "ln_2.weight", "running_var"))
        return torch.full(shape, 1.0 if is_scale else 0.01)
    count = torch.Size(shape).numel()
    repeated = numbers.pool.repeat(-(-count // numbers.pool.numel()))[:count]
    return repeated.reshape(shape) * torch.Size(shape[1:]).numel() ** -0.5


numbers.pool = torch.randn(4_000_037, generator=torch.Generator().manual_seed(7))


def save(state, file):
    save_file({name: numbers(tuple(tensor.shape), name) for name, tensor in state.items() if tensor.is_floating_point()}, file)


def transformers_model(folder, kind, config, processor, tokenizer):
    folder.mkdir(parents=True)
    with torch.device("meta"):
        model = kind(config)
    tied = {name for name, _ in model.named_parameters()} | {name for name, _ in model.named_buffers()}
    save({name: tensor for name, tensor in model.state_dict().items() if name in tied}, folder / "model.safetensors")
    config.architectures = [kind.__name__]
    config.save_pretrained(folder)
    processor.save_pretrained(folder)
    tokenizer(folder)


def clip_tokenizer(folder):
    import full_size

    full_size.save_tokenizer(folder)


def clip(folder, image=224, **config):
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

    vision = dict(config.pop("vision_config", {}), image_size=image)
    processor = CLIPImageProcessorPil(size={"shortest_edge": image}, crop_size={"height": image, "width": image})
    transformers_model(folder, CLIPModel, CLIPConfig(vision_config=vision, **config), processor, clip_tokenizer)


def siglip(folder, image, vision, text, vocabulary=32000):
    from siglip_tokenizers import unigram
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipModel

    config = SiglipConfig(vision_config=dict(vision, image_size=image), text_config=dict(text, vocab_size=vocabulary))
    processor = SiglipImageProcessorPil(size={"height": image, "width": image})
    transformers_model(folder, SiglipModel, config, processor, lambda folder: unigram(folder, 64))


def align(folder):
    import tiny_tokenizers
    from transformers import AlignConfig, AlignModel, EfficientNetImageProcessorPil

    config = AlignConfig(text_config={}, vision_config=dict(image_size=289, hidden_dim=640), projection_dim=640)
    processor = EfficientNetImageProcessorPil(size={"height": 346, "width": 346}, resample=2, crop_size={"height": 289, "width": 289}, do_center_crop=True,
                                              rescale_factor=1 / 127.5, rescale_offset=True, do_normalize=False, include_top=False)
    transformers_model(folder, AlignModel, config, processor, lambda folder: tiny_tokenizers.bert(folder, 64))


def xlm_roberta(folder):
    import tiny_tokenizers
    from transformers import CLIPImageProcessorPil, XLMRobertaConfig, XLMRobertaModel

    config = XLMRobertaConfig(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    transformers_model(folder, XLMRobertaModel, config, CLIPImageProcessorPil(), lambda folder: tiny_tokenizers.xlm_roberta(folder, 512))
    (folder / "preprocessor_config.json").unlink()
    modules = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
               {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 768, "pooling_mode_mean_tokens": True}))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 512, "do_lower_case": False}))


def open_clip_model(folder, name):
    import open_clip
    from open_clip.factory import get_model_config

    folder.mkdir(parents=True)
    config = get_model_config(name)
    with torch.device("meta"):
        model = open_clip.create_model(name, device="meta", pretrained=None)
    save(model.state_dict(), folder / "open_clip_model.safetensors")
    half = dict(mean=[0.48145466, 0.4578275, 0.40821073], std=[0.26862954, 0.26130258, 0.27577711], interpolation="bicubic", resize_mode="shortest")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": half}))
    clip_tokenizer(folder)


MODELS = {
    "clip-vit-base-patch32": lambda folder: clip(folder),
    "clip-vit-base-patch16": lambda folder: clip(folder, vision_config=dict(patch_size=16)),
    "clip-vit-large-patch14": lambda folder: clip(folder, text_config=CLIP_LARGE_TEXT, vision_config=dict(VIT_LARGE, patch_size=14), projection_dim=768),
    "clip-vit-large-patch14-336": lambda folder: clip(folder, 336, text_config=CLIP_LARGE_TEXT, vision_config=dict(VIT_LARGE, patch_size=14), projection_dim=768),
    "clip-vit-huge-patch14": lambda folder: clip(folder, text_config=CLIP_HUGE_TEXT, projection_dim=1024, vision_config=dict(
        hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=16, patch_size=14)),
    "RN50": lambda folder: open_clip_model(folder, "RN50"),
    "RN50x4": lambda folder: open_clip_model(folder, "RN50x4"),
    "RN50x16": lambda folder: open_clip_model(folder, "RN50x16"),
    "RN50x64": lambda folder: open_clip_model(folder, "RN50x64"),
    "siglip-base-patch16-224": lambda folder: siglip(folder, 224, {}, {}),
    "siglip-base-patch16-384": lambda folder: siglip(folder, 384, {}, {}),
    "siglip2-base-patch16-256": lambda folder: siglip(folder, 256, {}, {}, 256000),
    "siglip-large-patch16-256": lambda folder: siglip(folder, 256, VIT_LARGE, VIT_LARGE),
    "siglip-so400m-patch14-384": lambda folder: siglip(folder, 384, dict(SO400M, patch_size=14), SO400M),
    "siglip2-so400m-patch16-256": lambda folder: siglip(folder, 256, SO400M, SO400M, 256000),
    "coca-vit-base-patch32": lambda folder: open_clip_model(folder, "coca_ViT-B-32"),
    "align-base": align,
    "xlm-roberta-base": xlm_roberta,
}


def measure(moa, folder, seconds):
    found = {"model": folder.name}
    for dtype in ("f32", "int8"):
        for modality, batch in (("image", 4), ("text", 16)):
            done = subprocess.run([moa, "bench", "--model", folder, "--dtype", dtype, "--modality", modality, "--batch", str(batch), "--seconds", str(seconds),
                                   "--format", "json"], capture_output=True, text=True)
            (row,) = json.loads(done.stdout)["rows"] if done.stdout else [{"error": {"message": done.stderr}}]
            found[f"{modality} {dtype}"] = row.get("error", {}).get("message") or {key: round(row[key], 2) for key in ("per_second", "memory_bytes")}
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("moa")
    arguments.add_argument("work", type=Path)
    arguments.add_argument("names", nargs="+")
    arguments.add_argument("--seconds", type=float, default=2)
    arguments.add_argument("--make", action="store_true")
    options = arguments.parse_args()
    for name in MODELS if options.names == ["all"] else options.names:
        if options.make:
            MODELS[name](options.work / name)
        else:
            print(json.dumps(measure(options.moa, options.work / name, options.seconds)), flush=True)


if __name__ == "__main__":
    main()
