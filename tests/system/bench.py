"""moa bench."""
import json
import signal
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
        for wrong in (["--batch", "0"], ["--batch", "many"], ["--seconds", "0"], ["somewhere"], ["--dtype", "f99"], ["--dtype", "f32,f99"], ["--dtype", ""]):
            self.assertEqual(self.error_code("bench", *wrong, code=2), "invalid_argument")

    def test_the_precision_may_come_from_the_environment(self):
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

    def test_missing_files_are_not_found(self):
        self.assertEqual(self.error_code("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32", "--files", "nowhere", code=4),
                         "not_found")


if __name__ == "__main__":
    unittest.main()
