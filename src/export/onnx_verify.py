"""Runs ONNX graphs on samples and compares them with what is expected of them.

Usage: python3 onnx_verify.py FOLDER GRAPHS     (with FOLDER/plan.json and the arrays that it names, and the
folder of the graphs; prints JSON, in which null is a number that is none)
Needs: onnxruntime (PyPI), which brings numpy.
"""

import json
import math
import os
import sys
from pathlib import Path


def main():
    folder = Path(sys.argv[1]).absolute()
    os.chdir(sys.argv[2])  # whose name may be one that ONNX Runtime does not take
    plan = json.loads((folder / "plan.json").read_text())
    try:
        import numpy
        import onnxruntime
    except ImportError as missing:
        print(json.dumps({"missing": str(missing)}))
        return

    def array(entry):
        return numpy.fromfile(folder / entry["file"], dtype=entry["type"]).reshape(entry["shape"])

    def number(value):
        return value if math.isfinite(value) else None

    def unit(rows):
        return rows / numpy.linalg.norm(rows, axis=-1, keepdims=True)

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    results = []
    for graph in plan["graphs"]:
        session = onnxruntime.InferenceSession(graph["path"], options, providers=["CPUExecutionProvider"])
        largest, least = 0.0, 1.0
        for run in graph["runs"]:
            found = session.run(list(run["outputs"]), {name: array(entry) for name, entry in run["inputs"].items()})
            for rows, entry in zip(found, run["outputs"].values()):
                expected = array(entry).astype(numpy.float64)
                rows = rows.astype(numpy.float64)
                if rows.shape != expected.shape:
                    raise SystemExit(f"{graph['path']}: found {rows.shape}, expected {expected.shape}")
                if entry["unit"]:
                    rows, expected = unit(rows), unit(expected)
                    least = float(numpy.minimum(least, (rows * expected).sum(-1).min()))
                largest = float(numpy.maximum(largest, numpy.abs(rows - expected).max() / entry["scale"]))
        results.append({"largest_difference": number(largest), "least_cosine": number(least)})
    print(json.dumps({"runtime": "onnxruntime " + onnxruntime.__version__, "graphs": results}))


if __name__ == "__main__":
    main()
