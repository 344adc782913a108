"""What moa exports, in ONNX Runtime, against transformers at every length of a text and in batches of 1, 3 and 32.

Versions: onnxruntime 1.32.0, transformers 5.23.0, torch 2.15.0, safetensors 0.7, numpy 2.4.6 (PyPI).
Usage: python tests/parity/onnx_lengths.py MOA [FOLDER...]      (every golden checkpoint of transformers' below tests/golden, if none is given)

Each checkpoint is exported at opset 17. Texts of random ids have every length from two to the limit; pictures are random, of a tower that takes
them in their own shapes of every grid of 1 to 11 by 1 to 11 patches, alone and in batches of mixed grids. Beside equal lengths in a batch, texts of all lengths go through in one, padded with rubbish.
Prints the largest difference of a component of the unit vectors (of a probability, for BLIP's head) and fails above 1e-5.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.numpy import load_file
from transformers import AutoModel, BlipForImageTextRetrieval

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
KINDS = ("align", "altclip", "blip", "chinese_clip", "clip", "vision-text-dual-encoder", "siglip", "siglip2")
BATCHES = (1, 3, 32)
TOLERANCE = 1e-5


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def session_of(file):
    return onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])


def run(session, output, **feed):
    wanted = {i.name for i in session.get_inputs()}
    return session.run([output], {k: v for k, v in feed.items() if k in wanted})[0]


class Reference:
    def __init__(self, folder, kind):
        self.kind = kind
        loaded = BlipForImageTextRetrieval if kind == "blip" else AutoModel
        self.model = loaded.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()

    def texts(self, ids):
        ids = torch.tensor(ids)
        if self.kind == "blip":
            rows = self.model.text_encoder(ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0]
            return unit(self.model.text_proj(rows).numpy())
        return unit(self.model.get_text_features(ids, attention_mask=torch.ones_like(ids)).pooler_output.numpy())

    def pictures(self, feed):
        feed = {name: torch.tensor(array) for name, array in feed.items()}
        if self.kind == "blip":
            return unit(self.model.vision_proj(self.model.vision_model(**feed).last_hidden_state[:, 0]).numpy())
        return unit(self.model.get_image_features(**feed).pooler_output.numpy())

    def pairs(self, ids, pixels):
        return self.model(torch.tensor(ids), torch.tensor(pixels)).itm_score.softmax(-1)[:, 1:].numpy()


def texts_of(count, length, frame, vocabulary, pad, fixed, numbers):
    """Without the padding's own id, whose row transformers sets to zero when it loads some models: no text has it inside."""
    ids = numbers.integers(0, vocabulary, (count, length))
    ids[ids == pad] = frame[0]
    ids[:, 0], ids[:, -1] = frame
    return np.concatenate([ids, np.full((count, fixed - length), frame[1])], 1) if fixed else ids


def pictures_of(count, session, numbers):
    return {"pixel_values": numbers.standard_normal((count, *session.get_inputs()[0].shape[1:]), np.float32)}


def shaped_pictures_of(count, session, numbers):
    """Batches of pictures in their own shapes, in which every grid comes once."""
    every = numbers.permutation([(height, width) for height in range(1, 12) for width in range(1, 12)])
    for grids in np.split(every, range(count, len(every), count)):
        sizes = grids.prod(1)
        mask = (np.arange(sizes.max()) < sizes[:, None]).astype(np.int64)
        values = numbers.standard_normal((*mask.shape, session.get_inputs()[0].shape[2]), np.float32)
        yield {"pixel_values": values, "pixel_attention_mask": mask, "spatial_shapes": grids}


@torch.no_grad()
def check(moa, folder, kind):
    numbers = np.random.default_rng(7)
    reference = Reference(folder, kind)
    expected = load_file(folder / "expected.safetensors")
    frame = expected["ids"][[0, expected["lengths"][0] - 1]]
    config = json.loads((folder / "config.json").read_text())
    worst = {"texts": 0.0, "texts padded": 0.0, "pictures": 0.0}

    def note(what, found, wanted):
        difference = float(np.abs(found - wanted).max())
        worst[what] = max(worst.get(what, 0.0), difference if difference == difference else float("inf"))

    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "export"
        subprocess.run([moa, "export", str(folder), "-o", str(out), "-q"], check=True, stdout=subprocess.DEVNULL)
        text, vision = (session_of(out / "onnx" / f"{name}_model.onnx") for name in ("text", "vision"))
        limit = int(text.get_modelmeta().custom_metadata_map["moa.context_tokens"])
        fixed = text.get_inputs()[0].shape[1] if isinstance(text.get_inputs()[0].shape[1], int) else 0
        vocabulary = reference.model.get_input_embeddings().num_embeddings if kind == "blip" else expected["ids"].max() + 1
        match = session_of(out / "onnx/match_model.onnx") if kind == "blip" else None
        pad = config.get("text_config", {}).get("pad_token_id", 0)
        every = []
        for batch in BATCHES:
            for length in range(2, limit + 1):
                ids = texts_of(batch, length, frame, vocabulary, pad, fixed, numbers)
                rows = reference.texts(ids)
                note("texts", unit(run(text, "text_embeds", input_ids=ids, attention_mask=np.ones_like(ids))), rows)
                every.append((ids[0], rows[0]))
            for feed in shaped_pictures_of(batch, vision, numbers) if kind == "siglip2" else [pictures_of(batch, vision, numbers)]:
                note("pictures", unit(run(vision, "image_embeds", **feed)), reference.pictures(feed))
            if match:
                seen = run(vision, "last_hidden_state", **feed)
                note("pairs", run(match, "match_probability", encoder_hidden_states=seen, input_ids=ids, attention_mask=np.ones_like(ids)),
                     reference.pairs(ids, feed["pixel_values"]))
        longest = max(len(ids) for ids, _ in every)
        ids = numbers.integers(0, vocabulary, (len(every), longest))
        mask = np.zeros_like(ids)
        for i, (own, _) in enumerate(every):
            ids[i, : len(own)] = own
            mask[i, : len(own)] = 1
        note("texts padded", unit(run(text, "text_embeds", input_ids=ids, attention_mask=mask)), np.stack([rows for _, rows in every]))
    return limit, worst


def main():
    moa = sys.argv[1]
    folders = [Path(f) for f in sys.argv[2:]] or sorted(p.parent for p in GOLDEN.rglob("config.json"))
    largest = {}
    for folder in folders:
        kind = json.loads((folder / "config.json").read_text()).get("model_type")
        if kind not in KINDS or not (folder / "expected.safetensors").exists():
            continue
        limit, worst = check(moa, folder, kind)
        for what, difference in worst.items():
            largest[what] = max(largest.get(what, 0.0), difference)
        shown = ", ".join(f"{k} {v:.1e}" for k, v in worst.items())
        print(f"{folder.parent.name}/{folder.name}: texts of 2 to {limit} ids: {shown}", flush=True)
    print("largest: " + ", ".join(f"{k} {v:.1e}" for k, v in largest.items()))
    return 1 if any(not v <= TOLERANCE for v in largest.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
