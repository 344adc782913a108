"""What every test of the command stands on: a scratch home, a model, pictures, and ways to run moa.

The tests are run by ctest with MOA_COMMAND set to the built command.
"""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOA = os.environ.get("MOA_COMMAND", str(ROOT / "build/release/moa"))
MODEL = ROOT / "models/moa-mini"
TINY = ROOT / "tests/golden/clip/odd_sizes"  # a tiny model, where any will do
BLIP = ROOT / "tests/golden/blip/odd_sizes"  # a tiny model with a head for image-text matching
TIMEOUT_S = 120


def png(width, height, rgb=(200, 30, 30)):
    """A sound PNG of one colour, or of the colour that rgb(x, y) gives."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = rgb if callable(rgb) else lambda x, y: rgb
    rows = b"".join(b"\0" + b"".join(bytes(colour(x, y)) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class MoaTest(unittest.TestCase):
    model = MODEL  # what a command takes that names none

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.home = pathlib.Path(scratch.name)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOA_", "HF_", "XDG_"))}
        self.environment = inherited | {"HOME": str(self.home), "MOA_MODEL": str(self.model), "TERM": "dumb"}

    def start(self, *arguments, **options):
        """The running command; pipes for stdout and stderr unless `options` say otherwise."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "cwd": self.home,
                   "env": self.environment} | options
        return subprocess.Popen([MOA, *arguments], **options)

    def run_moa(self, *arguments, code=0, input=None, **options):
        """Runs the command to its end, checks its exit code, and returns (stdout, stderr) as text."""
        if input is not None:
            options["stdin"] = subprocess.PIPE
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(input, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        out = (out or b"").decode("utf-8", "surrogateescape")
        err = (err or b"").decode("utf-8", "surrogateescape")
        self.assertEqual(process.returncode, code, f"moa {arguments}\nstdout: {out[:2000]}\nstderr: {err[:2000]}")
        return out, err

    def lines(self, *arguments, **options):
        """The JSON lines that the command prints."""
        return [json.loads(line) for line in self.run_moa(*arguments, **options)[0].splitlines()]

    def error_code(self, *arguments, code, **options):
        """CODE of the first `moa: error: CODE: …` line of a run that must end with exit code `code`."""
        errors = [line for line in self.run_moa(*arguments, code=code, **options)[1].splitlines()
                  if line.startswith("moa: error: ")]
        self.assertTrue(errors, "no error line")
        return errors[0].removeprefix("moa: error: ").split(":")[0]

    def write(self, name, content):
        """A file in the scratch home."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def photos(self, *names):
        """A folder of pictures from demo/: all of them, or those named."""
        folder = self.home / "photos"
        folder.mkdir(exist_ok=True)
        for picture in (ROOT / "demo").iterdir():
            if picture.suffix in (".jpg", ".png") and (not names or picture.name in names):
                shutil.copy(picture, folder)
        return folder


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))
