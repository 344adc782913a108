"""moa eval: classification, retrieval and a linear probe on the pictures of demo/."""
import json
import shutil
import unittest

from moa_command import MoaTest, ROOT, png

CLASSES = {"owl": ["owl.jpg"], "tabby_cat": ["tabby-cat.jpg"], "butterfly": ["butterfly.jpg"], "horses": ["horses.jpg"]}


class Eval(MoaTest):
    def set_of_classes(self):
        for name, pictures in CLASSES.items():
            (self.home / "set" / name).mkdir(parents=True)
            for picture in pictures:
                shutil.copy(ROOT / "demo" / picture, self.home / "set" / name)

    def report(self, *arguments, **options):
        return json.loads(self.run_moa("eval", *arguments, "--format", "json", **options)[0])

    def test_a_folder_of_classes_is_zero_shot_classification(self):
        self.set_of_classes()
        found = self.report("set", "--bootstrap", "50")
        self.assertEqual((found["task"], found["pictures"], found["classes"]), ("zeroshot_classification", 4, 4))
        self.assertEqual(found["metrics"], {"acc1": 1.0, "mean_per_class_recall": 1.0})
        self.assertEqual(found["intervals"]["acc1"], [1.0, 1.0])

    def test_class_names_and_templates_may_be_given(self):
        self.set_of_classes()
        self.write("names.tsv", "owl\ta butterfly\nbutterfly\tan owl\ntabby_cat\ta cat\nhorses\thorses\nboat\ta boat\n")
        self.write("templates.txt", "a photo of {c}.\n{}\n")
        found = self.report("set", "--classnames", "names.tsv", "--templates-file", "templates.txt", "--top", "1,2,5")
        self.assertEqual(found["classes"], 5)
        self.assertEqual(found["metrics"]["acc1"], 0.5)
        self.assertEqual(found["metrics"]["acc5"], 1.0)

    def test_a_table_of_captions_is_retrieval(self):
        self.photos("owl.jpg", "tabby-cat.jpg")
        self.write("pairs.csv", 'filepath,title\nphotos/owl.jpg,"an owl, in a tree"\nphotos/tabby-cat.jpg,a cat\nphotos/owl.jpg,a bird\n')
        found = self.report("pairs.csv", "--top", "1")
        self.assertEqual((found["task"], found["pictures"], found["captions"]), ("zeroshot_retrieval", 2, 3))
        self.assertEqual(found["metrics"]["image_retrieval_recall@1"], 1.0)
        self.assertEqual(found["metrics"]["text_retrieval_recall@1"], 1.0)
        self.write("pairs.jsonl", '{"photo": "photos/owl.jpg", "says": ["an owl", "a bird"]}\n')
        found = self.report("pairs.jsonl", "--image-column", "photo", "--caption-column", "says", "--bootstrap", "0")
        self.assertEqual(found["captions"], 2)
        self.assertNotIn("intervals", found)

    def test_a_caption_without_a_word_is_an_error_of_its_own(self):
        self.photos("owl.jpg", "tabby-cat.jpg")
        self.write("pairs.csv", "filepath,title\nphotos/owl.jpg,an owl\nphotos/tabby-cat.jpg,a cat\n")
        whole = self.report("pairs.csv", "--top", "1,1")
        self.write("pairs.csv", 'filepath,title\nphotos/owl.jpg,an owl\nphotos/tabby-cat.jpg,a cat\nphotos/owl.jpg,\nphotos/owl.jpg,"  "\n')
        out, err = self.run_moa("eval", "pairs.csv", "--top", "1,1", "--format", "json", code=3)
        self.assertEqual(err.count("the caption is empty"), 2)
        self.assertEqual(out.count('"image_retrieval_recall@1"'), 2)  # the metric, and its interval
        self.assertEqual(json.loads(out)["metrics"], whole["metrics"])

    def test_captions_and_classes_that_are_cut_are_warned_of(self):
        self.photos("owl.jpg", "tabby-cat.jpg")
        self.write("pairs.csv", f"filepath,title\nphotos/owl.jpg,an owl\nphotos/tabby-cat.jpg,{'a cat ' * 300}\n")
        _, err = self.run_moa("eval", "pairs.csv")
        self.assertEqual(err.count("1 text is longer than the model's context and was cut, the first at index 1: 'a cat a cat"), 1)
        self.set_of_classes()
        _, err = self.run_moa("eval", "set", "--template", "{}" + " a cat" * 300)
        self.assertEqual(err.count("4 texts are longer than the model's context and were cut, the first at index 0: "), 1)

    def test_a_linear_probe_learns_and_is_tried_on_a_part(self):
        for name in ("owl", "tabby-cat"):
            for copy in range(4):
                (self.home / "set" / name).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / "demo" / f"{name}.jpg", self.home / "set" / name / f"{copy}.jpg")
        found = self.report("--task", "linear_probe", "set", "--probe-c", "10")
        self.assertEqual(found["pictures"], 2)
        self.assertEqual((found["metrics"]["lp_acc1"], found["metrics"]["lp_c"]), (1.0, 10.0))

    def test_the_table_is_for_people(self):
        self.set_of_classes()
        out, _ = self.run_moa("eval", "set")
        self.assertRegex(out, r"zeroshot_classification: 4 pictures, 4 classes\n")
        self.assertRegex(out, r"acc1 +100\.00 %   95 % of resamples: 100\.00 to 100\.00\n")

    def test_a_broken_picture_is_reported_and_the_rest_counts(self):
        self.set_of_classes()
        self.write("set/owl/broken.png", png(8, 8)[:40])
        out, err = self.run_moa("eval", "set", "--format", "json", code=3)
        self.assertEqual(json.loads(out)["failed"], 1)
        self.assertIn("corrupt_data", err)
        self.assertEqual(json.loads(out)["metrics"]["acc1"], 1.0)

    def test_where_every_picture_fails_the_code_is_the_first_ones(self):
        self.write("pairs.csv", "filepath,title\nnope.jpg,a dog\nno.jpg,a cat\n")
        out, err = self.run_moa("eval", "pairs.csv", code=4)
        self.assertEqual((out, err.count("not_found")), ("", 2))

    def test_options_of_other_tasks_are_refused(self):
        self.set_of_classes()
        self.write("pairs.csv", "filepath,title\nset/owl/owl.jpg,an owl\n")
        for arguments in (["set", "--test", "set"], ["set", "--merge-captions"], ["set", "--probe-c", "1"], ["pairs.csv", "--template", "a {}"], ["set", "--root", "/tmp"], ["set", "--label-column", "a"],
                          ["set", "--task", "linear_probe", "--test", "set", "--test-share", "0.5"],
                          ["pairs.csv", "--examples", "set"], ["set", "--task", "linear_probe", "--examples", "set"], ["set", "--examples-alpha", "2"]):
            self.assertEqual(self.error_code("eval", *arguments, code=2), "invalid_argument")

    def test_wrong_use_is_refused(self):
        self.set_of_classes()
        self.write("pairs.csv", "a,b\n1,2\n")
        self.write("broken.csv", 'filepath,title\nx,"y\n')
        for arguments, code in [(["set", "--top", "0"], 2), (["set", "--top", "1,"], 2), ([], 2), (["set", "set"], 2),
                                (["set", "--confidence", "1"], 2), (["pairs.csv"], 2), (["none.csv"], 4), (["none"], 4), (["none/"], 4), (["--task", "zeroshot_classification", "none"], 4), (["broken.csv"], 5),
                                (["set", "--separator", "ab"], 2), (["--task", "linear_probe", "set"], 2),
                                (["set", "--classnames", "none"], 4), (["set/owl"], 2)]:
            self.run_moa("eval", *arguments, code=code)


if __name__ == "__main__":
    unittest.main()
