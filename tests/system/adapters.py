"""--adapter and what goes with it: an index never mixes vectors, what does not belong is refused, and inspect tells what an adapter is."""
import json
import shutil
import unittest

from moa_command import MoaTest, ROOT, TINY, cosine

LORA = str(ROOT / "tests/golden/adapters/lora")


class Adapters(MoaTest):
    def vector(self, *options):
        return self.lines("embed", "--model", TINY, "--text", "a photo of a dog.", *options)[0]["embedding"]

    def test_every_command_that_embeds_takes_one(self):
        self.photos("owl.jpg", "horses.jpg")
        both = ("--model", TINY, "--adapter", LORA)
        self.assertNotEqual(self.vector("--adapter", LORA), self.vector())
        self.assertEqual(self.vector("--adapter", LORA + "/adapter_model.safetensors"), self.vector("--adapter", LORA))
        picture, text = (row["embedding"] for row in reversed(self.lines("embed", *both, "--text", "an owl", "photos/owl.jpg")))
        match = json.loads(self.run_moa("match", *both, "--image", "photos/owl.jpg", "--text", "an owl", "--format", "json")[0])
        self.assertAlmostEqual(match["cosine"][0][0], cosine(picture, text), places=5)
        hits = self.lines("search", "photos", "an owl", *both, "--format", "jsonl")
        self.assertAlmostEqual({hit["path"]: hit["score"] for hit in hits}["photos/owl.jpg"], cosine(picture, text), places=5)
        self.run_moa("classify", "--labels", "owl,horse", *both, "photos/owl.jpg")
        self.write("pairs.csv", "filepath,title\nphotos/owl.jpg,an owl\nphotos/horses.jpg,horses\n")
        self.run_moa("eval", "pairs.csv", *both, "--top", "1", "--bootstrap", "0")
        self.run_moa("bench", *both, "--batch", "1", "--dtype", "f32", "--modality", "text", "--seconds", "0.01")

    def test_an_index_never_mixes_vectors(self):
        self.photos("owl.jpg")
        self.run_moa("index", "photos", "-o", "i.moa", "--model", TINY, "--adapter", LORA)
        self.run_moa("search", "i.moa", "an owl", "--model", TINY, "--adapter", LORA)
        self.assertEqual(self.error_code("search", "i.moa", "an owl", "--model", TINY, code=5), "model_mismatch")
        self.assertEqual(self.error_code("index", "photos", "-o", "i.moa", "--model", TINY, code=5), "model_mismatch")
        self.assertIn(LORA, json.loads(self.run_moa("inspect", "i.moa", "--format", "json")[0])["model"])

    def test_what_does_not_belong_is_refused(self):
        refused = lambda code, *options: self.error_code("embed", "--text", "x", *options, code=code)
        self.assertEqual(refused(5, "--model", str(ROOT / "tests/golden/blip/odd_sizes"), "--adapter", LORA), "model_mismatch")
        self.assertEqual(refused(4, "--model", TINY, "--adapter", "nowhere"), "not_found")
        self.assertEqual(refused(6, "--model", TINY, "--adapter", LORA.replace("lora", "dora")), "unsupported")
        shutil.copytree(LORA, self.home / "other")
        config = self.home / "other/adapter_config.json"
        config.write_text(config.read_text().replace('"r": 3', '"r": 4'))
        self.assertEqual(refused(5, "--model", TINY, "--adapter", "other"), "shape_mismatch")

    def test_inspect_tells_what_it_is(self):
        found = json.loads(self.run_moa("inspect", LORA, "--format", "json")[0])
        self.assertEqual((found["kind"], found["rank"], found["scale"]), ("lora", 3, 2))
        self.assertIn("text_model.encoder.layers.0.mlp.fc1", found["layers"])
        self.assertIn("lora", self.run_moa("inspect", LORA)[0])
        with_it = json.loads(self.run_moa("inspect", TINY, "--adapter", LORA, "--format", "json")[0])
        self.assertEqual(with_it["adapter"], LORA)


if __name__ == "__main__":
    unittest.main()
