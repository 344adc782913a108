"""Weights in the forms that people publish: PyTorch's pickles beside safetensors, and OpenAI's lone files."""
import json
import os
import pickle
import shutil
import struct
import sys
import types
import unittest
import zipfile

from moa_command import ROOT, MoaTest, png

CLIP = ROOT / "tests/golden/clip/odd_sizes"
OPENAI = ROOT / "tests/golden/openai_clip/vit"


def read_safetensors(path):
    """{name: (shape, bytes)} of a file of f32."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    data = content[8 + length:]
    return {name: (entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items() if name != "__metadata__"}


def torch_module(name, *members):
    """A stand-in for a module of torch, so that pickle writes its names."""
    module = types.ModuleType(name)
    for member in members:
        member.__module__ = name
        setattr(module, member.__name__, member)
    return module


class FloatStorage:
    """One storage for each tensor, as torch.save writes them."""

    def __init__(self, key, content):
        self.key, self.content = key, content


def _rebuild_tensor_v2(*arguments):
    raise NotImplementedError


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)

    def __reduce__(self):
        strides = [1] * len(self.shape)
        for axis in reversed(range(len(self.shape) - 1)):
            strides[axis] = strides[axis + 1] * self.shape[axis + 1]
        return _rebuild_tensor_v2, (self.storage, 0, self.shape, tuple(strides), False, {})


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, FloatStorage):
            return "storage", FloatStorage, value.key, "cpu", len(value.content) // 4
        return None


def write_pytorch(path, tensors, more=()):
    """What torch.save makes of {name: tensor}, and of `more` that is no tensor."""
    names = {"torch": torch_module("torch", FloatStorage), "torch._utils": torch_module("torch._utils", _rebuild_tensor_v2)}
    storages = {name: FloatStorage(str(key), content) for key, (name, (_, content)) in enumerate(tensors.items())}
    sys.modules.update(names)
    try:
        with zipfile.ZipFile(path, "w") as archive:
            with archive.open("archive/data.pkl", "w") as file:
                Pickler(file, 2).dump({name: Tensor(storages[name], shape) for name, (shape, _) in tensors.items()} | dict(more))
            for storage in storages.values():
                archive.writestr("archive/data/" + storage.key, storage.content)
    finally:
        for name in names:
            del sys.modules[name]


class Harmful:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class Weights(MoaTest):
    def setUp(self):
        super().setUp()
        self.model = self.home / "model"
        shutil.copytree(CLIP, self.model)
        self.tensors = read_safetensors(self.model / "model.safetensors")
        (self.home / "red.png").write_bytes(png(60, 50))

    def vectors(self, model):
        return self.lines("embed", "--model", str(model), "--text", "a dog", "--text", "강아지", "red.png")

    def refusal(self, code):
        _, err = self.run_moa("inspect", str(self.model), code=code)
        return err.removeprefix("moa: error: ").split(":")[0], err

    def test_tensors_that_do_not_fit_are_listed_in_one_line(self):
        file = self.model / "model.safetensors"
        file.write_bytes(file.read_bytes().replace(b"text_projection.weight", b"text_projection.wrongs"))
        code, err = self.refusal(5)
        self.assertEqual(code, "shape_mismatch")
        self.assertEqual(err.count("\n"), 1)
        self.assertNotIn("\ufffd", err)
        self.assertRegex(err, r"; missing text_projection\.weight \[[0-9, ]+\]; not expected text_projection\.wrongs \[[0-9, ]+\]")

    def test_pytorch_weights_give_the_vectors_of_safetensors(self):
        expected = self.vectors(self.model)
        (self.model / "model.safetensors").unlink()
        write_pytorch(self.model / "pytorch_model.bin", self.tensors)
        self.assertEqual(self.vectors(self.model), expected)

    def test_pytorch_weights_in_shards_do_too(self):
        expected = self.vectors(self.model)
        (self.model / "model.safetensors").unlink()
        names = sorted(self.tensors)
        shards = {f"pytorch_model-0000{part + 1}-of-00002.bin": names[part::2] for part in range(2)}
        for shard, inside in shards.items():
            write_pytorch(self.model / shard, {name: self.tensors[name] for name in inside})
        weight_map = {name: shard for shard, inside in shards.items() for name in inside}
        (self.model / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
        self.assertEqual(self.vectors(self.model), expected)
        (facts,) = self.lines("inspect", str(self.model), "--format", "json")
        self.assertEqual(facts["weights_file"], "pytorch_model.bin.index.json")
        (self.model / "pytorch_model-00002-of-00002.bin").unlink()
        self.assertEqual(self.refusal(4)[0], "not_found")

    def test_inspect_names_the_weights_and_their_format(self):
        for file, form in (("model.safetensors", "safetensors"), ("pytorch_model.bin", "PyTorch")):
            if form == "PyTorch":
                (self.model / "model.safetensors").unlink()
                write_pytorch(self.model / file, self.tensors)
            (facts,) = self.lines("inspect", str(self.model), "--format", "json")
            self.assertEqual((facts["weights_file"], facts["weights_format"]), (file, form))

    def test_a_pickle_that_asks_for_more_than_tensors_is_refused_and_not_obeyed(self):
        (self.model / "model.safetensors").unlink()
        write_pytorch(self.model / "pytorch_model.bin", self.tensors, {"harm": Harmful(self.home / "harm")}.items())
        code, err = self.refusal(6)
        self.assertEqual(code, "unsupported")
        self.assertIn("posix.mkdir", err)
        self.assertFalse((self.home / "harm").exists())

    def test_a_file_that_ends_early_is_corrupt(self):
        (self.model / "model.safetensors").unlink()
        whole = self.model / "pytorch_model.bin"
        write_pytorch(whole, self.tensors)
        whole.write_bytes(whole.read_bytes()[:-100])
        self.assertEqual(self.refusal(5)[0], "corrupt_data")

    def test_openais_lone_file_is_a_model_with_a_tokenizer_beside_it(self):
        place = self.home / "openai"
        place.mkdir()
        file = place / "ViT-tiny.pt"
        shutil.copy(OPENAI / "model.pt", file)
        (facts,) = self.lines("inspect", str(file), "--format", "json")
        self.assertEqual((facts["architecture"], facts["layout"]), ("openai_clip", "openai"))
        self.assertIn("bpe_simple_vocab_16e6.txt.gz", facts["tokenizer"])
        out, _ = self.run_moa("embed", "--model", str(file), "--text", "a dog", code=4)
        self.assertEqual(json.loads(out)["error"]["code"], "not_found")
        shutil.copy(OPENAI / "tokenizer.json", place)
        text, korean, picture = self.vectors(file)
        self.assertEqual(len(text["embedding"]), facts["dim"])
        self.assertEqual(len(picture["embedding"]), facts["dim"])

    def test_a_lone_file_of_safetensors_is_no_model(self):
        _, err = self.run_moa("inspect", str(self.model / "model.safetensors"), code=6)
        self.assertIn("directory", err)



class Numbers(MoaTest):
    """Weights that are numbers, and what is made of them."""

    def checkpoint(self, **values):
        """A copy of CLIP of which all numbers of some tensors are others."""
        shutil.copytree(CLIP, self.home / "model", dirs_exist_ok=True)
        path = self.home / "model/model.safetensors"
        content = bytearray(path.read_bytes())
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8:8 + length])
        for name, value in values.items():
            begin, end = header[name.replace("__", ".")]["data_offsets"]
            content[8 + length + begin:8 + length + end] = struct.pack("<f", value) * ((end - begin) // 4)
        path.chmod(0o644)
        path.write_bytes(content)

    def test_a_vector_without_a_direction_is_an_error(self):
        for value, why in ((1e24, "has no direction"), (0, "holds NaN")):  # the squares of the one are infinite
            self.checkpoint(text_model__final_layer_norm__weight=value, text_model__final_layer_norm__bias=0)
            for dtype in ("f32", "bf16", "int8"):
                _, err = self.run_moa("embed", "-m", "model", "--text", "a dog", "--dtype", dtype, code=5)
                self.assertIn(why, err)
            self.run_moa("embed", "-m", "model", "--text", "a dog", "--raw")

    def test_what_stays_wide_is_looked_at_when_a_model_is_quantized(self):
        for value in (float("nan"), float("inf")):
            self.checkpoint(vision_model__post_layernorm__weight=value)
            _, err = self.run_moa("quantize", "model", "--dtype", "int8", "-o", "small", code=5)
            self.assertIn("cannot quantize 'vision_model.post_layernorm.weight'", err)
            self.assertFalse((self.home / "small").exists())


if __name__ == "__main__":
    unittest.main()
