"""Picture files a second, from the file to the vector: moa beside the pipelines of transformers and open_clip, in turns.

    python bench/files.py MOA MODEL FOLDER [--files N] [--rounds N] [--threads N] [--only NAME,…]

The peers read with Pillow and take their own library's preprocessing (transformers' fast processor, open_clip's transform), the files of a batch of 32 by
as many threads as the model has; loading the model is not counted. Of moa, the command is timed, and the same command with one file is taken off. Of each
contender the best round counts.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import peer

NAMES = ["transformers-f32", "transformers-bf16", "open_clip-f32", "open_clip-bf16"]
BATCH = 32


def transformers_pipeline(model, dtype, threads):
    from PIL import Image
    from transformers import AutoImageProcessor

    library = peer.Transformers(model, dtype, threads)
    processor = AutoImageProcessor.from_pretrained(model)

    def load(path):
        with Image.open(path) as picture:
            return processor(images=picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    return load, lambda pixels: library.run(lambda: peer.pictures_to_vectors(library.model, library.torch.stack(pixels).to(library.dtype)))


def open_clip_pipeline(model, dtype, threads):
    from PIL import Image

    library = peer.OpenClip(model, dtype, threads)
    transform = library.open_clip.image_transform(peer.picture_size(model), is_train=False)

    def load(path):
        with Image.open(path) as picture:
            return transform(picture)

    return load, lambda pixels: library.run(lambda: library.model.encode_image(library.torch.stack(pixels).to(library.dtype)))


def serve(name, model, threads):
    """Answers each line of stdin, a list of files in JSON, with the seconds they took."""
    library, dtype = name.rsplit("-", 1)
    load, forward = {"transformers": transformers_pipeline, "open_clip": open_clip_pipeline}[library](model, dtype, threads)
    with ThreadPoolExecutor(threads) as pool:
        print("ready", flush=True)
        for line in sys.stdin:
            files = json.loads(line)
            forward(list(pool.map(load, files[:1])))
            start = time.perf_counter()
            for begin in range(0, len(files), BATCH):
                forward(list(pool.map(load, files[begin : begin + BATCH])))
            print(time.perf_counter() - start, flush=True)


class Peer:
    def __init__(self, name, model, threads):
        command = [sys.executable, __file__, "--serve", name, str(model), str(threads)]
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        self.process.stdout.readline()  # it is ready: nothing else runs while one is measured

    def seconds(self, files):
        self.process.stdin.write(json.dumps(files) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


class Moa:
    def __init__(self, command, dtype, model, threads):
        self.command = [str(command), "embed", "--model", str(model), "--dtype", dtype, "--threads", str(threads)]

    def run(self, files):
        start = time.perf_counter()
        subprocess.run([*self.command, *files], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    def seconds(self, files):
        return self.run(files) - self.run(files[:1])


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("moa", type=Path)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--files", type=int, default=192)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    files = sorted(str(path) for path in options.folder.iterdir() if path.is_file())[: options.files]
    names = options.only.split(",") if options.only else ["moa-f32", "moa-bf16", "moa-int8", *NAMES]
    contenders = {}
    for name in names:
        library, dtype = name.rsplit("-", 1)
        contenders[name] = (Moa(options.moa.resolve(), dtype, options.model, options.threads) if library == "moa"
                            else Peer(name, options.model, options.threads))
    # moa's single file stands for the preparation, so that it is one file fewer.
    counted = {name: len(files) - 1 if name.startswith("moa") else len(files) for name in names}
    rates = dict.fromkeys(names, 0.0)
    for round_number in range(options.rounds):
        for name, contender in contenders.items():
            rates[name] = max(rates[name], counted[name] / contender.seconds(files))
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
    for name, rate in rates.items():
        print(f"{name:18} {rate:6.1f} files a second")
    for name in names:
        if name.startswith("moa"):
            continue
        ratios = [f"{other} {rates[other] / rates[name]:.2f}" for other in names if other.startswith("moa")]
        print(f"times {name}: {', '.join(ratios)}")


if __name__ == "__main__":
    main()
