"""A step of training CLIP: moa train beside open_clip's own step, in turns on one machine.

    python bench/train.py MOA MODEL WORK_FOLDER [--batch 32] [--steps 4] [--rounds 3] [--threads N] [--words 90] [--precision f32]

MODEL is a CLIP directory in the layout of transformers (tests/parity/full_size.py makes one with random weights). Both sides take BATCH pictures of
224 x 224 and captions of the same lengths, forward both towers, the symmetric cross-entropy, backward, AdamW. moa reads its pictures from files, decodes
and augments them on threads beside the step; open_clip (ViT-B-32, its `model`, `ClipLoss` and `torch.optim.AdamW`, as its training loop has them) gets
tensors that lie ready. A round is one process of each; the first step of a process does not count, of all others the median does.

Prints seconds a step of both, and their ratio. moa says which libtorch it was built with by what it is linked to: build it with
CMAKE_PREFIX_PATH=…/site-packages/torch to have both on the same one.
"""

import argparse
import csv
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

WORDS = "a photo of the small red dog that runs over wet grass beside two children near an old house in the evening".split()


def write_pairs(folder, count, words):
    import numpy as np
    from PIL import Image

    draw = random.Random(5)
    noise = np.random.default_rng(5)
    lines = ["filepath,title"]
    for i in range(count):
        coarse = noise.integers(0, 256, (14, 14, 3), dtype=np.uint8)  # large patches: a file of usual size
        Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg", quality=90)
        lines.append(f"{i}.jpg,{' '.join(draw.choices(WORDS, k=words))}")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")


def moa_steps(moa, model, folder, options):
    """Seconds of each step but the first, from metrics.csv."""
    output = folder / "out"
    subprocess.run(["rm", "-rf", str(output)], check=True)
    (folder / "train.yaml").write_text(
        f"model: {model}\noutput: {output}\ndata: {{train: pairs.csv}}\nbatch: {options.batch}\nprecision: {options.precision}\n"
        f"threads: {options.threads}\nschedule: {{steps: {options.steps + 1}}}\noptimizer: {{learning_rate: 0.00001}}\n")
    subprocess.run([moa, "train", str(folder / "train.yaml"), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with open(output / "metrics.csv") as table:
        seconds = [options.batch / float(row["items_per_second"]) for row in csv.DictReader(table)]
    subprocess.run(["rm", "-rf", str(output)], check=True)
    return seconds[1:]


def open_clip_steps(options):
    """The same of open_clip; run in a process of its own."""
    import open_clip
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(5)
    model = open_clip.create_model("ViT-B-32", force_quick_gelu=True)
    model.train()
    loss = open_clip.loss.ClipLoss()
    gains = [p for p in model.parameters() if p.ndim < 2]
    others = [p for p in model.parameters() if p.ndim >= 2]
    optimizer = torch.optim.AdamW([{"params": gains, "weight_decay": 0.0}, {"params": others, "weight_decay": 0.2}], lr=1e-5, betas=(0.9, 0.98), eps=1e-6)
    pictures = torch.randn(options.batch, 3, 224, 224)
    draw = random.Random(5)
    texts = open_clip.get_tokenizer("ViT-B-32")([" ".join(draw.choices(WORDS, k=options.words)) for _ in range(options.batch)])
    for _ in range(options.steps + 1):
        start = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16"):
            images, captions, scale = model(pictures, texts)
            total = loss(images, captions, scale)
        total.backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6052)
        print(time.perf_counter() - start, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("moa")
    parser.add_argument("model")
    parser.add_argument("work", type=Path)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--words", type=int, default=90, help="of a caption; 90 fill all 77 tokens, which open_clip computes in any case")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        open_clip_steps(options)
        return
    options.work.mkdir(parents=True, exist_ok=True)
    write_pairs(options.work, options.batch * 2, options.words)
    found = {"moa": [], "open_clip": []}
    for _ in range(options.rounds):
        found["moa"] += moa_steps(options.moa, options.model, options.work, options)
        peer = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--peer"], check=True, stdout=subprocess.PIPE, text=True)
        found["open_clip"] += [float(line) for line in peer.stdout.split()][1:]
    middle = {name: statistics.median(seconds) for name, seconds in found.items()}
    for name, seconds in found.items():
        print(f"{name}: median {middle[name]:.3f} s a step, fastest {min(seconds):.3f}, of {len(seconds)}")
    print(f"moa takes {middle['moa'] / middle['open_clip']:.3f} of open_clip's time")


if __name__ == "__main__":
    main()
