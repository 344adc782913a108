"""What training computes, from the reference implementations: gradients of tiny checkpoints, losses, and a curve of 50 steps.

Versions: torch 2.15.0, transformers 5.23.0, open_clip_torch 3.3.0 (PyPI).
Usage: python tests/parity/training.py      (writes gradients.safetensors and curve.safetensors beside golden checkpoints, and
                                             tests/golden/losses/expected.safetensors)

A gradient is kept as two numbers a parameter, which no wrong one has by chance: its length, and its product with cos(0.7 i).
"""

import json
from pathlib import Path

import torch
from open_clip import CLIP
from open_clip.loss import ClipLoss, SigLipLoss
from safetensors.torch import load_file, save_file
from transformers import AutoModel

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
PAIRS = 3


def batch_of(folder):
    """The first texts of a golden checkpoint as padded ids with their mask, and its pictures."""
    expected = load_file(folder / "expected.safetensors")
    lengths = expected["lengths"].tolist()[:PAIRS]
    ids = torch.zeros(PAIRS, max(lengths), dtype=torch.long)
    mask = torch.zeros_like(ids)
    begin = 0
    for row, length in enumerate(lengths):
        ids[row, :length] = expected["ids"][begin : begin + length]
        mask[row, :length] = 1
        begin += length
    return ids, mask, expected["pixels"]


def unit(vectors):
    return vectors / vectors.norm(dim=-1, keepdim=True)


def pooled(output):
    return output.pooler_output if hasattr(output, "pooler_output") else output


def vectors_of(model, ids, mask, pixels):
    images = pooled(model.get_image_features(pixel_values=pixels))
    texts = pooled(model.get_text_features(input_ids=ids, attention_mask=mask))
    return unit(images), unit(texts)


def loss_of(model, kind, ids, mask, pixels):
    images, texts = vectors_of(model, ids, mask, pixels)
    return loss_between(model, kind, images, texts)


def loss_between(model, kind, images, texts):
    scale = 1 / model.temperature if hasattr(model, "temperature") else model.logit_scale.exp()
    if kind == "sigmoid":
        return SigLipLoss()(images, texts, scale.reshape(()), model.logit_bias.reshape(()))
    return ClipLoss()(images, texts, scale)


def stored_name(parameter, tensor, stored):
    """transformers 5 calls some tensors otherwise than the files that it writes: those are known by their values."""
    if parameter in stored:
        return parameter
    (same,) = [name for name, values in stored.items() if torch.equal(values.float(), tensor.detach())]
    return same


def write_gradients(name, kind):
    folder = GOLDEN / name
    stored = load_file(folder / "model.safetensors")
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    keep_gradients(folder, model, loss_of(model, kind, *batch_of(folder)), stored)


def write_open_clip_gradients(name):
    """The same of a checkpoint in open_clip's layout. Batch norms are in evaluation mode: their statistics stay as they are."""
    folder = GOLDEN / name
    stored = load_file(folder / "open_clip_model.safetensors")
    model = CLIP(**json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]).eval()
    model.load_state_dict(stored)
    ids, _, pixels = batch_of(folder)
    padded = torch.nn.functional.pad(ids, (0, model.context_length - ids.shape[1]))
    loss = loss_between(model, "info_nce", unit(model.encode_image(pixels)), unit(model.encode_text(padded)))
    keep_gradients(folder, model, loss, stored)


def keep_gradients(folder, model, loss, stored):
    loss.backward()
    kept = {"loss": loss.detach().reshape(1)}
    for parameter, tensor in model.named_parameters():
        if tensor.grad is None:
            continue
        gradient = tensor.grad.double().flatten()
        pattern = torch.cos(0.7 * torch.arange(gradient.numel(), dtype=torch.float64))
        kept[stored_name(parameter, tensor, stored)] = torch.stack([gradient.norm(), gradient @ pattern]).float()
    save_file(kept, folder / "gradients.safetensors")


def write_curve(name):
    """50 steps at a constant rate on one batch, the pictures shifted a little each step."""
    folder = GOLDEN / name
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.2}, {"params": others, "weight_decay": 0.0}], lr=2e-4, betas=(0.9, 0.98), eps=1e-6
    )
    ids, mask, pixels = batch_of(folder)
    losses = []
    for step in range(50):
        optimizer.zero_grad()
        loss = loss_of(model, "info_nce", ids, mask, pixels * (1 + step % 5))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, torch.log(torch.tensor(100.0)).item())
        losses.append(loss.item())
    save_file({"losses": torch.tensor(losses)}, folder / "curve.safetensors")


def info_nce_with_negatives(images, texts, negatives, scale, smoothing):
    """A picture picks its text among all of them, as sentence-transformers' MultipleNegativesRankingLoss does; a text picks among the pictures alone, as in NegCLIP."""
    targets = torch.arange(len(images))
    of_images = torch.nn.functional.cross_entropy(scale * images @ torch.cat([texts, negatives]).T, targets, label_smoothing=smoothing)
    of_texts = torch.nn.functional.cross_entropy(scale * texts @ images.T, targets, label_smoothing=smoothing)
    return (of_images + of_texts) / 2


def write_losses():
    torch.manual_seed(7)
    images, texts = unit(torch.randn(6, 5)), unit(torch.randn(6, 5))
    scale, bias = torch.tensor(14.2857), torch.tensor(-3.5)
    negatives = unit(torch.randn(4, 5))
    (GOLDEN / "losses").mkdir(exist_ok=True)
    save_file(
        {
            "images": images,
            "texts": texts,
            "info_nce": ClipLoss()(images, texts, scale).reshape(1),
            "sigmoid": SigLipLoss()(images, texts, scale, bias).reshape(1),
            "negatives": negatives,
            "info_nce_negatives": info_nce_with_negatives(images, texts, negatives, scale, 0).reshape(1),
            "info_nce_negatives_smoothed": info_nce_with_negatives(images, texts, negatives, scale, 0.1).reshape(1),
        },
        GOLDEN / "losses" / "expected.safetensors",
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_gradients("clip/odd_sizes", "info_nce")
    write_gradients("siglip/odd_sizes", "sigmoid")
    write_gradients("dual_encoder/vit_bert", "info_nce")
    write_gradients("align/odd_sizes", "info_nce")
    write_open_clip_gradients("clip_resnet/odd_sizes")
    write_curve("clip/odd_sizes")
    write_losses()
