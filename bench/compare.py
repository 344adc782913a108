"""moa beside its peers on one model, in turns on one machine; writes a results file and prints a table.

    python bench/compare.py MOA MODEL -o results.json [--rounds N] [--seconds S] [--batches 1,32] [--threads N] [--only NAME,…]
                            [--modalities text,image] [--no-first]

Each contender is a process of its own (peer.py; for moa, the command `moa bench`). Each round asks each of them in turn, so that what
else the machine does falls on all; of a contender's rounds the best counts. MODEL is a directory that peer.py describes; if it is not there, it is made as CLIP ViT-B/32
with random weights (tests/parity/full_size.py), which are as fast as trained ones.

The results file is what plot.py draws: {"machine", "threads", "model", "rows": [{"contender", "dtype", "modality", "batch", "per_second",
"p50_ms", "memory_bytes"}], "first": [{"contender", "dtype", "seconds"}]}.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import peer

HERE = Path(__file__).resolve().parent


class Peer:
    def __init__(self, name, model, threads):
        self.name, self.dtype = name.rsplit("-", 1)
        self.command = [sys.executable, str(HERE / "peer.py"), name, str(model), str(threads)]
        self.environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, env=self.environment)

    def measure(self, modality, batch, seconds):
        try:
            self.process.stdin.write(json.dumps({"modality": modality, "batch": batch, "seconds": seconds}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return json.loads(answer) if answer else {"error": "ended before it answered"}

    def first_seconds(self):
        start = time.perf_counter()
        subprocess.run([*self.command, "--first"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        return time.perf_counter() - start

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Moa:
    def __init__(self, command, dtype, model, threads):
        self.name, self.dtype, self.command = "moa", dtype, str(command)
        self.options = ["--model", str(model), "--dtype", dtype, "--threads", str(threads)]

    def measure(self, modality, batch, seconds):
        done = subprocess.run([self.command, "bench", *self.options, "--modality", modality, "--batch", str(batch), "--seconds", str(seconds),
                               "--format", "json"], capture_output=True, text=True)
        if not done.stdout:
            return {"error": done.stderr.strip()}
        (row,) = json.loads(done.stdout)["rows"]
        return {"error": row["error"]["message"]} if "error" in row else row

    def first_seconds(self):
        start = time.perf_counter()
        subprocess.run([self.command, "embed", *self.options, "--text", peer.FIRST_TEXT], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    def close(self):
        pass


def machine():
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    flags = Path("/proc/cpuinfo").read_text()
    kind = "AMX" if "amx_tile" in flags else "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return f"{names[0] if names else 'unknown'}, {kind}"


def make_missing(model):
    if not model.exists():
        sys.path.insert(0, str(HERE.parent / "tests" / "parity"))
        import full_size

        full_size.make(model, full_size.SIZES["clip-vit-base-patch32"])


def graph_dtypes(names):
    return ["f32", "int8"] if "onnxruntime-int8" in names else ["f32"]


def table(results):
    lines = []
    groups = sorted({(row["modality"], row["batch"]) for row in results["rows"]})
    for modality, batch in groups:
        rows = [row for row in results["rows"] if (row["modality"], row["batch"]) == (modality, batch)]
        best = {}  # of the peers, by precision
        for row in rows:
            if row["contender"] != "moa" and "per_second" in row:
                best[row["dtype"]] = max(best.get(row["dtype"], 0), row["per_second"])
        lines.append(f"{modality}, batch {batch}")
        for row in rows:
            label = f"  {row['contender']:14} {row['dtype']:5}"
            if "error" in row:
                lines.append(f"{label} {row['error'][:90]}")
                continue
            ratio = ""
            if row["contender"] == "moa" and row["dtype"] in best:
                ratio = f"   {row['per_second'] / best[row['dtype']]:.2f} times the best peer"
            lines.append(f"{label} {row['per_second']:9.1f} a second  {row['p50_ms']:9.2f} ms  {row['memory_bytes'] / 1e6:6.0f} MB{ratio}")
    if results["first"]:
        lines.append("first text vector from process start")
    lines += [f"  {row['contender']:14} {row['dtype']:5} {row['seconds']:9.2f} s" for row in results["first"]]
    return "\n".join(lines)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("moa", type=Path)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("-o", "--output", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--batches", default="1,32")
    arguments.add_argument("--modalities", default="text,image")
    arguments.add_argument("--no-first", action="store_true", help="do not time the first text vector from process start")
    arguments.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments.add_argument("--only", default="", help="contenders such as moa-f32,openvino-bf16; all if not given")
    options = arguments.parse_args()
    make_missing(options.model)

    names = options.only.split(",") if options.only else ["moa-f32", "moa-bf16", "moa-int8", *peer.NAMES]
    if "onnxruntime" in str(names) or "openvino" in str(names):
        # Graphs are exported by a process that ends, before anything is measured.
        subprocess.run([sys.executable, "-c", f"import peer; [peer.graph({str(options.model.resolve())!r}, tower, dtype) "
                        f"for tower in peer.towers({str(options.model.resolve())!r}) for dtype in {graph_dtypes(names)}]"],
                       check=True, cwd=HERE, stdout=subprocess.DEVNULL)
    contenders = []
    for name in names:
        library, dtype = name.rsplit("-", 1)
        contenders.append(Moa(options.moa.resolve(), dtype, options.model, options.threads) if library == "moa"
                          else Peer(name, options.model, options.threads))

    best, first = {}, {}
    batches = [int(batch) for batch in options.batches.split(",")]
    for round_number in range(options.rounds):
        for modality in options.modalities.split(","):
            for batch in batches:
                for contender in contenders:
                    key = (modality, batch, contender.name, contender.dtype)
                    answer = contender.measure(modality, batch, options.seconds)
                    if "error" in answer or answer["per_second"] > best.get(key, {}).get("per_second", 0):
                        best[key] = answer
        for contender in [] if options.no_first else contenders:
            key = (contender.name, contender.dtype)
            try:
                first[key] = min(first.get(key, float("inf")), contender.first_seconds())
            except subprocess.CalledProcessError:
                pass
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
    for contender in contenders:
        contender.close()

    kept = ("per_second", "p50_ms", "p95_ms", "best_ms", "memory_bytes", "peak_share", "error")
    results = {
        "machine": machine(), "threads": options.threads, "model": options.model.name,
        "rows": [{"contender": name, "dtype": dtype, "modality": modality, "batch": batch}
                 | {field: answer[field] for field in kept if field in answer}
                 for (modality, batch, name, dtype), answer in best.items()],
        "first": [{"contender": name, "dtype": dtype, "seconds": seconds} for (name, dtype), seconds in first.items()],
    }
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
