"""moa train: what its file may say, and, where moa is built with libtorch, whole trainings of a tiny model."""
import array
import json
import os
import pathlib
import shutil
import signal
import socket
import time
import unittest

from moa_command import MoaTest, ROOT, TINY, png

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


def tensors(file):
    """The bytes of each tensor of a safetensors file."""
    content = file.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    return {name: content[end + of["data_offsets"][0] : end + of["data_offsets"][1]] for name, of in header.items() if name != "__metadata__"}


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

    def test_a_mistake_in_one_of_several_sources_is_named_by_its_line(self):
        self.settings()
        text = (self.home / "t.yaml").read_text()
        for source, key in [("share: 0", "share"), ("kind: sounds", "kind"), ("second_column: ko", "second_column")]:
            sources = f"data:\n  sources:\n  - train: pairs.csv\n  - train: words.tsv\n    {source}\n"
            self.write("t.yaml", text.replace("data: {train: pairs.csv}\n", sources))
            _, err = self.run_moa("train", "t.yaml", code=2)
            self.assertRegex(err, rf"t\.yaml, line 8: 'data.sources\[1\].{key}")

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

    def write_features(self, rows, width):
        numbers = array.array("f", [(i * 7 % 11) / 11 for i in range(rows * width)]).tobytes()
        header = json.dumps({"features": {"dtype": "F32", "shape": [rows, width], "data_offsets": [0, len(numbers)]}}).encode()
        (self.home / "f.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + numbers)

    def test_features_stand_for_pictures_and_only_heads_learn(self):
        self.settings(steps=4)
        self.write("captions.tsv", "row\tcaption\n" + "".join(f"{i % 5}\tthing number {i}\n" for i in range(9)))
        text = (self.home / "t.yaml").read_text()
        self.write("t.yaml", text.replace("train: pairs.csv", "train: captions.tsv, features: f.safetensors") + "learn: ['*_projection.weight']\n")
        self.write_features(rows=5, width=48)
        self.result()
        before, after = tensors(TINY / "model.safetensors"), tensors(self.home / "out/model/model.safetensors")
        self.assertEqual({name for name in after if after[name] != before[name]}, {"visual_projection.weight", "text_projection.weight"})
        shutil.rmtree(self.home / "out")
        self.write_features(rows=5, width=47)
        self.assertEqual(self.error_code("train", "t.yaml", code=5), "shape_mismatch")
        self.write_features(rows=4, width=48)
        self.assertEqual(self.error_code("train", "t.yaml", code=5), "corrupt_data")

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

    def test_pictures_and_pairs_of_texts_are_learned_side_by_side_and_it_goes_on_bit_for_bit(self):
        self.settings(steps=24)
        words = "".join(f"question {i}\tanswer {i}\n" for i in range(9))
        self.write("words.tsv", "ask\tsay\n" + words + "only one field\n")
        sources = "data: {sources: [{train: pairs.csv}, {train: words.tsv, kind: texts, first_column: ask, second_column: say, share: 2}]}\n"
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace("data: {train: pairs.csv}\n", sources))
        out, err = self.run_moa("train", "t.yaml", "--format", "json")
        self.assertRegex(err, r"left out: .*words\.tsv, line 11")
        self.assertGreater(json.loads(out)["skipped_pairs"], 0)
        whole = self.weights()
        columns = [line.split(",") for line in (self.home / "out/metrics.csv").read_text().splitlines()]
        drawn = [line[columns[0].index("source")] for line in columns[1:]]
        self.assertEqual(set(drawn), {"0", "1"})
        for kept in (self.home / "out/checkpoints").glob("step-*24"):
            shutil.rmtree(kept)
        shutil.rmtree(self.home / "out/model")
        self.result("--resume")  # from the checkpoint of step 21
        self.assertEqual(self.weights(), whole)

    def with_negatives(self, more=""):
        """Pictures and pairs of texts, most of them with a text that is wrong."""
        self.settings(more, steps=24)
        lines = (self.home / "pairs.csv").read_text().splitlines()
        wrong = ["wrong"] + ["" if i % 3 == 0 else f"no photo {i}" for i in range(len(lines) - 1)]
        self.write("pairs.csv", "".join(f"{line},{text}\n" for line, text in zip(lines, wrong)))
        words = [{"ask": f"question {i}", "say": f"answer {i}", "no": [f"lie {i}", f"answer {i + 1}"][: i % 3]} for i in range(9)]
        self.write("words.jsonl", "".join(json.dumps(line) + "\n" for line in words))
        words = "{train: words.jsonl, kind: texts, first_column: ask, second_column: say, negative_column: no}"
        sources = f"data: {{sources: [{{train: pairs.csv, negative_column: wrong}}, {words}]}}\n"
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace("data: {train: pairs.csv}\n", sources))

    def test_hard_negatives_are_learned_from_and_it_goes_on_bit_for_bit(self):
        self.with_negatives()
        self.result()
        whole = self.weights()
        for kept in (self.home / "out/checkpoints").glob("step-*24"):
            shutil.rmtree(kept)
        shutil.rmtree(self.home / "out/model")
        self.result("--resume")  # from the checkpoint of step 21
        self.assertEqual(self.weights(), whole)
        with_them = self.rows("out", 3)
        shutil.rmtree(self.home / "out")
        text = (self.home / "t.yaml").read_text()
        self.write("t.yaml", text.replace(", negative_column: wrong", "").replace(", negative_column: no", ""))
        self.result()
        self.assertGreater(with_them[0][0], self.rows("out", 3)[0][0])  # the same pairs, and more to tell apart

    def test_processes_learn_from_the_hard_negatives_of_all(self):
        self.with_negatives("chunk: 1\n")
        self.result()
        (self.home / "out").rename(self.home / "one")
        self.result("--processes", "3")
        for ours, alone in zip(self.rows("out", 6), self.rows("one", 6), strict=True):
            for a, b in zip(ours, alone, strict=True):
                self.assertLess(abs(a - b), 1e-4 * max(1, abs(b)))

    def test_hard_negatives_that_cannot_be_are_refused_before_anything_is_written(self):
        for more, column, words in [("loss: {kind: sup_con}\n", "wrong", "negative_column"), ("", "none", "found filepath, title, wrong")]:
            self.with_negatives(more)
            self.write("t.yaml", (self.home / "t.yaml").read_text().replace("negative_column: wrong", f"negative_column: {column}"))
            _, err = self.run_moa("train", "t.yaml", code=2)
            self.assertIn(words, err)
            self.assertFalse((self.home / "out").exists())

    def test_a_text_model_learns_from_pairs_of_texts_alone(self):
        model = ROOT / "tests/golden/sentence_transformers/bert_mean_normalize"
        self.write("words.csv", "question,answer\n" + "".join(f"ask {i},say {i}\n" for i in range(8)))
        self.write("t.yaml", SETTINGS.format(model=model, steps=20).replace("{train: pairs.csv}", "{train: words.csv, kind: texts}"))
        self.result()
        losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
        self.assertLess(sum(losses[-5:]), sum(losses[:5]))
        self.run_moa("embed", "--model", "out/model", "--text", "ask 3")

    def words(self):
        """A table of texts in place of the pictures."""
        self.write("words.tsv", "first\tsecond\n" + "".join(f"a photo of {i}\t{i} on a photo\n" for i in range(12)))
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace("{train: pairs.csv}", "{train: words.tsv, kind: texts}"))

    def test_a_teacher_draws_both_sides_of_a_pair_of_texts_to_its_vector_of_the_first(self):
        teacher = self.home / "teacher"
        self.settings("learn: text\n", steps=10)
        self.result()
        (self.home / "out/model").rename(teacher)
        shutil.rmtree(self.home / "out")
        self.settings(f"loss: {{weight: 0}}\ndistillation: {{teacher: {teacher}}}\n", steps=60)
        self.words()
        self.result()

        def distance(model):
            """Between the teacher's vectors of first texts, and the model's of both."""
            sides = [f"a photo of {i}" for i in range(12)], [f"{i} on a photo" for i in range(12)]
            embed = lambda name, texts: [json.loads(line)["embedding"] for line in self.run_moa("embed", "--model", name, *(w for t in texts for w in ("--text", t)))[0].splitlines()]
            wanted = embed(teacher, sides[0])
            return sum((a - b) ** 2 for side in sides for x, y in zip(wanted, embed(model, side)) for a, b in zip(x, y))

        self.assertLess(distance("out/model"), 0.5 * distance(str(TINY)))
        self.settings(f"distillation: {{teacher: {ROOT / 'models/moa-mini'}}}\n")
        shutil.rmtree(self.home / "out")
        _, err = self.run_moa("train", "t.yaml", code=5)
        self.assertIn("shape_mismatch", err)
        self.assertFalse((self.home / "out").exists())
        self.settings(f"distillation: {{teacher: {ROOT / 'models/moa-mini'}, kind: distribution}}\n", steps=3)
        self.result()

    def test_a_frozen_tower_is_computed_once_and_nothing_else_changes(self):
        still = "learn: text\nkeep_vectors: {{megabytes: {}, file: {}}}\n"
        losses = {}
        for kept, file in [(0, "false"), (64, "true")]:
            self.settings(still.format(kept, file), steps=12)
            text = (self.home / "t.yaml").read_text().replace("{flip: 0.5, brightness: 0.2}", "{random_resized_crop: false}")
            self.write("t.yaml", text)
            self.result()
            losses[kept] = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
            self.assertEqual((self.home / "out/vectors.sqlite").exists(), file == "true")
            shutil.rmtree(self.home / "out")
        for computed, kept in zip(losses[0], losses[64]):
            self.assertAlmostEqual(computed, kept, delta=1e-4)

    def test_texts_that_nothing_could_learn_from_are_refused(self):
        self.settings("learn: image\n")
        self.words()
        self.assertEqual(self.error_code("train", "t.yaml", code=2), "invalid_argument")
        self.assertFalse((self.home / "out").exists())

    def test_what_is_broken_in_a_validation_is_told_once(self):
        self.settings("validation: {table: val.csv, every: 2}\n", steps=4)
        self.write("val.csv", (self.home / "pairs.csv").read_text() + "photos/none.jpg,nothing\n")
        _, err = self.run_moa("train", "t.yaml")
        self.assertEqual(err.count("left out of the validation: "), 1)
        self.assertIn("none.jpg", err)
        self.write("val.csv", "filepath,title\nphotos/none.jpg,nothing\n")
        shutil.rmtree(self.home / "out")
        self.assertEqual(self.error_code("train", "t.yaml", code=4), "not_found")
        self.assertFalse((self.home / "out").exists())

    def test_a_finished_run_that_is_resumed_stays_as_it_is(self):
        self.settings("validation: {table: pairs.csv}\n", steps=4)
        whole = json.loads(self.run_moa("train", "t.yaml", "--format", "json", "-q")[0])
        validations = (self.home / "out/validation.csv").read_bytes()
        again = json.loads(self.run_moa("train", "t.yaml", "--format", "json", "-q", "--resume")[0])
        self.assertEqual((again["steps"], again["loss"], again["validation"]), (4, whole["loss"], whole["validation"]))
        self.assertEqual((self.home / "out/validation.csv").read_bytes(), validations)

    def test_a_resume_tells_what_is_not_as_it_was(self):
        self.settings(steps=4)
        self.result()
        settings = (self.home / "out/train.yaml").read_text()
        other = ROOT / "tests/golden/siglip/odd_sizes"
        self.write("t.yaml", settings.replace(str(TINY), str(other)))
        self.run_moa("train", "t.yaml", "--resume", code=5)
        self.assertEqual((self.home / "out/train.yaml").read_text(), settings)
        self.write("t.yaml", settings.replace("steps: 4", "steps: 6"))
        _, err = self.run_moa("train", "t.yaml", "--resume")
        self.assertIn("the settings are not those", err)
        shutil.rmtree(self.home / "out/checkpoints")
        _, err = self.run_moa("train", "t.yaml", "--resume")
        self.assertIn("it begins anew", err)

    def test_settings_that_were_mended_train_into_the_same_folder(self):
        self.settings("loss: {prefix_dims: [5000]}\n", steps=2)
        self.run_moa("train", "t.yaml", code=2)
        self.settings(steps=2)
        self.result()
        self.assertEqual(self.error_code("train", "t.yaml", code=2), "invalid_argument")

    def test_two_trainings_do_not_write_into_one_folder(self):
        self.settings(steps=100000)
        process = self.start("train", "t.yaml", "-q")
        for _ in range(400):
            if (self.home / "out/metrics.csv").exists():
                break
            time.sleep(0.05)
        _, err = self.run_moa("train", "t.yaml", "--resume", code=2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertIn("another training writes there", err)

    def test_the_logit_scale_learns_with_a_tower_and_begins_where_it_is_told_to(self):
        scale = lambda: float((self.home / "out/metrics.csv").read_text().splitlines()[-1].split(",")[4])
        self.settings("loss: {initial_logit_scale: 2}\nlearn: text\n", steps=1)
        self.result()
        self.assertAlmostEqual(scale(), 7.389, delta=0.05)
        learned = tensors(self.home / "out/model/model.safetensors")["logit_scale"]
        self.assertAlmostEqual(array.array("f", learned)[0], 2, delta=0.01)
        self.assertNotEqual(array.array("f", learned)[0], 2)
        shutil.rmtree(self.home / "out")
        self.settings("loss: {initial_logit_scale: 2, learns_logit_scale: false}\n", steps=1)
        self.assertEqual(self.error_code("train", "t.yaml", code=2), "invalid_argument")

    def test_tensorboard_gets_an_event_file(self):
        self.settings("tensorboard: true\nvalidation: {table: pairs.csv}\n", steps=3)
        self.result()
        (file,) = (self.home / "out").glob("events.out.tfevents.*")
        content = file.read_bytes()
        for tag in [b"brain.Event:2", b"train/loss", b"train/learning_rate", b"train/logit_scale", b"train/items_per_second", b"validation/image_retrieval_recall@1"]:
            self.assertIn(tag, content)

    def test_a_bundled_model_keeps_the_form_of_what_was_not_learned(self):
        self.settings("learn: image\n", steps=8, pictures=4)
        text = (self.home / "t.yaml").read_text().replace(str(TINY), "moa-mini").replace("learning_rate: 0.001", "learning_rate: 0.0001")
        self.write("t.yaml", text.replace("{flip: 0.5, brightness: 0.2}", "{random_resized_crop: false}"))
        self.result()
        losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
        self.assertLess(losses[-1], 0.8 * losses[0])  # each batch holds all four pictures
        before, after = ((folder / "model.safetensors").read_bytes() for folder in (ROOT / "models/moa-mini", self.home / "out/model"))
        self.assertLess(abs(len(before) - len(after)), 4096)
        embed = lambda model, *what: self.run_moa("embed", "--model", model, *what)[0]
        self.assertEqual(embed("moa-mini", "--text", "강아지"), embed("out/model", "--text", "강아지"))
        self.assertNotEqual(embed("moa-mini", "photos"), embed("out/model", "photos"))
        shutil.rmtree(self.home / "out")
        self.settings("learn: [\"text_model.encoder.layer.0.*\"]\n", steps=2)
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace(str(TINY), "moa-mini"))
        self.result()
        self.assertNotEqual(embed("moa-mini", "--text", "강아지"), embed("out/model", "--text", "강아지"))

    def classes(self, more="", steps=20, source="kind: classes", model=TINY):
        """Pictures of three colours to learn from, and others of the same."""
        for part, shades in [("set", range(100, 256, 26)), ("held", range(110, 256, 40))]:
            for at, name in enumerate(["red", "green", "deep_blue"]):
                for shade in shades:
                    rgb = [shade // 5] * 3
                    rgb[at] = shade
                    self.write(f"{part}/{name}/{shade}.png", png(24, 24, rgb))
        text = SETTINGS.format(model=model, steps=steps).replace("train: pairs.csv", "train: set, " + source)
        self.write("t.yaml", text + "validation: {folder: held}\n" + more)

    def metric(self, name, *arguments):
        return json.loads(self.run_moa("eval", "held", "--bootstrap", "0", "--format", "json", *arguments)[0])["metrics"][name]

    def test_classes_are_learned_by_their_texts(self):
        self.classes(steps=40)
        found = self.result()
        validation = (self.home / "out/validation.csv").read_text().splitlines()
        accuracy = float(validation[1].removeprefix("40,acc1,"))
        self.assertLess(self.metric("acc1", "--model", str(TINY)), 0.7)
        self.assertGreater(accuracy, 0.9)
        self.assertAlmostEqual(accuracy, self.metric("acc1", "--model", found["model"]))

    def test_classes_are_learned_by_an_adapter_on_both_towers_and_it_goes_on_bit_for_bit(self):
        more = "adapter: {rank: 4}\n"
        self.classes(more, steps=60, source="kind: classes, templates: ['a photo of a {}.', 'the {}']")
        self.result()
        adapter = (self.home / "out/adapter/adapter_model.safetensors").read_bytes()
        options = ["--model", str(TINY), "--template", "a photo of a {}.", "--template", "the {}"]
        self.assertGreater(self.metric("acc1", "--adapter", "out/adapter", *options), self.metric("acc1", *options))
        shutil.rmtree(sorted((self.home / "out/checkpoints").glob("step-*"))[-1])
        shutil.rmtree(self.home / "out/adapter")
        self.result("--resume")
        self.assertEqual((self.home / "out/adapter/adapter_model.safetensors").read_bytes(), adapter)

    def test_classes_with_frozen_texts_cost_the_pictures_alone(self):
        losses = []
        for megabytes in [0, 64]:
            self.classes(f"learn: image\nkeep_vectors: {{megabytes: {megabytes}}}\n", steps=10)
            self.result()
            losses.append([float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]])
            before, after = tensors(TINY / "model.safetensors"), tensors(self.home / "out/model/model.safetensors")
            changed = {name for name in after if after[name] != before[name]}
            self.assertTrue(changed and not any(name.startswith("text") for name in changed), changed)
            shutil.rmtree(self.home / "out")
        for computed, kept in zip(*losses, strict=True):
            self.assertAlmostEqual(computed, kept, delta=1e-4)

    def test_processes_learn_the_classes_that_one_learns(self):
        self.classes("chunk: 2\n", steps=8)
        self.result()
        (self.home / "out").rename(self.home / "one")
        self.result("--processes", "2")
        for ours, alone in zip(self.rows("out", 6), self.rows("one", 6), strict=True):
            for a, b in zip(ours, alone, strict=True):
                self.assertLess(abs(a - b), 1e-4 * max(1, abs(b)))

    def test_classes_that_cannot_be_are_refused_before_anything_is_written(self):
        def refused(code=2, words=""):
            _, err = self.run_moa("train", "t.yaml", code=code)
            self.assertRegex(err, words)
            self.assertFalse((self.home / "out").exists())
        self.classes("loss: {kind: sup_con}\n")
        refused(words="cross_entropy")
        self.classes(source="kind: classes, templates: [a photo]")
        refused(words="a photo")
        self.classes()
        (self.home / "held/grey").mkdir()
        shutil.copy(self.home / "held/red/110.png", self.home / "held/grey")
        refused(words="grey")
        shutil.rmtree(self.home / "held/grey")
        (self.home / "set/grey").mkdir()
        refused(words="grey")
        for name in ["grey", "red", "green"]:
            shutil.rmtree(self.home / "set" / name)
        refused(words="deep blue")

    def test_a_prompt_is_learned_resumed_and_put_before_texts(self):
        self.classes("prompt: {vectors: 5, initial: a photo}\n", steps=30)
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace("learning_rate: 0.001", "learning_rate: 0.05"))
        out, err = self.run_moa("train", "t.yaml")
        self.assertEqual(out, "out/prompt.safetensors\n")
        self.assertRegex(err, r"learning \d+ numbers, .*: 5 prompt vectors")
        self.assertFalse((self.home / "out/model").exists())
        prompt = (self.home / "out/prompt.safetensors").read_bytes()
        losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
        self.assertLess(sum(losses[-5:]), sum(losses[:5]))
        shutil.rmtree(sorted((self.home / "out/checkpoints").glob("step-*"))[-1])
        (self.home / "out/prompt.safetensors").rename(self.home / "p")
        self.result("--resume")
        self.assertEqual((self.home / "out/prompt.safetensors").read_bytes(), prompt)

        accuracy = float((self.home / "out/validation.csv").read_text().splitlines()[1].removeprefix("30,acc1,"))
        tiny = ["--model", str(TINY)]
        self.assertAlmostEqual(self.metric("acc1", *tiny, "--prompt-vectors", "p"), accuracy, places=5)
        identity = lambda *options: json.loads(self.run_moa("inspect", *tiny[1:], "--format", "json", *options)[0])["identity"]
        self.assertNotEqual(identity(), identity("--prompt-vectors", "p"))
        facts = json.loads(self.run_moa("inspect", "p", "--format", "json")[0])
        self.assertEqual((facts["vectors"], facts["initial"], facts["label_template"]), (5, "a photo", "{}."))
        cached = ["--text-cache", "on", "--text", "a dog"]
        embed = lambda *options: self.run_moa("embed", *tiny, *cached, *options)[0]
        plain, learned = embed(), embed("--prompt-vectors", "p")
        self.assertNotEqual(plain, learned)
        self.assertEqual([plain, learned], [embed(), embed("--prompt-vectors", "p")])
        self.run_moa("classify", *tiny, "--prompt-vectors", "p", "--labels", "red,green,deep blue", "held/red/110.png")
        _, err = self.run_moa("embed", "--model", "moa-mini", "--prompt-vectors", "p", "--text", "a dog", code=5)
        self.assertIn("model_mismatch", err)
        self.assertIn(str(TINY), err)
        self.assertIn("moa-mini", err)
        self.assertEqual(self.error_code("embed", *tiny, "--prompt-vectors", "none", "--text", "a", code=4), "not_found")
        self.assertEqual(self.error_code("embed", *tiny, "--prompt-vectors", "p", "--text-model", str(TINY), "--text", "a", code=6), "unsupported")

    def test_a_prompt_that_cannot_be_is_refused(self):
        for more, words in [("prompt: {vectors: 1, initial: a photo of a}", "tokens"), ("prompt: {vectors: 1000}", "takes"), ("prompt: {vectors: 18}", "'deep blue' and 'green'"),
                            ("prompt: {vectors: 4}\nlearn: all", "learn"), ("prompt: {}\nadapter: {rank: 2, merge: true}", "merge")]:
            self.classes(more + "\n")
            _, err = self.run_moa("train", "t.yaml", code=2)
            self.assertRegex(err, words)
        self.settings("prompt: {vectors: 4}\n")
        _, err = self.run_moa("train", "t.yaml", code=2)
        self.assertRegex(err, "classes")
        self.assertFalse((self.home / "out").exists())

    def rows(self, folder, columns):
        return [[float(x) for x in line.split(",")[2:columns]] for line in (self.home / folder / "metrics.csv").read_text().splitlines()[1:]]

    def test_processes_learn_what_one_learns(self):
        self.settings("chunk: 1\n")
        with open(self.home / "pairs.csv", "a") as table:
            table.write("photos/none.jpg,gone\n")
        self.result()
        (self.home / "out").rename(self.home / "one")
        found = self.result("--processes", "2")
        self.assertEqual((found["steps"], found["model"]), (8, "out/model"))
        for ours, alone in zip(self.rows("out", 6), self.rows("one", 6), strict=True):
            for a, b in zip(ours, alone, strict=True):
                self.assertLess(abs(a - b), 1e-4 * max(1, abs(b)))
        self.assertEqual(self.rows("out", 9)[-1][-1], self.rows("one", 9)[-1][-1])  # pairs that were left out
        self.run_moa("embed", "--model", "out/model", "--text", "a photo", "photos")

    def test_processes_go_on_bit_for_bit_after_an_interruption(self):
        self.settings(steps=30)
        self.result("--processes", "3")
        whole = self.weights()
        (self.home / "out").rename(self.home / "whole")
        process = self.start("train", "t.yaml", "--quiet", "--processes", "3")
        while not list((self.home / "out/checkpoints").glob("step-*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(err.decode().count("moa: error: cancelled"), 1)
        self.result("--resume", "--processes", "3")
        self.assertEqual(self.weights(), whole)

    def test_a_process_that_fails_ends_them_all_with_its_error(self):
        self.settings()
        (self.home / "t.yaml").write_text((self.home / "t.yaml").read_text().replace("pairs.csv}", "pairs.csv, bad_pairs: stop}"))
        with open(self.home / "pairs.csv", "a") as table:
            table.write("photos/none.jpg,gone\n")
        _, err = self.run_moa("train", "t.yaml", "--processes", "2", "--quiet", code=4)
        self.assertEqual(err.count("moa: error:"), 1, err)
        self.assertIn("none.jpg", err)
        self.error_code("train", "nothing.yaml", "--processes", "2", code=4)

    def test_a_process_that_is_killed_ends_them_all(self):
        self.settings(steps=100000)
        process = self.start("train", "t.yaml", "--quiet", "--processes", "2")
        while not list((self.home / "out/checkpoints").glob("step-*")) and process.poll() is None:
            time.sleep(0.01)
        workers = [int(pid) for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        self.assertEqual(len(workers), 2)
        os.kill(workers[1], signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 7)
        self.assertIn("signal 9", err.decode())
        self.assertFalse(any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers))

    def test_processes_die_with_the_one_that_started_them(self):
        self.settings(steps=100000)
        process = self.start("train", "t.yaml", "--quiet", "--processes", "2")
        while not list((self.home / "out/checkpoints").glob("step-*")) and process.poll() is None:
            time.sleep(0.01)
        workers = [int(pid) for pid in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
        process.kill()
        process.communicate()
        for _ in range(1000):
            # What nobody waits for stays as a zombie where there is no init.
            if not any(self.runs(pid) for pid in workers):
                return
            time.sleep(0.01)
        self.fail("a worker goes on")

    @staticmethod
    def runs(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    def test_processes_of_several_machines_are_told_by_their_environment(self):
        self.settings()
        self.result()
        (self.home / "out").rename(self.home / "one")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        told = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        processes = [self.start("train", "t.yaml", env=self.environment | told | {"RANK": str(rank)}) for rank in range(2)]
        results = [process.communicate(timeout=60) for process in processes]
        self.assertEqual([process.returncode for process in processes], [0, 0], results)
        self.assertEqual([out for out, _ in results], [b"out/model\n", b""])
        for ours, alone in zip(self.rows("out", 6), self.rows("one", 6), strict=True):
            self.assertLess(abs(ours[0] - alone[0]), 1e-4)
        for wrong in [{"RANK": ""}, {"RANK": "2"}, {"WORLD_SIZE": "many"}, {"MASTER_PORT": "x"}, {"MASTER_ADDR": ""}]:
            self.error_code("train", "t.yaml", env=self.environment | told | {"RANK": "1"} | wrong, code=2)
        self.error_code("train", "t.yaml", "--processes", "2", env=self.environment | told | {"RANK": "1"}, code=2)

    def test_an_adapter_is_learned_resumed_and_added_or_merged(self):
        self.settings("adapter: {rank: 2, merge: true}\nvalidation: {table: pairs.csv}\n", steps=20)
        _, err = self.run_moa("train", "t.yaml")
        self.assertRegex(err, r"learning \d+ numbers, .* lora of rank 2 on \d+ layers")
        adapter = (self.home / "out/adapter/adapter_model.safetensors").read_bytes()
        vectors = lambda *options: [row["embedding"] for row in self.lines("embed", "--text", "a photo", "photos", *options)]
        added, merged, plain = (vectors("--model", str(TINY), "--adapter", "out/adapter"), vectors("--model", "out/model"),
                                vectors("--model", str(TINY)))
        self.assertLess(max(abs(a - b) for x, y in zip(added, merged) for a, b in zip(x, y)), 1e-5)
        self.assertGreater(max(abs(a - b) for x, y in zip(added, plain) for a, b in zip(x, y)), 1e-3)
        self.run_moa("merge", str(TINY), "--adapter", "out/adapter", "-o", "merged")
        self.assertEqual((self.home / "merged/model.safetensors").read_bytes(), self.weights())

        self.settings("adapter: {rank: 2}\n", steps=20)
        (self.home / "out").rename(self.home / "whole")
        process = self.start("train", "t.yaml", "--quiet")
        while not list((self.home / "out/checkpoints").glob("step-*")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        found = self.result("--resume")
        self.assertEqual((self.home / "out/adapter/adapter_model.safetensors").read_bytes(), adapter)
        self.assertNotIn("model", found)  # nothing was learned beside the adapter
        self.assertFalse((self.home / "out/model").exists())
        self.settings("adapter: {rank: 3}\n", steps=30)
        self.assertEqual(self.error_code("train", "t.yaml", "--resume", code=5), "model_mismatch")

    def test_moa_minis_projection_of_features_learns_where_a_model_has_one(self):
        mini = self.home / "mini"
        shutil.copytree(ROOT / "models/moa-mini", mini)
        config = json.loads((mini / "config.json").read_text())
        self.assertFalse(config["feature_projection"])
        (mini / "config.json").write_text(json.dumps(config | {"feature_projection": True}))
        content = (mini / "model.safetensors").read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        begin, size = len(content) - end, 384 * 1280 * 4
        header = json.loads(content[8:end]) | {"feature_projection.weight": {"dtype": "F32", "shape": [384, 1280], "data_offsets": [begin, begin + size]}}
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        (mini / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content[end:] + bytes(size))
        self.settings("learn: feature_projection.weight\n", steps=6)
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace(str(TINY), str(mini)))
        self.result()
        losses = [float(line.split(",")[2]) for line in (self.home / "out/metrics.csv").read_text().splitlines()[1:]]
        self.assertLess(min(losses[3:]), losses[0])
        after = tensors(self.home / "out/model/model.safetensors")
        self.assertNotEqual(after["feature_projection.weight"], bytes(size))
        self.run_moa("embed", "--model", "out/model", "photos")

    def test_batch_norms_learn_and_their_statistics_stay(self):
        self.settings(steps=4)
        model = ROOT / "tests/golden/align/odd_sizes"
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace(str(TINY), str(model)) + "learn: image\n")
        self.result()
        before, after = tensors(model / "model.safetensors"), tensors(self.home / "out/model/model.safetensors")
        # What counts the batches that a norm saw in training is no part of the model.
        self.assertEqual({name for name in before if not name.endswith("num_batches_tracked")}, set(after))
        changed = {name for name in after if before[name] != after[name]}
        norm = "vision_model.embeddings.batchnorm."
        self.assertEqual({name.removeprefix(norm) for name in changed if name.startswith(norm)}, {"weight", "bias"})
        self.assertIn("vision_model.embeddings.convolution.weight", changed)
        self.assertFalse({name for name in changed if "running" in name or name.startswith("text_model.")})
        self.run_moa("embed", "--model", "out/model", "photos")

    def test_bad_lines_of_a_table_of_pictures_are_left_out_and_counted(self):
        self.settings(steps=6)
        with open(self.home / "pairs.csv", "ab") as table:
            table.write(b",no picture\nphotos/one_field.jpg\nphotos/\xff.jpg,not UTF-8\n")
        out, err = self.run_moa("train", "t.yaml", "--format", "json")
        for line in (12, 13, 14):
            self.assertRegex(err, rf"left out: .*pairs\.csv, line {line}")
        self.assertGreaterEqual(json.loads(out)["skipped_pairs"], 3)
        shutil.rmtree(self.home / "out")
        self.write("t.yaml", (self.home / "t.yaml").read_text().replace("pairs.csv}", "pairs.csv, bad_pairs: stop}"))
        self.assertEqual(self.error_code("train", "t.yaml", code=5), "corrupt_data")

    def test_a_shard_that_is_not_there_is_refused_before_anything_is_written(self):
        self.settings()
        self.write("0.tar", "")
        text = (self.home / "t.yaml").read_text()
        for places in ['"{0..3}.tar"', "[0.tar, 1.tar]"]:
            self.write("t.yaml", text.replace("train: pairs.csv", "train: " + places))
            _, err = self.run_moa("train", "t.yaml", code=4)
            self.assertIn("1.tar", err)
            self.assertFalse((self.home / "out").exists())

    def test_a_table_trains_in_a_folder_of_any_name(self):
        self.settings(steps=2)
        self.home = self.home.rename(self.home.parent / (self.home.name + ".target"))
        self.addCleanup(shutil.rmtree, self.home)
        self.result()

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
