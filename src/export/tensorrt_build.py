#!/usr/bin/env python3
"""Builds TensorRT engines from the ONNX files beside this script, and compares them with ONNX Runtime.

Usage: python3 build_tensorrt.py [--fp16] [--batch N] [--check] [GRAPH.onnx ...]     (all that profiles.json names, if none is given)
Needs: tensorrt 10 (PyPI) and an NVIDIA GPU; for --check also onnxruntime, and torch with CUDA. build_tensorrt.sh builds with trtexec.

Every dynamic size has an optimisation profile in profiles.json: the least, the most likely and the largest. --batch sets the largest batch.
--check runs each engine at the likely sizes and prints the largest difference of an output from ONNX Runtime's on the CPU (of vectors, on the
unit sphere), and how many milliseconds a batch takes in both.
"""

import argparse
import json
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = 20


def up_to(profile_of, batch):
    """The profile with another largest batch."""
    if not batch:
        return profile_of
    return {
        name: (least, [min(likely[0], batch), *likely[1:]], [batch, *largest[1:]])
        for name, (least, likely, largest) in profile_of.items()
    }


def build(trt, logger, file, profile_of, fp16):
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(str(file)):
        raise SystemExit("\n".join(str(parser.get_error(i)) for i in range(parser.num_errors)))
    config = builder.create_builder_config()
    if fp16:
        config.set_flag(trt.BuilderFlag.FP16)
    profile = builder.create_optimization_profile()
    for name, shapes in profile_of.items():
        profile.set_shape(name, *shapes)
    config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise SystemExit(f"{file}: no engine was built")
    file.with_suffix(".engine").write_bytes(engine)
    print(file.with_suffix(".engine"))
    return engine


def sample(np, port, shape):
    """An array for an input of ONNX Runtime's: ids that every vocabulary has, masks of ones, pictures of one line of patches."""
    numbers = np.random.default_rng(7)
    kind = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8}.get(port.type, np.float32)
    if port.name.endswith("mask"):
        return np.ones(shape, kind)
    if port.name == "spatial_shapes":
        return np.tile(np.array([1, 0], kind), (shape[0], 1))
    if kind in (np.int64, np.int32):
        return numbers.integers(0, 8, shape).astype(kind)
    return numbers.integers(0, 256, shape).astype(kind) if kind == np.uint8 else numbers.standard_normal(shape).astype(kind)


def least_time(run, rounds=ROUNDS):
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def check(trt, logger, file, serialized, profile_of):
    import numpy as np
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    feed = {port.name: sample(np, port, profile_of[port.name][1]) for port in session.get_inputs()}
    if "spatial_shapes" in feed:
        feed["spatial_shapes"][:, 1] = feed["pixel_values"].shape[1]
    names = [port.name for port in session.get_outputs()]
    expected = dict(zip(names, session.run(names, feed)))

    engine = trt.Runtime(logger).deserialize_cuda_engine(serialized)
    context = engine.create_execution_context()
    on_device = {name: torch.from_numpy(array).cuda() for name, array in feed.items()}
    for name, array in on_device.items():
        context.set_input_shape(name, tuple(array.shape))
        context.set_tensor_address(name, array.data_ptr())
    found = {name: torch.empty(tuple(context.get_tensor_shape(name)), dtype=torch.float32, device="cuda") for name in names}
    for name, array in found.items():
        context.set_tensor_address(name, array.data_ptr())
    stream = torch.cuda.Stream()

    def run():
        if not context.execute_async_v3(stream.cuda_stream):
            raise SystemExit(f"{file}: the engine did not run")
        stream.synchronize()

    run()
    for name in names:
        rows, wanted = found[name].cpu().numpy(), expected[name]
        if name.endswith(("embeds", "embedding")):
            rows, wanted = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (rows, wanted))
        print(f"{file.name}: {name} {list(wanted.shape)}, largest difference {np.abs(rows - wanted).max():.1e}")
    slow = least_time(lambda: session.run(names, feed), 3)
    print(f"{file.name}: TensorRT {least_time(run):.2f} ms, ONNX Runtime on the CPU {slow:.2f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graphs", nargs="*", metavar="GRAPH.onnx")
    parser.add_argument("--fp16", action="store_true")
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    import tensorrt as trt

    logger = trt.Logger(trt.Logger.WARNING)
    profiles = json.loads((HERE / "profiles.json").read_text())
    for graph in arguments.graphs or profiles:
        profile = up_to(profiles[graph], arguments.batch)
        engine = build(trt, logger, HERE / graph, profile, arguments.fp16)
        if arguments.check:
            check(trt, logger, HERE / graph, engine, profile)


if __name__ == "__main__":
    main()
