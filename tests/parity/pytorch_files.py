"""Writes tests/golden/pytorch: files as torch.save and torch.jit.save write them, and the numbers in them.

Versions it was run with: torch 2.15.0, safetensors 0.8.0.
Usage: python pytorch_files.py

FILE.bin, FILE.pt        the files; sharded/ holds two of them with their index
expected.safetensors     every tensor as f32, named FILE/TENSOR
"""

import json
import pathlib
import warnings
import zipfile

import torch
from safetensors.torch import save_file

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "pytorch"
warnings.simplefilter("ignore", FutureWarning)  # TorchScript is what published files hold
torch.manual_seed(5)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = torch.nn.LayerNorm(width)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(width, 7), torch.nn.GELU(), torch.nn.Linear(7, width))
        self.register_buffer("steps", torch.tensor(3))
        self.width = width
        self.sizes = [width, 7]
        self.factor = 0.5

    def forward(self, x):
        return x + self.mlp(self.norm(x)) * self.factor


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(4.6))
        self.blocks = torch.nn.Sequential(Block(5), Block(5))
        self.projection = torch.nn.Parameter(torch.randn(5, 3))

    def forward(self, x):
        return self.blocks(x) @ self.projection * self.scale


def every_kind():
    """Every element type, and every way in which a tensor can lie in its storage."""
    numbers = torch.randn(6, 5)
    tied = torch.randn(4, 3)
    return {
        "f32": numbers.clone(), "f16": numbers.half(), "bf16": numbers.bfloat16(), "f64": numbers.double(),
        "i64": torch.arange(-3, 4), "i32": torch.arange(-3, 4, dtype=torch.int32), "u8": torch.arange(250, 256, dtype=torch.uint8), "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3), "one_column": numbers[:, :1], "row": numbers[2], "inner": numbers.half()[1:5, 1:4], "transposed": numbers.t(),
        "permuted": torch.randn(2, 3, 4).bfloat16().permute(2, 0, 1), "every_other": torch.randn(1500)[::2], "channels_last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "tied": tied, "tied_too": tied, "position_ids_of_old": torch.arange(7).expand(1, -1), "parameter": torch.nn.Parameter(tied.t()), "no_metadata.a\u00e9": torch.ones(1),
    }


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    (GOLDEN / "sharded").mkdir(exist_ok=True)
    expected = {}

    def save(name, value, tensors):
        torch.save(value, GOLDEN / name)
        expected.update({f"{name}/{key}": tensor.detach().float().contiguous().clone() for key, tensor in tensors.items()})

    kinds = every_kind()
    save("kinds.bin", kinds, kinds)
    network = Network()
    save("state_dict.bin", network.state_dict(), network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    network(torch.randn(2, 5)).sum().backward()
    optimizer.step()
    wrapped = {f"module.{key}": tensor for key, tensor in network.state_dict().items()}
    save("training.pt", {"epoch": 3, "name": "run", "state_dict": wrapped, "optimizer": optimizer.state_dict()}, network.state_dict())

    first = {key: tensor for key, tensor in network.state_dict().items() if key.startswith("blocks.0")}
    second = {key: tensor for key, tensor in network.state_dict().items() if key not in first}
    save("sharded/pytorch_model-00001-of-00002.bin", first, first)
    save("sharded/pytorch_model-00002-of-00002.bin", second, second)
    shards = {key: f"pytorch_model-0000{1 if key in first else 2}-of-00002.bin" for key in network.state_dict()}
    (GOLDEN / "sharded" / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": shards}))
    (GOLDEN / "sharded" / "config.json").write_text("{}")

    network = network.half()
    network.blocks[1].norm.float()
    for name, module in (("script.pt", torch.jit.script(network)), ("trace.pt", torch.jit.trace(network.float(), torch.randn(1, 5)))):
        module.save(str(GOLDEN / name))
        expected.update({f"{name}/{key}": tensor.detach().float().clone() for key, tensor in torch.jit.load(str(GOLDEN / name)).state_dict().items()})
        slim(GOLDEN / name)

    torch.save(kinds["f32"], GOLDEN / "tensor_alone.pt")
    torch.save(first, GOLDEN / "legacy.bin", _use_new_zipfile_serialization=False)
    save_file(expected, GOLDEN / "expected.safetensors")


def slim(path):
    """The archive without what debuggers read of its code, which holds this machine's paths."""
    entries = {info: zipfile.ZipFile(path).read(info) for info in zipfile.ZipFile(path).infolist() if not info.filename.endswith(".debug_pkl")}
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in entries.items():
            archive.writestr(info.filename, content, compress_type=info.compress_type)


if __name__ == "__main__":
    main()
