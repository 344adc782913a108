"""CLIP ViT-B/32 in f32: moa beside ONNX Runtime, from pixels and token ids to vectors, in turns on the same machine.

Versions: torch 2.15.0, transformers 5.23.0, onnx 1.23.2, onnxscript (any that torch accepts), onnxruntime 1.32.0, open_clip_torch 3.3.0 (PyPI).
Usage: python bench/clip.py BUILD MODEL [--rounds N] [--seconds S] [--batch N] [--threads N]

MODEL is a CLIP directory; if it is not there, it is made with random weights (tests/parity/full_size.py). The graphs that ONNX Runtime runs
are exported from it once, beside it. Each round runs each contender for S seconds; the best batch of all rounds counts, since whatever else
the machine does can only slow a batch down. Prints a table and one line of JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from transformers import AutoTokenizer, CLIPModel

CAPTIONS = [
    "A black dog runs along the beach with a stick in its mouth.",
    "Two children are building a sandcastle.",
    "A plate of noodles with vegetables and an egg on top.",
    "An old man reads a newspaper on a park bench.",
    "Snow-covered mountains behind a calm blue lake.",
    "A red bicycle leaning against a brick wall.",
    "People waiting for the train on a crowded platform in the evening.",
    "A cat asleep on a laptop keyboard.",
    "A woman in a yellow raincoat walks across the street.",
    "Several boats are moored in a small harbour at sunset.",
    "A bowl of fruit on a wooden table next to a window.",
    "The kitchen has white cupboards and a steel refrigerator.",
    "A surfer rides a large wave.",
    "A group of friends sitting around a campfire at night, one of them playing the guitar.",
    "An airplane taking off from the runway.",
    "A giraffe eats leaves from a tall tree while a zebra stands nearby.",
    "A close-up of a bee on a purple flower.",
    "Children in school uniforms wave at the camera.",
    "A narrow street with shops and paper lanterns.",
    "A tennis player stretches to reach the ball.",
    "A birthday cake with lit candles.",
    "A farmer drives a tractor through a field of wheat under a cloudy sky.",
    "Two men shake hands in an office.",
    "A small white house with a garden full of roses.",
    "A skateboarder jumps over a flight of stairs as his friends watch.",
    "A herd of sheep blocks a country road.",
    "A train passes over an old stone bridge.",
    "A cup of coffee and a croissant.",
    "The statue of a rider on a horse in the middle of a square.",
    "A baby elephant stands between the legs of its mother.",
    "A traffic light turns green at an empty crossing.",
    "Fireworks over the river in a big city on New Year's Eve.",
]


class VisionTower(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model.visual_projection(self.model.vision_model(pixel_values=pixels).pooler_output)


class TextTower(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask):
        return self.model.text_projection(self.model.text_model(input_ids=ids, attention_mask=mask).pooler_output)


def export(folder):
    """The two towers as graphs with any batch and length."""
    vision, text = folder / "vision.onnx", folder / "text.onnx"
    if vision.exists() and text.exists():
        return vision, text
    model = CLIPModel.from_pretrained(folder).eval()
    batch, length = torch.export.Dim("batch", min=1, max=1024), torch.export.Dim("length", min=2, max=77)
    size = model.config.vision_config.image_size
    ids = torch.randint(0, 1000, (2, 9))
    torch.onnx.export(VisionTower(model), (torch.zeros(2, 3, size, size),), str(vision), input_names=["pixels"], output_names=["vectors"],
                      dynamic_shapes={"pixels": {0: batch}}, dynamo=True)
    torch.onnx.export(TextTower(model), (ids, torch.ones_like(ids)), str(text), input_names=["ids", "mask"], output_names=["vectors"],
                      dynamic_shapes={"ids": {0: batch, 1: length}, "mask": {0: batch, 1: length}}, dynamo=True)
    return vision, text


def session(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def best_batch(run, seconds, clock):
    """The least time of one call among those that fit into `seconds`."""
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = clock()
        run()
        best = min(best, clock() - start)
    return best


class Onnx:
    def __init__(self, name, path, threads, inputs):
        self.name, self.session, self.inputs = name, session(path, threads), inputs
        self.batch = len(next(iter(inputs.values())))
        self.clock = time.process_time if threads == 1 else time.perf_counter

    def rate(self, seconds):
        return self.batch / best_batch(lambda: self.session.run(None, self.inputs), seconds, self.clock)


class Moa:
    def __init__(self, name, build, threads, arguments):
        self.name, self.threads = name, threads
        self.command = [str(build / "bench" / "clip_bench"), *arguments]
        self.seconds_at = 4

    def rate(self, seconds):
        command = [*self.command[: self.seconds_at], str(seconds), *self.command[self.seconds_at :]]
        done = subprocess.run(command, env={**os.environ, "MOA_THREADS": str(self.threads)}, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["per_second"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("build", type=Path)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = arguments.parse_args()
    threads = options.threads

    if not options.model.exists():
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "parity"))
        import full_size

        full_size.make(options.model, full_size.SIZES["clip-vit-base-patch32"])
    vision, text = export(options.model)

    tokenizer = AutoTokenizer.from_pretrained(options.model)
    captions = [CAPTIONS[i % len(CAPTIONS)] for i in range(options.batch)]
    ids_file = options.model / "bench_ids.txt"
    ids_file.write_text("".join(" ".join(map(str, ids)) + "\n" for ids in tokenizer(captions)["input_ids"]))
    lengths = [len(ids) for ids in tokenizer(captions)["input_ids"]]
    inputs = {}
    for padding in ("longest", "max_length"):
        padded = tokenizer(captions, padding=padding, max_length=77, return_tensors="np")
        inputs[padding] = {"ids": padded["input_ids"].astype(np.int64), "mask": padded["attention_mask"].astype(np.int64)}
    size = CLIPModel.from_pretrained(options.model).config.vision_config.image_size
    pixels = {"pixels": np.random.default_rng(1).uniform(-1.8, 2.1, (options.batch, 3, size, size)).astype(np.float32)}
    one = {name: value[:1] for name, value in pixels.items()}
    short = tokenizer(["a photo of a dog."], return_tensors="np")
    short = {"ids": short["input_ids"].astype(np.int64), "mask": short["attention_mask"].astype(np.int64)}
    short_file = options.model / "bench_one.txt"
    short_file.write_text(" ".join(map(str, short["ids"][0])) + "\n")

    model, batch = str(options.model), str(options.batch)
    groups = {
        f"pictures, batch {batch}": [
            Moa("moa", options.build, threads, [model, "pictures", batch]),
            Onnx("ONNX Runtime", vision, threads, pixels)],
        f"texts, batch {batch}, {np.mean(lengths):.1f} tokens each": [
            Moa("moa", options.build, threads, [model, "texts", batch, str(ids_file)]),
            Onnx(f"ONNX Runtime, padded to {max(lengths)}", text, threads, inputs["longest"]),
            Onnx("ONNX Runtime, padded to 77", text, threads, inputs["max_length"])],
        "one picture": [
            Moa("moa", options.build, threads, [model, "pictures", "1"]),
            Onnx("ONNX Runtime", vision, threads, one)],
        f"one text of {short['ids'].shape[1]} tokens": [
            Moa("moa", options.build, threads, [model, "texts", "1", str(short_file)]),
            Onnx("ONNX Runtime", text, threads, short)],
    }
    results = {}
    for round_number in range(options.rounds):
        for group, contenders in groups.items():
            for contender in contenders:
                rates = results.setdefault(group, {})
                rates[contender.name] = max(rates.get(contender.name, 0), contender.rate(options.seconds))
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
    for group, rates in results.items():
        print(group)
        for name, rate in rates.items():
            print(f"  {name:32} {rate:8.1f} a second   moa is {rates['moa'] / rate:.2f} times as fast")
    print(json.dumps({"threads": threads, "rates": results}))


main()
