"""Golden values for the bundled model: what recipes/moa-mini/reference.py computes from models/moa-mini.

    python tests/parity/moa_mini.py        (numpy 2.4, pillow 13.0, safetensors 0.8, tokenizers 0.23, torch 2.15)

Writes tests/golden/moa_mini/: texts.json, three generated pictures, and expected.safetensors with
  ids, lengths            every text's token ids, back to back
  text_vectors            [texts, 384], on the unit sphere
  text_first_layer, text_last_layer   hidden states of the first text
  pixels                  U8 [pictures, 3, 224, 224], resized and cropped, before normalising
  stem_means, block_means [pictures, channels], the mean over pixel positions after the stem and after the last block
  logits                  [pictures, 1000]
  image_vectors           [pictures, 384], on the unit sphere
"""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "recipes" / "moa-mini"))

from reference import MoaMini, unit  # noqa: E402

OUTPUT = ROOT / "tests" / "golden" / "moa_mini"

TEXTS = [
    "a dog", "", "강아지", "풍경과 산이 있는 사진", unicodedata.normalize("NFD", "강아지"), "可爱的小猫", "かわいい犬の写真",
    "ｶﾀｶﾅと全角ＡＢＣ", "crème brûlée à la carte", unicodedata.normalize("NFD", "crème brûlée"), "Größe, œuvre, ﬁne, ½",
    "👨‍👩‍👧 and a 🐶", "  two   spaces\tand a tab\nand a line ", "zero\u200bwidth\u00a0space", "собака", "<s> literal </s> <mask>",
    "NASA's 1969 moon landing: 21.07.1969!", "supercalifragilisticexpialidocious", "한국어와 English 混ぜる", "mountain " * 600,
]


def pictures() -> list[tuple[str, Image.Image]]:
    """Smooth, so that they compress; none of them square or of the model's size but the last."""
    made = []
    for name, (width_px, height_px) in (("wide", (331, 240)), ("tall", (97, 180)), ("exact", (224, 224))):
        x = np.linspace(0, 1, width_px)[None, :]
        y = np.linspace(0, 1, height_px)[:, None]
        disc = ((x - 0.5) ** 2 + (y - 0.55) ** 2 < 0.08).astype(float)
        channels = [0.2 + 0.6 * y + 0 * x, 0.5 + 0.4 * np.sin(6 * x + 2 * y), 0.9 - 0.5 * x * y]
        rgb = np.stack([channel * (1 - disc) + disc * (0.9, 0.5, 0.1)[i] for i, channel in enumerate(channels)], axis=-1)
        made.append((name, Image.fromarray((rgb * 255).round().astype(np.uint8))))
    return made


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    model = MoaMini(ROOT / "models" / "moa-mini")
    torch.set_num_threads(1)

    ids = [model.tokenize(text) for text in TEXTS]
    trace: dict[str, torch.Tensor] = {}
    model.forward_text(ids[0], trace)
    expected = {
        "ids": np.concatenate([np.array(row, dtype=np.int32) for row in ids]),
        "lengths": np.array([len(row) for row in ids], dtype=np.int32),
        "text_vectors": unit(np.stack([model.forward_text(row) for row in ids])),
        "text_first_layer": trace["first_layer"][0].numpy(),
        "text_last_layer": trace["last_layer"][0].numpy(),
    }

    made = pictures()
    pixels = np.stack([model.preprocess(picture) for _, picture in made])
    trace = {}
    vectors = model.forward_image(pixels, trace)
    mean, std = (np.array(model.processor[key], dtype=np.float64)[:, None, None] for key in ("image_mean", "image_std"))
    expected |= {
        "pixels": ((pixels * std + mean) * 255).round().astype(np.uint8),
        "stem_means": trace["stem"].mean(dim=(2, 3)).numpy(),
        "block_means": trace["blocks"].mean(dim=(2, 3)).numpy(),
        "logits": trace["logits"].numpy(),
        "image_vectors": unit(vectors),
    }
    for name, picture in made:
        picture.save(OUTPUT / f"{name}.png", optimize=True)
    (OUTPUT / "texts.json").write_text(json.dumps({"texts": TEXTS}, ensure_ascii=False, indent=1) + "\n")
    save_file({name: np.ascontiguousarray(value) for name, value in expected.items()}, OUTPUT / "expected.safetensors")


if __name__ == "__main__":
    main()
