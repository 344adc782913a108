"""moa compress, as people use it, and a training that goes on with what it wrote."""
import json
import os
import shutil
import unittest

from moa_command import MoaTest, ROOT, TINY, png

HAS_TORCH = os.environ.get("MOA_HAS_TORCH") == "1"
SETTINGS = """model: small
output: out
data: {train: pairs.csv}
augmentation: {random_resized_crop: false}
learn: text
batch: 5
optimizer: {learning_rate: 0.002}
schedule: {steps: 30}
"""


class Compress(MoaTest):
    def compress(self, *arguments, **options):
        return json.loads(self.run_moa("compress", str(TINY), "-o", "small", "--format", "json", *arguments, **options)[0])

    def test_the_report_says_what_became_of_each_layer(self):
        self.photos()
        self.write("texts.txt", "a dog\ntwo cats\n")
        found = self.compress("--error", "0.6", "--images", "photos", "--texts-file", "texts.txt")
        self.assertEqual(len(found["linears"]), 30)
        self.assertLess(found["bytes_after"], found["bytes_before"])
        self.assertLess(found["parameters_after"], found["parameters_before"])
        for linear in found["linears"]:
            self.assertLessEqual(linear["error"], 0.6)
            if linear["ranks"]:
                self.assertLess(linear["bytes_after"], linear["bytes_before"])
        self.assertEqual(found["texts"]["items"], 2)
        self.assertLess(found["images"]["cosine_min"], 1)
        self.run_moa("embed", "--model", "small", "--text", "a dog")
        parameters = json.loads(self.run_moa("inspect", "small", "--format", "json")[0])["parameters"]
        self.assertEqual(parameters, found["parameters_after"])

    def test_the_table_names_what_stays(self):
        out, _ = self.run_moa("compress", str(TINY), "-o", "small", "--kind", "tensor_train", "--error", "0.3", "--linears", "text_model.*")
        self.assertIn("of 18 linear layers", out)
        self.assertIn("stays", out)

    def test_what_cannot_be_is_an_error_and_leaves_nothing(self):
        for arguments in [("--error", "1"), ("--error", "-1"), ("--linears", "nothing.*"), ("--kind", "tucker")]:
            self.assertEqual(self.error_code("compress", str(TINY), "-o", "small", *arguments, code=2), "invalid_argument")
        self.assertEqual(self.error_code("compress", str(TINY), code=2), "invalid_argument")
        self.assertEqual(self.error_code("compress", "gone", "-o", "small", code=4), "not_found")
        self.assertEqual(os.listdir(self.home), [])

    def test_what_cannot_be_compared_is_said_and_makes_the_exit_code(self):
        self.write("set/good.png", png(8, 8))
        self.write("set/broken.jpg", b"\xff\xd8\xff\xe0 and nothing more")
        self.write("texts.txt", b"good\nb\xffd\n")
        for command in (["quantize", "--dtype", "int8"], ["compress", "--error", "0.6", "--linears", "text_model.*"]):
            run = [*command, str(TINY), "--format", "json", "-o"]
            out, err = self.run_moa(*run, command[0] + "-some", "--images", "set", "--texts-file", "texts.txt", code=3)
            found = json.loads(out)
            self.assertEqual((found["images"]["items"], found["texts"]["items"]), (1, 1))
            self.assertIn("set/broken.jpg", err)
            self.assertEqual(err.count("moa: error: corrupt_data: "), 2)
            out, err = self.run_moa(*run, command[0] + "-none", "--images", "set/broken.jpg", code=5)
            self.assertNotIn("images", json.loads(out))
            self.assertEqual(self.error_code(*run, command[0] + "-gone", "--images", "nothere", code=4), "not_found")
            self.assertFalse((self.home / (command[0] + "-gone")).exists())
        texts_only = ROOT / "tests/golden/sentence_transformers/bert_mean_normalize"
        self.assertEqual(self.error_code("quantize", texts_only, "--dtype", "int8", "-o", "small", "--images", "set", code=6), "unsupported")
        self.assertFalse((self.home / "small").exists())

    @unittest.skipUnless(HAS_TORCH, "this build has no libtorch")
    def test_a_training_learns_the_factors_and_keeps_them(self):
        for kind in ("low_rank", "tensor_train"):
            with self.subTest(kind=kind):
                for old in ("small", "out"):
                    shutil.rmtree(self.home / old, ignore_errors=True)
                compressed = self.compress("--error", "0.6", "--kind", kind, "--linears", "text_model.*")
                self.assertLess(compressed["parameters_after"], compressed["parameters_before"])
                names = sorted(path.name for path in (ROOT / "demo").glob("*.jpg"))[:10]
                self.photos(*names)
                self.write("pairs.csv", "filepath,title\n" + "".join(f'photos/{name},"{name[:-4]}, a photo"\n' for name in names))
                self.write("t.yaml", SETTINGS)
                self.run_moa("train", "t.yaml")
                losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
                self.assertLess(sum(losses[-5:]), sum(losses[:5]))
                after = self.tensors("out/model")
                before = self.tensors("small")
                self.assertEqual({name: shape for name, (shape, _) in before.items()}, {name: shape for name, (shape, _) in after.items()})
                suffix = ".left" if kind == "low_rank" else ".core2"
                factors = [name for name in after if name.endswith(suffix)]
                self.assertTrue(factors)
                for name in factors:
                    self.assertNotEqual(before[name], after[name], name)
                self.run_moa("embed", "--model", "out/model", "--text", "a photo")

    def tensors(self, folder):
        """Shape and bytes of every tensor."""
        content = (self.home / folder / "model.safetensors").read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8:8 + length])
        header.pop("__metadata__", None)
        data = content[8 + length:]
        return {name: (tensor["shape"], data[slice(*tensor["data_offsets"])]) for name, tensor in header.items()}


if __name__ == "__main__":
    unittest.main()
