"""Exports of one model in f32, f16, int8 and calibrated int8, beside each other in ONNX Runtime: size, cosine with f32 on photos, speed.

Versions: onnxruntime 1.32.0, numpy 2.4.6, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python bench/onnx_precisions.py MOA MODEL FOLDER_OF_PHOTOS [THREADS]

The last 32 photos and other texts calibrate, the first 64 and TEXTS are compared; MOA_ONNXRUNTIME is that of the package that runs this.
Speed is the least of several rounds, in which the exports take turns, so that what else the machine does falls on all of them alike.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from tokenizers import Tokenizer

DTYPES = {"f32": "", "f16": "_fp16", "int8": "_quantized", "calibrated": "_quantized"}
CALIBRATION_TEXTS = ["a photo of a cat on a sofa", "눈 덮인 산", "two people talking in a kitchen", "a plate of food", "바다 위의 배", "night",
                     "an old building with a tower, seen from the street on a cloudy afternoon", "a drawing of a house"]
TEXTS = ["a photo of a dog", "강아지", "a red car parked in front of an old house", "풍경과 산이 있는 사진", "people dancing", "x",
         "The quick brown fox jumps over the lazy dog while thirteen other animals watch from behind the fence"]
ROUNDS = 7


def pixels_of(path, config):
    size = config["size"].get("shortest_edge") or config["size"]["height"]
    image = Image.open(path).convert("RGB")
    scale = size / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    crop = config.get("crop_size", {"height": size})
    crop = crop if isinstance(crop, int) else crop["height"]
    left, top = (image.width - crop) // 2, (image.height - crop) // 2
    values = np.asarray(image.crop((left, top, left + crop, top + crop)), np.float32) / 255
    return ((values - config["image_mean"]) / config["image_std"]).transpose(2, 0, 1).astype(np.float32)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def session_of(file, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def compare(name, sessions, sizes, feeds, timed):
    rows = {d: unit(np.concatenate([s.run(None, feed)[0] for feed in feeds])) for d, s in sessions.items()}
    best = dict.fromkeys(sessions, np.inf)
    for _ in range(ROUNDS):
        for dtype, session in sessions.items():
            begin = time.perf_counter()
            session.run(None, timed)
            best[dtype] = min(best[dtype], time.perf_counter() - begin)
    count = len(next(iter(timed.values())))
    for dtype in sessions:
        cosines = (rows[dtype] * rows["f32"]).sum(-1)
        print(f"{name} {dtype}: {sizes[dtype] / 1e6:.1f} MB ({sizes[dtype] / sizes['f32']:.3f}), cosine mean {cosines.mean():.5f} least "
              f"{cosines.min():.5f}, {best[dtype] * 1e3 / count:.2f} ms an item (batch {count})", flush=True)
    return rows


def main():
    moa, model, photos = sys.argv[1:4]
    threads = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    files = sorted(Path(photos).iterdir())
    os.environ["MOA_ONNXRUNTIME"] = str(Path(onnxruntime.__file__).parent / "capi")
    with tempfile.TemporaryDirectory() as work:
        texts_file = Path(work) / "texts"
        texts_file.write_text("\n".join(CALIBRATION_TEXTS) + "\n")
        calibrate = {"text": ["--calibrate-texts", texts_file], "image": [word for f in files[-32:] for word in ("--calibrate", f)]}
        folders = {d: Path(work) / d for d in DTYPES}
        for dtype, folder in folders.items():
            for tower in ("text", "image"):
                how = ["--dtype", "int8", *calibrate[tower]] if dtype == "calibrated" else ["--dtype", dtype]
                subprocess.run([moa, "export", model, "-q", "--tower", tower, *how, "-o", f"{folder}-{tower}"], check=True,
                               stdout=subprocess.DEVNULL)

        def open_all(tower, stem):
            graphs = {d: Path(f"{folders[d]}-{tower}") / "onnx" / f"{stem}{suffix}.onnx" for d, suffix in DTYPES.items()}
            return {d: session_of(f, threads) for d, f in graphs.items()}, {d: f.stat().st_size for d, f in graphs.items()}

        config = json.loads((Path(f"{folders['f32']}-image") / "preprocessor_config.json").read_text())
        pictures = np.stack([pixels_of(p, config) for p in files[:64]])
        sessions, sizes = open_all("image", "vision_model")
        images = compare("pictures", sessions, sizes, [{"pixel_values": p} for p in np.split(pictures, 8)], {"pixel_values": pictures[:8]})
        sessions, sizes = open_all("text", "text_model")
        tokenizer = Tokenizer.from_file(f"{folders['f32']}-text/tokenizer.json")
        tokenizer.no_padding()
        wanted = {i.name for i in sessions["f32"].get_inputs()}
        encoded = [np.array([tokenizer.encode(t).ids], np.int64) for t in TEXTS]
        feeds = [{k: v for k, v in {"input_ids": ids, "attention_mask": np.ones_like(ids)}.items() if k in wanted} for ids in encoded]
        timed = {k: np.repeat(v, 8, axis=0) for k, v in feeds[2].items()}
        texts = compare("texts", sessions, sizes, feeds, timed)
        for dtype in DTYPES:
            same = (images[dtype] @ texts[dtype].T).argmax(1) == (images["f32"] @ texts["f32"].T).argmax(1)
            print(f"{dtype}: the same best text of {len(TEXTS)} for {same.mean():.1%} of {len(images[dtype])} photos")


if __name__ == "__main__":
    main()
