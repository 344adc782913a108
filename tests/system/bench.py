"""moa bench."""
import json
import unittest

from moa_command import MoaTest


class Bench(MoaTest):
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
        for wrong in (["--batch", "0"], ["--batch", "many"], ["--seconds", "0"], ["somewhere"], ["--dtype", "f99"]):
            self.assertEqual(self.error_code("bench", *wrong, code=2), "invalid_argument")

    def test_missing_files_are_not_found(self):
        self.assertEqual(self.error_code("bench", "--seconds", "0.01", "--batch", "1", "--dtype", "f32", "--files", "nowhere", code=4),
                         "not_found")


if __name__ == "__main__":
    unittest.main()
