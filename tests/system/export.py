"""moa export, as people use it; what the graphs compute is the affair of tests/parity/onnx_runtime.py."""
import json
import os
import pathlib
import stat
import subprocess
import unittest

from moa_command import MoaTest, ROOT

CLIP = str(ROOT / "tests/golden/clip/odd_sizes")


class Export(MoaTest):
    def test_graphs_and_their_company_are_written(self):
        out, _ = self.run_moa("export", CLIP, "--format", "onnx", "-o", "out")
        self.assertEqual([line.split()[0] for line in out.splitlines()],
                         ["onnx/text_model.onnx", "onnx/vision_model.onnx", "onnx/model.onnx"])
        folder = self.home / "out"
        profiles = json.loads((folder / "profiles.json").read_text())
        self.assertEqual(profiles["onnx/vision_model.onnx"]["pixel_values"][0], [1, 3, 49, 49])
        script = folder / "build_tensorrt.sh"
        self.assertTrue(script.stat().st_mode & stat.S_IXUSR)
        subprocess.run(["sh", "-n", script], check=True)
        compile((folder / "build_tensorrt.py").read_text(), "build_tensorrt.py", "exec")
        readme = (folder / "README.md").read_text()
        compile(readme.split("```python\n")[1].split("```")[0], "README.md", "exec")

    def test_nothing_is_overwritten(self):
        (self.home / "out").mkdir()
        self.assertEqual(self.error_code("export", CLIP, "-o", "out", code=2), "invalid_argument")
        self.assertEqual(os.listdir(self.home / "out"), [])

    def test_nothing_is_left_of_what_cannot_be_written(self):
        read_only = self.home / "read-only"
        read_only.mkdir()
        read_only.chmod(0o500)
        if os.access(read_only, os.W_OK):
            self.skipTest("this user may write everywhere")
        self.assertEqual(self.error_code("export", CLIP, "-o", str(read_only / "out"), code=7), "io_error")
        self.assertEqual(os.listdir(read_only), [])

    def test_a_full_disk_is_an_io_error(self):
        # What a process may write at most stands in for what a disk holds.
        limited = subprocess.run(["sh", "-c", 'ulimit -f 100; trap "" XFSZ; exec "$@"', "sh",
                                  os.environ.get("MOA_COMMAND", "moa"), "export", CLIP, "-o", "out"],
                                 cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertIn("io_error", limited.stderr)
        self.assertFalse((self.home / "out").exists())
        self.assertEqual([p.name for p in pathlib.Path(self.home).iterdir() if "part" in p.name], [])

    def test_without_onnxruntime_it_says_that_nothing_was_verified(self):
        self.environment["MOA_PYTHON"] = "/nowhere/python3"
        _, err = self.run_moa("export", CLIP, "-o", "out", "--verify")
        self.assertIn("not verified", err)

    def test_an_export_needs_onnxruntime_to_be_run(self):
        self.run_moa("export", CLIP, "-o", "out")
        self.environment["MOA_ONNXRUNTIME"] = "/nowhere/libonnxruntime.so"
        embed = ("embed", "--text", "a dog", "--engine", "onnxruntime")
        self.assertEqual(self.error_code(*embed, "-m", "out", code=6), "unsupported")
        self.assertEqual(self.error_code(*embed, "-m", CLIP, code=4), "not_found")
        self.assertEqual(self.error_code("embed", "--text", "a dog", "-m", "out", code=4), "not_found")
        self.assertEqual(self.error_code("embed", "--text", "a dog", "--provider", "cuda", code=2), "invalid_argument")

    def test_wrong_use_says_what_is_expected(self):
        self.assertEqual(self.error_code("export", CLIP, code=2), "invalid_argument")
        self.assertEqual(self.error_code("export", CLIP, "-o", "out", "--opset", "13", code=5), "out_of_range")


if __name__ == "__main__":
    unittest.main()
