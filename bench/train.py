"""A step of training CLIP ViT-B/32: moa train beside open_clip's own step, in turns.

Usage: python3 bench/train.py CLIP_DIRECTORY WORK_FOLDER MOA [MOA ...] [--rounds 5] [--steps 2] [--threads 2] [--batch 32] [--precision f32]

Every contender takes as many pictures of 224 x 224 and captions of 77 tokens a step, forwards both towers, the symmetric cross-entropy, backward, AdamW.
moa reads its pictures from files, decodes and augments them on threads beside the step; open_clip's model, loss and torch.optim.AdamW, as its training loop
has them, get tensors that lie ready. A round is one process of each contender, one after the other, whose first step does not count; its ratio is that of the
medians of the others. With --threads 1 processor time counts, so that neighbours on the machine matter less: moa's is that of a run of all steps less that of a
run of the first, its reading of pictures included. `ldd …/components/libmoa-train.so` tells which libtorch a moa was built with.

Needs open_clip_torch and torch.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

WORDS = "a photo of the small red dog that runs over wet grass beside two children near an old house in the evening".split()
WORDS_A_CAPTION = 90  # more than CLIP's 77 tokens: open_clip computes all of them in any case, moa only those that there are

SETTINGS = """
model: {model}
output: {output}
data: {{train: {pairs}}}
batch: {batch}
precision: {precision}
threads: {threads}
schedule: {{steps: {steps}}}
optimizer: {{learning_rate: 0.00001, beta2: 0.98, eps: 0.000001, weight_decay: 0.2}}
"""


def caption(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=WORDS_A_CAPTION))


def write_pairs(folder: Path, count: int) -> Path:
    import numpy as np
    from PIL import Image

    draw, noise = random.Random(5), np.random.default_rng(5)
    lines = ["filepath,title"]
    for i in range(count):
        coarse = noise.integers(0, 256, (14, 14, 3), dtype=np.uint8)  # large patches: a file of usual size
        Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg", quality=90)
        lines.append(f"{i}.jpg,{caption(draw)}")
    pairs = folder / "pairs.csv"
    pairs.write_text("\n".join(lines) + "\n")
    return pairs


def run_moa(moa: str, pairs: Path, steps: int, options: argparse.Namespace) -> list[float]:
    """Seconds of each step; of a single thread, processor seconds of the whole run."""
    output, settings = options.work / "out", options.work / "train.yaml"
    shutil.rmtree(output, ignore_errors=True)
    settings.write_text(SETTINGS.format(model=options.model, output=output.resolve(), pairs=pairs.resolve(), batch=options.batch,
                                        precision=options.precision, threads=options.threads, steps=steps))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([moa, "train", settings, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(output / "metrics.csv") as table:
        seconds = [options.batch / float(row["items_per_second"]) for row in csv.DictReader(table)]
    shutil.rmtree(output)
    return seconds if options.threads > 1 else [after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime]


def moa_steps(moa: str, pairs: Path, options: argparse.Namespace) -> list[float]:
    seconds = run_moa(moa, pairs, options.steps + 1, options)
    if options.threads > 1:
        return seconds[1:]
    return [(seconds[0] - run_moa(moa, pairs, 1, options)[0]) / options.steps]


def open_clip_steps(options: argparse.Namespace) -> list[float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--peer"]
    peer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(line) for line in peer.stdout.split()][1:]


def be_open_clip(options: argparse.Namespace) -> None:
    import open_clip
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(5)
    model = open_clip.create_model("ViT-B-32", force_quick_gelu=True)
    model.train()
    loss = open_clip.loss.ClipLoss()
    gains = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    optimizer = torch.optim.AdamW([{"params": gains, "weight_decay": 0.0}, {"params": others, "weight_decay": 0.2}],
                                  lr=1e-5, betas=(0.9, 0.98), eps=1e-6)
    pictures = torch.randn(options.batch, 3, 224, 224)
    draw = random.Random(5)
    texts = open_clip.get_tokenizer("ViT-B-32")([caption(draw) for _ in range(options.batch)])
    now = time.perf_counter if options.threads > 1 else time.process_time
    for _ in range(options.steps + 1):
        start = now()
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            total = loss(*model(pictures, texts))
        total.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)
        print(now() - start, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a CLIP directory; its numbers may be random")
    parser.add_argument("work", type=Path)
    parser.add_argument("moa", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        be_open_clip(options)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    pairs = write_pairs(options.work, options.batch * 2)
    seconds: dict[str, list[float]] = {name: [] for name in ["open_clip", *options.moa]}
    for _ in range(options.rounds):
        seconds["open_clip"].append(statistics.median(open_clip_steps(options)))
        for moa in options.moa:
            seconds[moa].append(statistics.median(moa_steps(moa, pairs, options)))
        print(*(f"{name} {taken[-1]:.2f} s" for name, taken in seconds.items()),
              f"(load {os.getloadavg()[0]:.1f})", sep="  ", flush=True)
    for name, taken in seconds.items():
        ratios = [peer / own for peer, own in zip(seconds["open_clip"], taken)]
        print(f"{name}: median {statistics.median(taken):.2f} s a step, {statistics.median(ratios):.2f} times open_clip's speed "
              f"({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
