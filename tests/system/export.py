"""moa export, as people use it; what the graphs compute is the affair of tests/parity/onnx_runtime.py."""
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import unittest

from moa_command import MoaTest, ROOT

CLIP = str(ROOT / "tests/golden/clip/odd_sizes")
SIGLIP = str(ROOT / "tests/golden/siglip/odd_sizes")  # texts of one length
NATIVE = str(ROOT / "tests/golden/siglip/native_sizes")  # pictures in their own shapes
PYTHON = os.environ.get("MOA_PYTHON", sys.executable)


def onnxruntime_library():
    """The library in PYTHON's package onnxruntime, if it is there."""
    where = "import onnxruntime, tokenizers, os; print(os.path.join(os.path.dirname(onnxruntime.__file__), 'capi'))"
    found = subprocess.run([PYTHON, "-c", where], capture_output=True, text=True)
    if found.returncode:
        return None
    return next(iter(sorted(pathlib.Path(found.stdout.strip()).glob("libonnxruntime.so*"))), None)


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

    def code_of(self, folder, language):
        return (folder / "README.md").read_text().split(f"```{language}\n")[1].split("```")[0]

    def vector(self, *arguments):
        out, _ = self.run_moa("embed", "--format", "jsonl", *arguments)
        return json.loads(out)["embedding"]

    def assert_near(self, found, expected, tolerance):
        self.assertEqual(len(found), len(expected))
        self.assertLessEqual(max(abs(a - b) for a, b in zip(found, expected)), tolerance)

    def test_the_python_example_runs_as_it_is_printed(self):
        library = onnxruntime_library()
        for name, model in enumerate((CLIP, SIGLIP, NATIVE)):
            self.run_moa("export", model, "-o", f"out{name}")
            code = self.code_of(self.home / f"out{name}", "python")
            compile(code, "README.md", "exec")
            if library is None:
                continue
            code += "import json\nprint(json.dumps(texts[0].tolist()))\n"
            ran = subprocess.run([PYTHON, "-c", code], cwd=self.home / f"out{name}", capture_output=True, text=True, timeout=100)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            self.assert_near(json.loads(ran.stdout.splitlines()[-1]), self.vector("-m", model, "--text", "a photo of a dog"), 1e-5)
        if library is None:
            self.skipTest("compiled only: there is no onnxruntime")

    def test_the_cpp_example_compiles_and_gives_the_vector(self):
        compiler = shutil.which("c++")
        if compiler is None:
            self.skipTest("there is no C++ compiler")
        library = onnxruntime_library()
        for name, (model, tower) in enumerate(((CLIP, "text"), (SIGLIP, "text"), (CLIP, "image"), (NATIVE, "image"))):
            self.run_moa("export", model, "-o", f"out{name}", "--tower", tower)
            folder = self.home / f"out{name}"
            (folder / "example.cpp").write_text(self.code_of(folder, "cpp"))
            command = [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/tests/export/onnxruntime_stand_in",
                       f"-I{ROOT}/src", "example.cpp"]
            if library:
                (folder / "libonnxruntime.so.1").symlink_to(library)
            linked = [str(library), f"-Wl,-rpath,{folder}", "-o", "example"] if library else ["-fsyntax-only"]
            subprocess.run([*command, *linked], cwd=folder, check=True, timeout=100)
            if library is None:
                continue
            ran = subprocess.run(["./example"], cwd=folder, capture_output=True, text=True, timeout=100)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            if tower == "text":
                expected = self.vector("-m", model, "--text", "a photo of a dog", "--raw")
                self.assert_near([float(line) for line in ran.stdout.split()], expected, 1e-4)
        if library is None:
            self.skipTest("compiled only: there is no onnxruntime")

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

    def test_what_cannot_be_verified_is_an_error_and_stays(self):
        bare = self.write("bare-python3", f'#!/bin/sh\nexec "{sys.executable}" -S -I "$@"\n')  # no package of anyone's
        bare.chmod(0o755)
        for number, (python, lacks) in enumerate((("/nowhere/python3", "there is no program '/nowhere/python3'"),
                                                  (str(bare), f"{bare} has no onnxruntime"))):
            self.environment["MOA_PYTHON"] = python
            out, err = self.run_moa("export", CLIP, "--tower", "text", "-o", f"out{number}", "--verify", "-q", code=6)
            self.assertIn("unsupported: cannot verify", err)
            self.assertIn(lacks, err)
            self.assertIn("onnx/text_model.onnx", out)
            self.assertTrue((self.home / f"out{number}/onnx/text_model.onnx").exists())

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
        for opset in ("13", "22"):
            self.assertEqual(self.error_code("export", CLIP, "-o", "out", "--opset", opset, code=2), "invalid_argument")
        self.assertEqual(os.listdir(self.home), [])
        _, err = self.run_moa("export", CLIP, "-o", "out", "--opset", "13", code=2)
        self.assertIn("LayerNormalization is one node from 17 on", err)

    def test_calibration_needs_something_and_names_what_is_broken(self):
        (self.home / "empty").mkdir()
        self.write("none.txt", "")
        for wrong in (["--calibrate", "empty"], ["--calibrate-texts", "none.txt"], ["--calibrate", "empty", "--dtype", "f16"],
                      ["--calibrate", str(ROOT / "demo/owl.jpg"), "--tower", "text"], ["--calibrate-texts", "/dev/null", "--tower", "image"]):
            dtype = [] if "--dtype" in wrong else ["--dtype", "int8"]
            self.assertEqual(self.error_code("export", CLIP, "-o", "out", *dtype, *wrong, code=2), "invalid_argument")
        self.write("broken.jpg", b"\xff\xd8\xff\xe0 broken")
        _, err = self.run_moa("export", CLIP, "-o", "out", "--dtype", "int8", "--tower", "image", "--calibrate", "broken.jpg", code=5)
        self.assertIn("cannot calibrate by 'broken.jpg': ", err)
        self.assertFalse((self.home / "out").exists())

    def test_what_is_no_python_verifies_nothing(self):
        for number, (python, status) in enumerate((("/bin/true", 0), ("/bin/false", 1))):
            self.environment["MOA_PYTHON"] = python
            _, err = self.run_moa("export", CLIP, "--tower", "text", "-o", f"out{number}", "--verify", code=6)
            self.assertIn(f"does not run Python's programs: it ended with status {status}", err)
            self.assertTrue((self.home / f"out{number}").exists())
        self.environment["TMPDIR"] = "/nowhere"
        self.assertEqual(self.error_code("export", CLIP, "--tower", "text", "-o", "out", "--verify", code=7), "io_error")

    @unittest.skipUnless(onnxruntime_library(), "there is no onnxruntime")
    def test_a_directory_whose_name_is_not_utf8_is_verified(self):
        self.environment["MOA_PYTHON"] = PYTHON
        _, err = self.run_moa("export", CLIP, "--tower", "text", "-o", b"d\xff", "--verify")
        self.assertIn("verified by onnxruntime", err)

    @unittest.skipUnless(onnxruntime_library(), "there is no onnxruntime")
    def test_graphs_of_bytes_are_not_run_by_moa_and_say_so_once(self):
        self.environment["MOA_ONNXRUNTIME"] = str(onnxruntime_library())
        self.run_moa("export", CLIP, "-o", "out", "--pictures", "bytes")
        (self.home / "pictures").mkdir()
        shutil.copy(ROOT / "demo/owl.jpg", self.home / "pictures")
        _, err = self.run_moa("search", "pictures", "an owl", "-m", "out", "--engine", "onnxruntime", "--index", "i.moa", code=6)
        self.assertIn("--pictures prepared", err)
        self.assertFalse((self.home / "i.moa").exists())
        self.run_moa("export", CLIP, "-o", "sound")
        self.assertEqual(self.error_code("embed", "--text", "a", "-m", "sound", "--engine", "onnxruntime", "--device", "cuda", code=6), "unsupported")

    def test_an_example_of_texts_that_open_clip_changes_has_their_ids(self):
        for model in ("clipa", "siglip2_so400m"):
            self.run_moa("export", str(ROOT / "tests/golden/open_clip" / model), "-o", model)
            self.assertIn("from the model's tokenizer", self.code_of(self.home / model, "python"))
        self.assertIn("becomes 0", (self.home / "clipa/README.md").read_text())


if __name__ == "__main__":
    unittest.main()
