"""The installed tree: the command, the CMake package, the pkg-config file, the man page, and programs that use the library.

    install.py BUILD_DIRECTORY
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWL, HORSES, DOG = ROOT / "demo/owl.jpg", ROOT / "demo/horses.jpg", ROOT / "demo/smiling-brown-dog.jpg"


class Install(unittest.TestCase):
    build = ""

    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.scratch = pathlib.Path(scratch.name)
        cls.prefix = cls.scratch / "prefix"
        subprocess.run(["cmake", "--install", cls.build, "--prefix", cls.prefix], check=True, stdout=subprocess.DEVNULL)
        (cls.library,) = cls.prefix.rglob("libmoa.so")
        cls.environment = {name: value for name, value in os.environ.items() if not name.startswith(("MOA_", "HF_", "XDG_"))}
        cls.environment |= {"HOME": str(cls.scratch), "LD_LIBRARY_PATH": str(cls.library.parent)}

    def run_program(self, *words, **options):
        return subprocess.run(words, env=self.environment, check=True, capture_output=True, text=True, **options).stdout

    def check_consumer(self, program):
        self.assertEqual(self.run_program(program, HORSES, DOG), f"{DOG}\n")

    def test_the_installed_command_works_away_from_its_sources(self):
        photos = self.scratch / "photos"
        photos.mkdir()
        shutil.copy(OWL, photos)
        moa = self.prefix / "bin/moa"
        out = self.run_program(moa, "search", photos, "부엉이", "--format", "paths", "--sheet", self.scratch / "sheet.png")
        self.assertEqual(out, f"{photos}/owl.jpg\n")
        self.assertIn(f"bundled  {self.prefix}", self.run_program(moa, "models"))

    def test_a_program_finds_the_library_by_cmake(self):
        source = self.scratch / "by-cmake"
        source.mkdir()
        shutil.copy(ROOT / "tests/install/consumer.cpp", source)
        shutil.copy(ROOT / "tests/install/CMakeLists.txt.in", source / "CMakeLists.txt")
        subprocess.run(["cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}"], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", source / "build"], check=True, stdout=subprocess.DEVNULL)
        self.check_consumer(source / "build/consumer")

    def test_a_program_finds_the_library_by_pkg_config(self):
        (file,) = self.prefix.rglob("moa.pc")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "moa"], check=True,
                               capture_output=True, text=True, env=os.environ | {"PKG_CONFIG_PATH": str(file.parent)})
        program = self.scratch / "by-pkg-config"
        compiler = os.environ.get("CXX", "c++")
        subprocess.run([compiler, "-std=c++20", ROOT / "tests/install/consumer.cpp", "-o", program, *flags.stdout.split()],
                       check=True)
        self.check_consumer(program)

    def test_only_moas_own_names_can_be_seen_from_outside(self):
        symbols = subprocess.run(["nm", "-DC", "--defined-only", self.library], check=True, capture_output=True, text=True)
        names = [line.split(" ", 2)[2] for line in symbols.stdout.splitlines()]
        self.assertTrue(any("moa::Model::load(" in name for name in names))
        foreign = [name for name in names if "moa::" not in name and "std::" not in name and "__gnu_cxx::" not in name]
        self.assertEqual(foreign, [])

    def test_manual_completions_and_model_lie_where_they_are_looked_for(self):
        share = self.prefix / "share"
        for path in ("man/man1/moa.1", "bash-completion/completions/moa", "zsh/site-functions/_moa",
                     "fish/vendor_completions.d/moa.fish", "moa/models/moa-mini/config.json"):
            self.assertGreater((share / path).stat().st_size, 0, path)
        self.assertFalse((share / "moa/demo").exists())


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    Install.build = sys.argv.pop(1)
    unittest.main()
