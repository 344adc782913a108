#!/usr/bin/env python3
"""Builds TensorRT engines from the ONNX files beside this script.

Usage: python3 build_tensorrt.py [--fp16] [--batch N] [GRAPH.onnx ...]     (all that profiles.json names, if none is given)
Needs: tensorrt 10 (PyPI) and an NVIDIA GPU. build_tensorrt.sh does the same with trtexec.

Every dynamic size has an optimisation profile in profiles.json: the least, the most likely and the largest. --batch sets the largest batch.
"""

import argparse
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent


def build(trt, logger, file, profile_of, fp16, batch):
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(file)):
        raise SystemExit("\n".join(str(parser.get_error(i)) for i in range(parser.num_errors)))
    config = builder.create_builder_config()
    if fp16:
        config.set_flag(trt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    for name, (least, likely, largest) in profile_of.items():
        if batch:
            largest = [batch, *largest[1:]]
            likely = [min(likely[0], batch), *likely[1:]]
        profile.set_shape(name, least, likely, largest)
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise SystemExit(f"{file}: no engine was built")
    file.with_suffix(".engine").write_bytes(engine)
    print(file.with_suffix(".engine"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graphs", nargs="*", metavar="GRAPH.onnx")
    parser.add_argument("--fp16", action="store_true")
    parser.add_argument("--batch", type=int, default=0)
    arguments = parser.parse_args()
    import tensorrt as trt

    logger = trt.Logger(trt.Logger.WARNING)
    profiles = json.loads((HERE / "profiles.json").read_text())
    for graph in arguments.graphs or profiles:
        build(trt, logger, HERE / graph, profiles[graph], arguments.fp16, arguments.batch)


if __name__ == "__main__":
    main()
