"""A tensor-train adapter beside LoRA on moa-mini's text tower: keywords of drawings by their titles.

    python compare.py DATA WORK [--moa MOA] [--steps 30]      DATA: of clipart.py

Both sit on the six linear layers of every layer, and learn from the same pairs for as many steps. Each kind's learning
rate is the one of RATES whose model, of seed 0, finds most on validation.tsv (top-1, then top-5); with it every seed is
measured on test.tsv. Of equal scores the wrong ones count as nearer. Runs that are there in WORK are not repeated; use
another WORK for other steps or another moa-mini.
Needs numpy.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from pathlib import Path

import numpy as np

KINDS = {"lora": 4, "tt_lora": 7}  # rank; 7 is the largest of which tt_lora has at most 40 % of the numbers
RATES = [1e-3, 3e-3, 1e-2]
SEEDS = [0, 1, 2]
TOP = [1, 5]

SETTINGS = """
model: moa-mini
output: {output}
seed: {seed}
data: {{train: {table}, kind: texts, first_column: title, second_column: keywords, quotes: false, workers: 1}}
freeze: image
adapter: {{kind: {kind}, rank: {rank}, targets: "text_model.encoder.*"}}
loss: {{learns_logit_scale: false}}
optimizer: {{learning_rate: {rate}, weight_decay: 0}}
schedule: {{steps: {steps}, warmup_steps: {warmup}}}
batch: 16
threads: 1
"""


class Comparison:
    def __init__(self, data: Path, work: Path, moa: str, steps: int) -> None:
        self.data, self.work, self.moa, self.steps = data.resolve(), work.resolve(), moa, steps
        self.work.mkdir(parents=True, exist_ok=True)

    def learned(self, kind: str, rate: float, seed: int) -> dict:
        """The report of a training, and where its adapter is."""
        output = self.work / f"{kind}-{rate:g}-{seed}"
        report = Path(f"{output}.json")
        if not report.exists():
            settings = Path(f"{output}.yaml")
            settings.write_text(SETTINGS.format(output=output, seed=seed, table=self.data / "train.tsv", kind=kind,
                                                rank=KINDS[kind], rate=rate, steps=self.steps, warmup=self.steps // 10))
            resume = ["--resume"] if output.exists() else []
            report.write_text(self.run("train", settings, "--format", "json", *resume))
        return json.loads(report.read_text())

    def found(self, part: str, adapter: str | None) -> list[float]:
        """The share of titles whose own keywords are among the nearest TOP."""
        pairs = [line.split("\t") for line in (self.data / f"{part}.tsv").read_text().splitlines()[1:]]
        titles, keywords = (self.vectors(list(side), adapter) for side in zip(*pairs))
        scores = titles @ keywords.T
        nearer = (scores >= scores.diagonal()[:, None]).sum(axis=1) - 1
        return [float((nearer < top).mean()) for top in TOP]

    def vectors(self, texts: list[str], adapter: str | None) -> np.ndarray:
        lines, matrix = self.work / "texts.txt", self.work / "vectors.npy"
        lines.write_text("\n".join(texts) + "\n")
        added = ["--adapter", adapter] if adapter else []
        self.run("embed", "-m", "moa-mini", "--texts-file", lines, "--format", "npy", "-o", matrix, "-t", "1",
                 "--text-cache", "off", *added)
        return np.load(matrix)

    def run(self, *arguments: object) -> str:
        return subprocess.run([self.moa, *map(str, arguments)], check=True, text=True, stdout=subprocess.PIPE).stdout

    def best_rate(self, kind: str) -> float:
        found = {rate: self.found("validation", self.learned(kind, rate, SEEDS[0])["adapter"]) for rate in RATES}
        for rate, shares in found.items():
            print(f"{kind}, learning rate {rate:g}, validation: " + shown(shares), flush=True)
        return max(RATES, key=lambda rate: found[rate])


def shown(shares: list[float]) -> str:
    return ", ".join(f"top-{top} {share:.3f}" for top, share in zip(TOP, shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--moa", default="moa")
    parser.add_argument("--steps", type=int, default=30)
    options = parser.parse_args()
    comparison = Comparison(options.data, options.work, options.moa, options.steps)
    print("nothing learned: " + shown(comparison.found("test", None)), flush=True)
    for kind, rank in KINDS.items():
        rate = comparison.best_rate(kind)
        runs = [comparison.learned(kind, rate, seed) for seed in SEEDS]
        tests = [comparison.found("test", run["adapter"]) for run in runs]
        for seed, shares in zip(SEEDS, tests):
            print(f"{kind}, seed {seed}: " + shown(shares), flush=True)
        means = [statistics.mean(of_top) for of_top in zip(*tests)]
        print(f"{kind} of rank {rank}, {runs[0]['learned_numbers']} numbers, learning rate {rate:g}: " + shown(means),
              flush=True)


if __name__ == "__main__":
    main()
