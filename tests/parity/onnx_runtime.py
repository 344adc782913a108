"""What moa exports, in ONNX Runtime, against the reference implementations' own numbers.

Versions: onnxruntime 1.32.0, onnx 1.23.2, safetensors 0.7, numpy 2.4.6 (PyPI).
Usage: python tests/parity/onnx_runtime.py MOA [FOLDER...]      (every golden checkpoint below tests/golden, if none is given)

Each checkpoint is exported at opsets 14, 17, 20 and 21, checked by ONNX's full checker with shape inference, and run on the texts and pictures
of its expected.safetensors: each alone, and all in one padded batch, with rubbish behind the texts. Prints the largest difference of a component
of the unit vectors and fails above 1e-5.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
OPSETS = (14, 17, 20, 21)
TOLERANCE = 1e-5


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def run(session, name, feed):
    return unit(session.run([name], {k: v for k, v in feed.items() if k in {i.name for i in session.get_inputs()}})[0])


def texts_difference(session, expected):
    lengths = expected["lengths"]
    ends = np.cumsum(lengths)
    rows = [expected["ids"][end - length : end].astype(np.int64) for end, length in zip(ends, lengths)]
    ids = np.full((len(rows), lengths.max()), 1, np.int64)
    mask = np.zeros_like(ids)
    alone = []
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        ids[i, len(row) :] = row[-1]
        mask[i, : len(row)] = 1
        alone.append(run(session, "text_embeds", {"input_ids": row[None], "attention_mask": np.ones_like(row)[None]})[0])
    together = run(session, "text_embeds", {"input_ids": ids, "attention_mask": mask})
    return max(np.abs(np.stack(alone) - expected["text_vectors"]).max(), np.abs(together - expected["text_vectors"]).max())


def pictures(expected, chosen):
    """What a graph takes of the pictures with these numbers; of those in their own shapes, padded behind the largest."""
    if "grids" not in expected:
        return {"pixel_values": expected["pixels"][chosen]}
    ends = np.cumsum(expected["grids"].prod(1))
    patches = [expected["pixels"][ends[i] - expected["grids"][i].prod() : ends[i]] for i in chosen]
    most = max(map(len, patches))
    return {
        "pixel_values": np.stack([np.pad(p, ((0, most - len(p)), (0, 0)), constant_values=9) for p in patches]),
        "pixel_attention_mask": np.stack([(np.arange(most) < len(p)).astype(np.int64) for p in patches]),
        "spatial_shapes": expected["grids"][chosen].astype(np.int64),
    }


def images_difference(session, expected):
    every = list(range(len(expected["image_vectors"])))
    alone = np.concatenate([run(session, "image_embeds", pictures(expected, [i])) for i in every])
    together = run(session, "image_embeds", pictures(expected, every))
    return max(np.abs(alone - expected["image_vectors"]).max(), np.abs(together - expected["image_vectors"]).max())


def pairs_difference(session, vision, expected):
    """Of the probability that each text belongs to each picture."""
    seen = vision.run(["last_hidden_state"], pictures(expected, list(range(len(expected["image_vectors"])))))[0]
    ends = np.cumsum(expected["lengths"])
    worst = 0.0
    for text, (end, length) in enumerate(zip(ends, expected["lengths"])):
        ids = np.repeat(expected["ids"][None, end - length : end].astype(np.int64), len(seen), 0)
        found = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids), "encoder_hidden_states": seen})[0]
        worst = max(worst, np.abs(found[:, 0] - expected["match_probabilities"][:, text]).max())
    return worst


def scores_difference(session, expected):
    scores = session.run(["logits_per_image"], {
        **pictures(expected, [0]),
        "input_ids": expected["ids"][None, : expected["lengths"][0]].astype(np.int64),
        **({"attention_mask": np.ones((1, expected["lengths"][0]), np.int64)} if "attention_mask" in {i.name for i in session.get_inputs()} else {}),
    })[0]
    return float(np.isfinite(scores).all() - 1)


def check(moa, folder, opset):
    expected = load_file(folder / "expected.safetensors")
    worst = {}
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "export"
        done = subprocess.run([moa, "export", str(folder), "-o", str(out), "--opset", str(opset), "-q"], capture_output=True, text=True)
        if done.returncode:
            return {"refused": done.stderr.strip()}
        for file in sorted((out / "onnx").glob("*.onnx")):
            onnx.checker.check_model(str(file), full_check=True)
            session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
            names = {o.name for o in session.get_outputs()}
            if names == {"text_embeds"} and "text_vectors" in expected:
                worst["texts"] = texts_difference(session, expected)
            elif "image_embeds" in names and "logits_per_image" not in names and "image_vectors" in expected:
                worst["pictures"] = images_difference(session, expected)
            elif names == {"match_probability"}:
                vision = onnxruntime.InferenceSession(str(out / "onnx/vision_model.onnx"), providers=["CPUExecutionProvider"])
                worst["pairs"] = pairs_difference(session, vision, expected)
            elif "logits_per_image" in names:
                assert scores_difference(session, expected) == 0, file
    return worst


def main():
    moa = sys.argv[1]
    folders = [Path(f) for f in sys.argv[2:]] or sorted(
        p.parent for p in GOLDEN.rglob("expected.safetensors")
        if any((p.parent / name).exists() for name in ("config.json", "open_clip_config.json", "model.pt")))
    failed = False
    for folder in folders:
        for opset in OPSETS:
            worst = check(moa, folder, opset)
            failed |= any(isinstance(v, str) or not v <= TOLERANCE for v in worst.values())
            shown = ", ".join(f"{k} {v if isinstance(v, str) else format(v, '.1e')}" for k, v in worst.items())
            print(f"{folder.parent.name}/{folder.name} opset {opset}: {shown}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
