"""Golden checkpoint for CLIP as OpenAI published it: a TorchScript archive, loaded by the reference's own loader.

Versions: torch 2.15.0, open_clip_torch 3.3.0, transformers 5.23.0, Pillow 13.0.0 (PyPI).
Usage: python tests/parity/openai_clip.py     (writes tests/golden/openai_clip/)

model.pt is traced from a network of that form in f16, as OpenAI's files are, without the code that debuggers read. Heads are 64 wide, which
those files do not say, so that this is the smallest one that there can be.
"""

import copy
import shutil
import sys
import warnings
import zipfile
from pathlib import Path

import open_clip
import torch

import clip as clip_goldens

OUT = Path(__file__).resolve().parent.parent / "golden" / "openai_clip"


def published(model, example):
    """The archive that OpenAI would have made of `model`: the weights of products in f16, and three settings as tensors."""
    mixed = copy.deepcopy(model)
    open_clip.model.convert_weights_to_lp(mixed, dtype=torch.float16)
    stored = {name: parameter.dtype for name, parameter in mixed.named_parameters()}
    for name, value in (("input_resolution", example[0].shape[-1]), ("context_length", example[1].shape[-1]), ("vocab_size", model.vocab_size)):
        if hasattr(model, name):
            delattr(model, name)
        model.register_buffer(name, torch.tensor(value))
    traced = torch.jit.trace(model, example, check_trace=False)  # in f32, which the processor can run
    for name, parameter in traced.named_parameters():
        parameter.data = parameter.data.to(stored[name])
    return traced


def main():
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    folder = OUT / "vit"
    folder.mkdir(parents=True)
    clip_goldens.MERGES = 20
    tokenizer = clip_goldens.tiny_tokenizer(folder)
    context, size = 20, 40
    model = open_clip.model.CLIP(
        embed_dim=24, quick_gelu=True, vision_cfg=dict(image_size=size, layers=1, width=64, patch_size=8),
        text_cfg=dict(context_length=context, vocab_size=len(tokenizer), width=64, heads=1, layers=1)).eval()
    clip_goldens.randomise(model, 5)
    published(model, (torch.ones(1, 3, size, size), torch.zeros(1, context, dtype=torch.long))).save(str(folder / "whole.pt"))
    with zipfile.ZipFile(folder / "whole.pt") as whole, zipfile.ZipFile(folder / "model.pt", "w") as archive:
        for info in whole.infolist():
            if not info.filename.endswith(".debug_pkl"):
                archive.writestr(info.filename, whole.read(info), compress_type=info.compress_type)
    (folder / "whole.pt").unlink()

    # What load_openai_model does, but for a mask that today's module registers and OpenAI's did not.
    state = {name: tensor for name, tensor in torch.jit.load(str(folder / "model.pt")).state_dict().items() if name != "attn_mask"}
    reference = open_clip.model.build_model_from_openai_state_dict(state, cast_dtype=torch.float32).float().eval()
    ids = [tokenizer(t, truncation=True, max_length=context)["input_ids"] for t in clip_goldens.TEXTS]
    padded = torch.zeros(len(ids), context, dtype=torch.long)
    for i, row in enumerate(ids):
        padded[i, : len(row)] = torch.tensor(row)
    transform = open_clip.image_transform(size, is_train=False)
    pixels = torch.stack([transform(p) for p in clip_goldens.PICTURES])
    with torch.no_grad():
        image_vectors = torch.nn.functional.normalize(reference.encode_image(pixels), eps=0)
        text_vectors = torch.nn.functional.normalize(reference.encode_text(padded), eps=0)
        probabilities = (reference.logit_scale.exp() * image_vectors @ text_vectors.T).softmax(-1)
    clip_goldens.save_expected(folder, {"pixels": pixels, "image_vectors": image_vectors, "text_vectors": text_vectors, "probabilities": probabilities},
                               ids, clip_goldens.PICTURES)


if __name__ == "__main__":
    sys.exit(main())
