"""Runs the commands that the documents show, as a reader would type them.

    docs_commands.py MOA        (the path of the built command)

Every line of every ```sh block of the documents below is run by bash in a scratch folder with a scratch HOME, where ~/Photos is a copy
of demo/. Only what SKIPPED names is not run.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "README.ko.md", "CONTRIBUTING.md", "docs/guide.md", "docs/add-an-architecture.md"]
TIMEOUT_S = 120

SKIPPED = {
    r"make ": "builds, installs packages, or runs this very test",
    r"(cmake|ctest) --": "builds, or runs this very test",
    r"moa pull ": "needs the network; pull has a test against a server of its own",
    r"moa .*--model openai/": "needs the model that `moa pull` would have fetched",
}


def skip_reason(command):
    return next((reason for pattern, reason in SKIPPED.items() if re.match(pattern, command)), None)


def shell_commands(document):
    """The commands of the document's ```sh blocks; a line that ends in a backslash goes on in the next."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def without_words(command):
    """The command without its comment and without what stands in quotes: what translations share."""
    return re.sub(r'"[^"]*"', '""', command).split("  #")[0].strip()


class DocumentedCommands(unittest.TestCase):
    moa = ""

    def run_all(self, document):
        with tempfile.TemporaryDirectory() as scratch:
            home = pathlib.Path(scratch)
            shutil.copytree(ROOT / "demo", home / "Photos")
            (home / "bin").mkdir()
            (home / "bin" / "moa").symlink_to(self.moa)
            environment = {name: value for name, value in os.environ.items() if not re.match("MOA_|HF_|XDG_", name)}
            environment |= {"HOME": str(home), "PATH": f"{home}/bin:{environment['PATH']}", "MOA_MODELS_DIR": str(ROOT / "models")}
            for command in shell_commands(document):
                with self.subTest(document=document, command=command):
                    if skip_reason(command):
                        continue
                    result = subprocess.run(
                        ["bash", "-euo", "pipefail", "-c", command],
                        cwd=home, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S,
                    )
                    self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
                    self.assertNotIn(b"moa: error", result.stderr)

    def test_readme_works(self):
        self.run_all("README.md")

    def test_korean_readme_works(self):
        self.run_all("README.ko.md")

    def test_contributing_works(self):
        self.run_all("CONTRIBUTING.md")

    def test_guide_works(self):
        self.run_all("docs/guide.md")


class Documents(unittest.TestCase):
    def test_both_readmes_show_the_same_commands(self):
        english, korean = ([without_words(c) for c in shell_commands(d)] for d in ("README.md", "README.ko.md"))
        self.assertEqual(english, korean)

    def test_every_skip_is_needed(self):
        commands = [command for document in DOCUMENTS for command in shell_commands(document)]
        for pattern in SKIPPED:
            self.assertTrue(any(re.match(pattern, command) for command in commands), pattern)

    def test_links_lead_to_files(self):
        for document in [*DOCUMENTS, "CHANGELOG.md"]:
            text = (ROOT / document).read_text(encoding="utf-8")
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
                with self.subTest(document=document, target=target):
                    self.assertTrue((ROOT / document).parent.joinpath(target).exists())

    def test_every_demo_picture_has_a_source(self):
        listed = set(re.findall(r"^\| ([\w-]+\.\w+) ", (ROOT / "demo/SOURCES.md").read_text(encoding="utf-8"), re.MULTILINE))
        present = {path.name for path in (ROOT / "demo").iterdir()} - {"SOURCES.md"}
        self.assertEqual(present, listed)
        for document in ("README.md", "README.ko.md"):
            self.assertIn(str(len(present)), (ROOT / document).read_text(encoding="utf-8"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    DocumentedCommands.moa = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
