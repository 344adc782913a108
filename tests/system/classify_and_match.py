"""moa classify and moa match."""
import json
import os
import unittest

from moa_command import BLIP, MoaTest, TINY, cosine, png


class Classify(MoaTest):
    def test_labels_come_best_first_and_add_up(self):
        self.photos("owl.jpg")
        (item,) = self.lines("classify", "--labels", "a horse, an owl ,a castle", "photos", "--format", "jsonl")
        self.assertEqual(item["input"], "photos/owl.jpg")
        self.assertEqual(item["labels"][0]["label"], "an owl")
        self.assertAlmostEqual(sum(label["score"] for label in item["labels"]), 1, places=5)

    def test_labels_come_from_a_file_too(self):
        self.photos("owl.jpg")
        self.write("labels.txt", "새\r\n\n말\n")
        (item,) = self.lines("classify", "--labels-file", "labels.txt", "--template", "이것은 {}입니다", "photos",
                             "--format", "jsonl", "--top", "1")
        self.assertEqual([label["label"] for label in item["labels"]], ["새"])

    def test_the_table_shows_shares(self):
        self.photos("owl.jpg")
        out, _ = self.run_moa("classify", "--labels", "owl,horse", "photos/owl.jpg")
        self.assertRegex(out, r"^photos/owl\.jpg\n +[0-9.]+ %  owl\n +[0-9.]+ %  horse\n$")

    def test_a_drawing_is_known_by_what_it_shows(self):
        def smiling(x, y):
            x, y = x - 64, y - 64
            if x * x + y * y > 56 * 56:
                return 255, 255, 255
            is_eye = min((x - 20) ** 2, (x + 20) ** 2) + (y + 14) ** 2 < 49
            is_mouth = 28 * 28 < x * x + y * y < 36 * 36 and y > 10
            return (60, 40, 20) if is_eye or is_mouth else (255, 205, 50)

        self.write("smiling.png", png(128, 128, smiling))
        for labels in ("tennis ball,airplane,smiling face,snowflake,clock", "테니스 공,비행기,웃는 얼굴,눈송이,시계"):
            (item,) = self.lines("classify", "--labels", labels, "smiling.png", "--format", "jsonl")
            self.assertEqual(item["labels"][0]["label"], labels.split(",")[2])

    def test_a_bad_picture_is_reported_in_its_place(self):
        self.photos("owl.jpg")
        items = self.lines("classify", "--labels", "a,b", "gone.jpg", "photos/owl.jpg", "--format", "jsonl", code=3)
        self.assertEqual(items[0]["error"]["code"], "not_found")
        self.assertIn("labels", items[1])

    def test_examples_have_a_say_and_bring_their_labels(self):
        self.photos("owl.jpg", "horses.jpg")
        for label, photo in (("one_kind", "owl.jpg"), ("another_kind", "horses.jpg")):
            (self.home / "kinds" / label).mkdir(parents=True)
            (self.home / "kinds" / label / photo).write_bytes((self.home / "photos" / photo).read_bytes())
        (self.home / "kinds" / "one_kind" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
        for photo, label in (("photos/owl.jpg", "one kind"), ("photos/horses.jpg", "another kind")):
            (item,) = self.lines("classify", "--examples", "kinds", "--examples-alpha", "20", photo, "--format", "jsonl")
            self.assertEqual(item["labels"][0]["label"], label)
        self.error_code("classify", "--labels", "one kind", "--examples", "kinds", "photos/owl.jpg", code=2)
        self.error_code("classify", "--examples", "nowhere", "photos/owl.jpg", code=4)
        for photo in ("one_kind/owl.jpg", "another_kind/horses.jpg"):
            (self.home / "kinds" / photo).write_bytes(b"\xff\xd8\xff\xe0 broken")
        self.assertEqual(self.error_code("classify", "--examples", "kinds", "photos/owl.jpg", code=5), "corrupt_data")

    def test_labels_that_are_cut_are_warned_of_once(self):
        self.write("red.png", png(8, 8))
        for template in ([], ["--template", "{}", "--template", "a {}"]):
            _, err = self.run_moa("classify", "-m", str(TINY), "--labels", "short," + "dog " * 200, *template, "red.png")
            self.assertEqual(err.count("moa: warning: "), 1)
            self.assertIn("1 text is" if not template else "2 texts are", err)

    def test_wrong_use_is_refused(self):
        self.photos("owl.jpg")
        self.error_code("classify", "photos", code=2)
        self.error_code("classify", "--labels", " , ", "photos", code=2)
        self.error_code("classify", "--labels", "a,b", code=2)
        self.error_code("classify", "--labels", "a,b", "--template", "no hole", "photos", code=2)


class Match(MoaTest):
    def test_every_picture_against_every_text(self):
        self.photos("owl.jpg", "german-shepherd.jpg")
        (result,) = self.lines("match", "--image", "photos/owl.jpg", "--image", "photos/german-shepherd.jpg", "--text", "an owl",
                               "--text", "강아지", "--format", "json")
        self.assertEqual(result["images"], ["photos/owl.jpg", "photos/german-shepherd.jpg"])
        self.assertEqual(result["texts"], ["an owl", "강아지"])
        self.assertGreater(result["score"][0][0], result["score"][0][1])
        self.assertGreater(result["score"][1][1], result["score"][1][0])
        items = self.lines("embed", "--text", "an owl", "photos/owl.jpg")
        self.assertAlmostEqual(result["cosine"][0][0], cosine(*(item["embedding"] for item in items)), places=5)

    def test_a_bad_pictures_row_is_null(self):
        self.write("red.png", png(8, 8))
        out, _ = self.run_moa("match", "--image", "red.png", "--image", "gone.png", "--text", "a", "--format", "json", code=3)
        result = json.loads(out)
        self.assertEqual(result["cosine"][1], [None])
        self.assertEqual([error["index"] for error in result["errors"]], [1])
        self.assertEqual(result["errors"][0]["error"]["code"], "not_found")

    def test_without_any_sound_picture_the_code_is_the_failures(self):
        self.error_code("match", "--image", "gone.png", "--text", "a", code=4)

    def test_without_any_sound_text_the_code_is_the_failures_too(self):
        self.write("red.png", png(8, 8))
        out, err = self.run_moa("match", "--image", "red.png", "--text", "\udcff", "--format", "json", code=5)
        self.assertEqual(json.loads(out)["text_errors"], [{"index": 0, "input": "\ufffd", "error": {
            "code": "corrupt_data", "message": err.split(": ", 3)[3].rstrip("\n")}}])
        self.run_moa("match", "--image", "red.png", "--text", "\udcff", "--text", "a", code=3)

    def test_texts_that_are_cut_are_warned_of_once(self):
        self.write("red.png", png(8, 8))
        pair = ("match", "-m", str(TINY), "--image", "red.png", "--text", "short", "--text", "dog " * 12)
        _, err = self.run_moa(*pair)
        self.assertIn("moa: warning: 1 text is longer than the model's context and was cut, the first at index 1: ", err)
        self.assertEqual(self.run_moa(*pair, "-q")[1], "")
        _, err = self.run_moa("classify", "-m", str(TINY), "red.png", "--labels", "short," + "dog " * 12)
        self.assertIn("1 text is longer than the model's context and was cut, the first at index 1: 'a photo of a dog", err)

    def test_a_path_that_is_not_utf8_keeps_its_bytes(self):
        self.write("red.png", png(8, 8))
        (self.home / os.fsdecode(b"caf\xe9.png")).write_bytes(png(4, 4))
        (result,) = self.lines("match", "--image", "red.png", "--image", b"caf\xe9.png", "--text", "a", "--format", "json")
        self.assertEqual(result["images"], ["red.png", "caf\ufffd.png"])
        self.assertEqual(result["path_base64"], [None, "Y2Fm6S5wbmc="])
        (result,) = self.lines("match", "--image", "red.png", "--text", "a", "--format", "json")
        self.assertNotIn("path_base64", result)

    def test_wrong_use_is_refused(self):
        self.write("p/red.png", png(8, 8))
        self.assertEqual(self.error_code("match", "--image", "p", "--text", "a", code=2), "invalid_argument")
        _, err = self.run_moa("match", "--image", "p/red.png", "p/red.png", "--text", "a", code=2)
        self.assertIn("--image before every picture", err)

    def test_a_head_for_matching_scores_pairs_unless_vectors_are_asked_for(self):
        pair = ("match", "--model", str(BLIP), "--image", str(BLIP / "picture0.png"), "--text", "a photo of a dog.", "--format", "json")
        by_head, by_vectors = (json.loads(self.run_moa(*pair, *more)[0]) for more in ((), ("--scorer", "itc")))
        self.assertAlmostEqual(by_head["score"][0][0], 0.6954, places=3)
        self.assertEqual(by_vectors["score"], by_head["cosine"])

    def test_a_head_that_is_not_there_is_unsupported(self):
        self.write("red.png", png(8, 8))
        self.error_code("match", "--image", "red.png", "--text", "a", "--scorer", "itm", code=6)

    def test_the_table_has_a_column_a_text(self):
        self.write("red.png", png(8, 8))
        out, _ = self.run_moa("match", "--image", "red.png", "--text", "빨강", "--text", "blue")
        self.assertEqual(len(out.splitlines()), 2)
        self.assertIn("빨강", out)


if __name__ == "__main__":
    unittest.main()
