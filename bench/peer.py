"""One contender in a process of its own: a library that runs a model on the CPU, asked from outside how fast it is.

    python bench/peer.py NAME MODEL THREADS            answers requests, one JSON a line, on stdin
    python bench/peer.py NAME MODEL THREADS --first    embeds one text and ends: for the time from process start to the first vector

NAME is LIBRARY-DTYPE as NAMES has it. A request is {"modality": "text" or "image", "batch": N, "seconds": S}; the answer
{"per_second": …, "p50_ms": …, "p95_ms": …, "best_ms": …, "memory_bytes": …} or {"error": "…"}. From prepared pixels and ids to
vectors; captions are padded to the longest of the batch, as these libraries' own pipelines do (open_clip: to 77; SigLIP: to 64, as it
learned with).

MODEL is a directory that transformers opens: a CLIP, for all of them; for transformers and the graphs that torch exports also SigLIP,
ALIGN and the text models of sentence-transformers, of which the mean of the last rows is taken.
"""

import json
import os
import sys
import time
from pathlib import Path

NAMES = [
    "transformers-f32", "transformers-bf16", "open_clip-f32", "open_clip-bf16", "onnxruntime-f32", "onnxruntime-int8",
    "openvino-f32", "openvino-bf16",
]
FIRST_TEXT = "a photo of a dog."


def captions(count):
    """The captions that `moa bench` takes, in its order."""
    source = (Path(__file__).resolve().parent.parent / "src" / "embed" / "bench_inputs.cpp").read_text(encoding="utf-8")
    table = source[source.index("kCaptions = {") : source.index("};")]
    lines = [line.strip() for line in table.splitlines()[1:]]
    lines = [json.loads(line.rstrip(",")) for line in lines if line.startswith('"')]
    return [lines[i % len(lines)] for i in range(count)]


def config_of(model):
    return json.loads((Path(model) / "config.json").read_text())


def tokenized(model, texts):
    from transformers import AutoTokenizer

    padding = "max_length" if config_of(model)["model_type"] == "siglip" else "longest"
    return AutoTokenizer.from_pretrained(model)(texts, padding=padding, truncation=True, return_tensors="np")


def random_pixels(count, size):
    import numpy

    return numpy.random.default_rng(1).uniform(-1.8, 2.1, (count, 3, size, size)).astype(numpy.float32)


def picture_size(model):
    return config_of(model)["vision_config"].get("image_size", 224)


def texts_to_vectors(model, ids, mask=None):
    if not hasattr(model, "get_text_features"):
        rows, mask = model(ids, mask).last_hidden_state, mask[..., None]
        return (rows * mask).sum(1) / mask.sum(1)
    if mask is None:
        return model.get_text_features(ids).pooler_output
    return model.get_text_features(ids, mask).pooler_output


def pictures_to_vectors(model, pixels):
    return model.get_image_features(pixel_values=pixels).pooler_output


class Transformers:
    def __init__(self, model, dtype, threads):
        import torch
        from transformers import AutoModel

        torch.set_num_threads(threads)
        self.torch, self.path = torch, model
        self.dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
        self.model = AutoModel.from_pretrained(model, dtype=self.dtype).eval()

    def texts(self, texts):
        inputs = [self.torch.from_numpy(value) for value in text_inputs(self.path, texts).values()]
        return lambda: self.run(lambda: texts_to_vectors(self.model, *inputs))

    def pictures(self, count):
        pixels = self.torch.from_numpy(random_pixels(count, picture_size(self.path))).to(self.dtype)
        return lambda: self.run(lambda: pictures_to_vectors(self.model, pixels))

    def run(self, forward):
        with self.torch.inference_mode():
            forward()


class OpenClip:
    """The network of the same name in open_clip, with random weights: a weight's value does not change its speed."""

    def __init__(self, model, dtype, threads):
        import open_clip
        import torch

        torch.set_num_threads(threads)
        self.torch, self.open_clip, self.path = torch, open_clip, model
        vision = config_of(model)["vision_config"]
        name = {(768, 32): "ViT-B-32-quickgelu", (768, 16): "ViT-B-16-quickgelu", (1024, 14): "ViT-L-14-quickgelu"}[
            vision.get("hidden_size", 768), vision.get("patch_size", 32)]
        self.dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
        self.model = open_clip.create_model(name, precision={"f32": "fp32", "bf16": "pure_bf16"}[dtype]).eval()

    def texts(self, texts):
        ids = self.open_clip.tokenize(texts)
        return lambda: self.run(lambda: self.model.encode_text(ids))

    def pictures(self, count):
        pixels = self.torch.from_numpy(random_pixels(count, picture_size(self.path))).to(self.dtype)
        return lambda: self.run(lambda: self.model.encode_image(pixels))

    def run(self, forward):
        with self.torch.inference_mode():
            forward()


class OnnxRuntime:
    def __init__(self, model, dtype, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.open = lambda tower: onnxruntime.InferenceSession(
            str(graph(model, tower, dtype)), options, providers=["CPUExecutionProvider"])
        self.path = model

    def texts(self, texts):
        session, inputs = self.open("text"), text_inputs(self.path, texts)
        return lambda: session.run(None, inputs)

    def pictures(self, count):
        session, inputs = self.open("vision"), {"pixels": random_pixels(count, picture_size(self.path))}
        return lambda: session.run(None, inputs)


class OpenVino:
    def __init__(self, model, dtype, threads):
        import openvino

        core = openvino.Core()
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": dtype, "PERFORMANCE_HINT": "LATENCY"}
        self.open = lambda tower: core.compile_model(str(graph(model, tower, "f32")), "CPU", options)
        self.path = model

    def texts(self, texts):
        compiled, inputs = self.open("text"), text_inputs(self.path, texts)
        return lambda: compiled(inputs)

    def pictures(self, count):
        compiled, inputs = self.open("vision"), {"pixels": random_pixels(count, picture_size(self.path))}
        return lambda: compiled(inputs)


def text_inputs(model, texts):
    """Ids, and, of a tower that does not attend to its padding, the mask."""
    inputs = tokenized(model, texts)
    ids = {"ids": inputs["input_ids"].astype("int64")}
    return ids if config_of(model)["model_type"] == "siglip" else ids | {"mask": inputs["attention_mask"].astype("int64")}


def towers(model):
    return ("text", "vision") if "vision_config" in config_of(model) else ("text",)


def graph(model, tower, dtype):
    """The tower's ONNX graph, beside the model; exported at first use, which nobody measures."""
    path = Path(model) / f"{tower}.onnx"
    if not path.exists():
        export(Path(model))
    if dtype == "f32":
        return path
    narrow = Path(model) / f"{tower}.{dtype}.onnx"
    if not narrow.exists():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        # Products only: the convolution of the patches has no fast integer form there.
        quantize_dynamic(path, narrow, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"], per_channel=True)
    return narrow


def export(folder):
    """The towers as graphs with any batch and length."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder).eval()

    class Tower(torch.nn.Module):
        def __init__(self, forward):
            super().__init__()
            self.model, self.to_vectors = model, forward

        def forward(self, *inputs):
            return self.to_vectors(self.model, *inputs)

    batch, length = torch.export.Dim("batch", min=1, max=1024), torch.export.Dim("length", min=2, max=77)
    inputs = {name: torch.from_numpy(value) for name, value in text_inputs(folder, captions(2)).items()}
    dims = {0: batch, 1: length} if "mask" in inputs else {0: batch}
    torch.onnx.export(Tower(texts_to_vectors), tuple(inputs.values()), str(folder / "text.onnx"), input_names=list(inputs),
                      output_names=["vectors"], dynamic_shapes=((dims,) * len(inputs),), dynamo=True)
    if hasattr(model, "get_image_features"):
        pixels = torch.zeros(2, 3, picture_size(folder), picture_size(folder))
        torch.onnx.export(Tower(pictures_to_vectors), (pixels,), str(folder / "vision.onnx"), input_names=["pixels"],
                          output_names=["vectors"], dynamic_shapes=(({0: batch},),), dynamo=True)


def memory_bytes():
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def measured(run, batch, seconds):
    run()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    times.sort()
    at = lambda share: 1e3 * times[round(share * (len(times) - 1))]
    return {"per_second": batch * len(times) / sum(times), "p50_ms": at(0.5), "p95_ms": at(0.95), "best_ms": at(0),
            "memory_bytes": memory_bytes()}


def main():
    name, model, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    library, dtype = name.rsplit("-", 1)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    kind = {"transformers": Transformers, "open_clip": OpenClip, "onnxruntime": OnnxRuntime, "openvino": OpenVino}[library]
    contender = kind(model, dtype, threads)
    if sys.argv[4:] == ["--first"]:
        contender.texts([FIRST_TEXT])()
        return
    for line in sys.stdin:
        request = json.loads(line)
        try:
            batch = request["batch"]
            run = contender.texts(captions(batch)) if request["modality"] == "text" else contender.pictures(batch)
            answer = measured(run, batch, request["seconds"])
        except Exception as error:  # a contender that cannot is told of, and the others go on
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
