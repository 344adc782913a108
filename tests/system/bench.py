"""moa bench."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

from moa_command import MoaTest, ROOT, TINY


class Bench(MoaTest):
    model = TINY

    def test_rows_tell_what_was_measured(self):
        out, _ = self.run_moa("bench", "--seconds", "0.01", "--batch", "1,2", "--dtype", "f32", "--format", "json")
        result = json.loads(out)
        self.assertEqual([(row["modality"], row["batch"], row["dtype"]) for row in result["rows"]],
                         [("text", 1, "f32"), ("text", 2, "f32"), ("image", 1, "f32"), ("image", 2, "f32")])
        for row in result["rows"]:
            self.assertGreater(row["per_second"], 0)
            self.assertLessEqual(row["p50_ms"], row["p95_ms"])
            self.assertGreater(row["memory_bytes"], 0)

    def test_the_table_has_a_line_for_each(self):
        out, _ = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--modality", "text", "--dtype", "f32")
        self.assertEqual(len(out.splitlines()), 3)

    def test_wrong_use_is_said_before_anything_is_measured(self):
        for wrong in (["--batch", "0"], ["--batch", "many"], ["--batch", "1,"], ["--seconds", "0"], ["somewhere"], ["--dtype", "f99"], ["--dtype", "f32,f99"], ["--dtype", ""]):
            self.assertEqual(self.error_code("bench", *wrong, code=2), "invalid_argument")

    def test_the_precision_may_come_from_the_environment(self):
        self.environment["MOA_DTYPE"] = "f99"
        self.assertIn("MOA_DTYPE", self.run_moa("bench", code=2)[1])
        self.environment["MOA_DTYPE"] = "int8"
        out, _ = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--modality", "text", "--format", "json")
        self.assertEqual([row["dtype"] for row in json.loads(out)["rows"]], ["int8"])

    def test_interrupted_it_keeps_the_lines_that_are_there(self):
        process = self.start("bench", "--seconds", "0.01", "--batch", "1," + ",".join(["2"] * 20000), "--dtype", "f32")
        lines = [process.stdout.readline() for _ in range(3)]
        process.send_signal(signal.SIGINT)
        lines += process.stdout.read().splitlines()
        self.assertIn("moa: error: cancelled", process.stderr.read().decode())
        self.assertEqual(process.wait(timeout=60), 130)
        self.assertLess(len(lines), 20000)
        process.stdout.close()
        process.stderr.close()

    def test_a_file_that_is_broken_is_told_once(self):
        self.write("broken.jpg", b"\xff\xd8\xff\xe0")
        _, err = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32,int8", "--files", "broken.jpg",
                              "--files", str(ROOT / "demo/owl.jpg"), code=3)
        self.assertEqual(err.count("broken.jpg"), 1)

    def test_files_that_all_fail_are_one_lines_error_and_the_others_are_there(self):
        self.write("notes.txt", "words")
        out, err = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--modality", "text", "--dtype", "f32,bf16", "--files", "notes.txt",
                                "--format", "json", code=3)
        rows = json.loads(out)["rows"]
        self.assertEqual([(row["source"], row["dtype"], "error" in row) for row in rows],
                         [("memory", "f32", False), ("files", "f32", True), ("memory", "bf16", False), ("files", "bf16", True)])
        self.assertEqual(rows[1]["error"]["code"], "invalid_argument")
        self.assertEqual(err.count("moa: error: invalid_argument: "), 1)

    def test_pictures_are_no_reason_to_doubt_the_texts_of_a_model_of_texts(self):
        self.environment["MOA_MODEL"] = str(ROOT / "tests/golden/sentence_transformers/bert_lasttoken")
        out, _ = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32", "--files", str(ROOT / "demo/owl.jpg"),
                              "--format", "json", code=3)
        self.assertEqual([(row["modality"], row["source"], "error" in row) for row in json.loads(out)["rows"]],
                         [("text", "memory", False), ("image", "files", True)])

    def test_files_of_a_folder_that_are_no_pictures_are_counted(self):
        self.photos("owl.jpg")
        self.write("photos/notes.txt", "words")
        _, err = self.run_moa("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32", "--modality", "text", "--files", "photos")
        self.assertIn("skipped 1 file of kinds", err)

    def test_a_large_batch_is_interrupted_between_its_passes(self):
        process = self.start("bench", "--batch", "65536", "--dtype", "f32", "--modality", "image", "--seconds", "1000")
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 130)
        process.stdout.close()
        process.stderr.close()

    def test_missing_files_are_not_found(self):
        self.assertEqual(self.error_code("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32", "--files", "nowhere", code=3),
                         "not_found")

    def rows_and_errors(self, *arguments, code):
        """What the rows of a run hold, (modality, dtype, code of the error or None), and the codes of its error lines."""
        out, err = self.run_moa("bench", "--seconds", "0.01", "--format", "json", *arguments, code=code)
        rows = [(row["modality"], row["dtype"], row.get("error", {}).get("code")) for row in json.loads(out)["rows"]]
        return rows, [line.split(": ")[2] for line in err.splitlines() if line.startswith("moa: error: ")]

    def test_a_tower_that_is_not_there_fails_in_each_row_that_asks_for_it(self):
        self.environment["MOA_MODEL"] = str(ROOT / "tests/golden/sentence_transformers/bert_lasttoken")
        rows, errors = self.rows_and_errors("--batch", "1,2", "--modality", "image", "--dtype", "f32,int8", code=6)
        self.assertEqual(rows, [("image", dtype, "unsupported") for dtype in ("f32", "f32", "int8", "int8")])
        self.assertEqual(errors, ["unsupported"])

    def test_a_precision_that_is_refused_is_told_once_beside_its_rows(self):
        model = shutil.copytree(TINY, self.home / "model")
        (model / "moa_quantization.json").write_text('{"format_version": 99, "dtype": "int8"}')
        rows, errors = self.rows_and_errors("-m", str(model), "--batch", "1", "--dtype", "int8", code=6)
        self.assertEqual(rows, [("text", "int8", "unsupported"), ("image", "int8", "unsupported")])
        self.assertEqual(errors, ["unsupported"])

    def test_memory_does_not_grow_with_the_batch(self):
        def peak_kib(batch):
            process = self.start("bench", "--seconds", "0.01", "--batch", str(batch), "--modality", "text", "--dtype", "f32",
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return usage.ru_maxrss

        self.assertLess(peak_kib(8192), 1.5 * peak_kib(512))


if __name__ == "__main__":
    unittest.main()
