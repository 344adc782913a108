"""moa train: what its file may say, and, where moa is built with libtorch, whole trainings of a tiny model."""
import json
import os
import signal
import time
import unittest

from moa_command import MoaTest, ROOT

TINY = ROOT / "tests/golden/clip/odd_sizes"
HAS_TORCH = os.environ.get("MOA_HAS_TORCH") == "1"
SETTINGS = """model: {model}
output: out
seed: 3
data: {{train: pairs.csv}}
augmentation: {{flip: 0.5, brightness: 0.2}}
batch: 4
optimizer: {{learning_rate: 0.001}}
schedule: {{steps: {steps}, warmup_steps: 2}}
checkpoint: {{every: 3, keep: 2}}
log_every: 1
"""


class Train(MoaTest):
    def settings(self, more="", steps=8, pictures=10):
        names = sorted(path.name for path in (ROOT / "demo").glob("*.jpg"))[:pictures]
        self.photos(*names)
        self.write("pairs.csv", "filepath,title\n" + "".join(f'photos/{name},"{name[:-4]}, a photo"\n' for name in names))
        self.write("t.yaml", SETTINGS.format(model=TINY, steps=steps) + more)

    def test_settings_that_cannot_be_are_refused_before_anything_is_written(self):
        for more, names in [("batchsize: 4\n", "batchsize"), ("precision: f16\n", "precision"), ("learn: [sound]\nloss: 3\n", "loss")]:
            self.settings(more)
            _, err = self.run_moa("train", "t.yaml", code=2)
            self.assertRegex(err, rf"t\.yaml, line \d+: '{names}")
        self.assertEqual(self.error_code("train", "none.yaml", code=4), "not_found")
        self.assertEqual(self.error_code("train", code=2), "invalid_argument")
        self.assertFalse((self.home / "out").exists())

    @unittest.skipIf(HAS_TORCH, "this build has libtorch")
    def test_without_libtorch_it_says_what_is_missing(self):
        self.settings()
        _, err = self.run_moa("train", "t.yaml", code=6)
        self.assertIn("libtorch-dev", err)
        self.assertFalse((self.home / "out").exists())


@unittest.skipUnless(HAS_TORCH, "this build has no libtorch")
class WholeTrainings(Train):
    def result(self, *arguments, **options):
        return json.loads(self.run_moa("train", "t.yaml", "--format", "json", *arguments, **options)[0])

    def weights(self):
        return (self.home / "out/model/model.safetensors").read_bytes()

    def test_a_trained_model_loads_and_has_learnt(self):
        self.settings(steps=30)
        found = self.result()
        self.assertEqual(found["steps"], 30)
        losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
        self.assertEqual(len(losses), 30)
        self.assertLess(sum(losses[-5:]), sum(losses[:5]))
        self.assertIn("<svg", (self.home / "out/loss.svg").read_text())
        self.run_moa("embed", "--model", "out/model", "--text", "a photo", "photos")
        self.assertNotEqual(self.weights(), (TINY / "model.safetensors").read_bytes())

    def test_it_goes_on_bit_for_bit_after_an_interruption(self):
        self.settings(steps=40)
        self.result()
        whole = self.weights()
        (self.home / "out").rename(self.home / "whole")
        process = self.start("train", "t.yaml", "--quiet")
        while not list((self.home / "out/checkpoints").glob("step-*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.assertFalse((self.home / "out/model").exists())
        self.error_code("train", "t.yaml", code=2)  # not without --resume
        self.result("--resume")
        self.assertEqual(self.weights(), whole)
        metrics = [line.split(",")[:6] for line in (self.home / "out/metrics.csv").read_text().splitlines()]
        self.assertEqual(metrics, [line.split(",")[:6] for line in (self.home / "whole/metrics.csv").read_text().splitlines()])

    def test_what_is_frozen_stays_and_a_bad_pair_is_left_out(self):
        self.settings("learn: text\nvalidation: {table: pairs.csv}\n")
        with open(self.home / "pairs.csv", "a") as table:
            table.write("photos/none.jpg,gone\n")
        found = self.result()
        self.assertGreater(found["skipped_pairs"], 0)
        self.assertIn("image_retrieval_recall@1", found["validation"])
        embed = lambda model: self.run_moa("embed", "--model", model, "photos/" + os.listdir(self.home / "photos")[0])[0]
        self.assertEqual(embed(str(TINY)), embed("out/model"))
        self.settings("data_comment: x\n")
        self.run_moa("train", "t.yaml", code=2)


if __name__ == "__main__":
    unittest.main()
