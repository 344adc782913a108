"""The command as people meet it: how soon the first vector is there, how much memory that takes, and pictures from files.

Usage: python3 bench/command.py MOA CLIP_DIRECTORY PICTURES_FOLDER

Only the standard library. Times are wall time from the start of the process to its end, page cache warm; of several runs the fastest and the median.
Memory is the proportional set size, sampled every 2 ms; the largest sample counts.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 15


def seconds(command, runs=RUNS, **kwargs):
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)
        taken.append(time.perf_counter() - start)
    return min(taken), statistics.median(taken)


def largest_pss_mb(command, **kwargs):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kwargs)
    largest = 0
    while process.poll() is None:
        try:
            for line in pathlib.Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    largest = max(largest, int(line.split()[1]) / 1000)
        except OSError:
            pass
        time.sleep(0.002)
    return largest


def main():
    moa, clip, folder = sys.argv[1:4]
    pictures = sorted(str(p) for p in pathlib.Path(folder).iterdir() if p.is_file())

    for model in (clip, "moa-mini"):
        command = [moa, "embed", "--model", model, "--text", "a photo of a dog"]
        fastest, median = seconds(command)
        print(f"{model}: first text vector {fastest:.3f} s (median {median:.3f}), {largest_pss_mb(command):.0f} MB")

    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"XDG_DATA_HOME": scratch}
        for model in (clip, "moa-mini"):
            everything = [moa, "embed", "--model", model, "--format", "npy", "-o", f"{scratch}/vectors.npy", *pictures]
            fastest, _ = seconds(everything, runs=2)
            single, _ = seconds([moa, "embed", "--model", model, pictures[0]], runs=5)
            rate = (len(pictures) - 1) / (fastest - single)  # the model's preparation is in both
            print(f"{model}: {len(pictures)} picture files in {fastest:.2f} s, {rate:.1f} a second after the first ({single:.3f} s)")
        search = [moa, "search", folder, "a dog"]
        subprocess.run(search, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        fastest, median = seconds(search, env=environment)
        print(f"moa-mini: one query over {len(pictures)} indexed pictures {fastest:.3f} s (median {median:.3f}), "
              f"{largest_pss_mb(search, env=environment):.0f} MB")


if __name__ == "__main__":
    main()
