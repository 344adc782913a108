"""One drawing in other hands: the same shapes flat, outlined, turned, in other colours, on other grounds.

A model that saw each emoji in one style only learns the style; these views teach it what stays the same.
"""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

PICTURE_PX = 256


def view(drawing: Image.Image, number: int, chance: random.Random) -> Image.Image:
    """An RGB picture of PICTURE_PX. `drawing` is RGBA; view 0 is the drawing as it is, odd ones have outlines."""
    size = (PICTURE_PX, PICTURE_PX)
    if number == 0:
        return _on_ground(drawing.resize(size, Image.Resampling.BICUBIC), "white")
    if number % 2:
        drawing = _outlined(drawing, chance)
    drawing = _recoloured(_moved(drawing, chance), chance)
    is_white = chance.random() < 0.8
    return _on_ground(drawing, "white" if is_white else tuple(chance.randint(150, 255) for _ in range(3)))


def _outlined(drawing: Image.Image, chance: random.Random) -> Image.Image:
    """A few flat colours (or none) with a black line around each."""
    shape = drawing.getchannel("A").point(lambda value: 255 * (value > 127))
    painted = _on_ground(drawing, "white")
    flat = painted.filter(ImageFilter.MedianFilter(3)).quantize(
        chance.choice((4, 6, 8, 12)), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    lines = flat.filter(ImageFilter.FIND_EDGES).convert("L").point(lambda value: 255 * (value > 24))
    lines = ImageOps.expand(lines.crop((2, 2, lines.width - 2, lines.height - 2)), 2, 0)  # the filter's own frame
    width = chance.choice((3, 3, 5))
    rim = ImageChops.subtract(shape.filter(ImageFilter.MaxFilter(width)), shape.filter(ImageFilter.MinFilter(width)))
    inside = flat if chance.random() < 0.7 else Image.new("RGB", flat.size, "white")
    result = Image.new("RGBA", drawing.size, (255, 255, 255, 0))
    result.paste(inside, mask=shape)
    result.paste((0, 0, 0, 255), mask=ImageChops.lighter(lines, rim))
    return result


def _moved(drawing: Image.Image, chance: random.Random) -> Image.Image:
    if chance.random() < 0.4:
        drawing = ImageOps.mirror(drawing)
    width = int(PICTURE_PX * chance.uniform(0.6, 1.05))
    drawing = drawing.resize((width, int(width * chance.uniform(0.85, 1.18))), Image.Resampling.BICUBIC)
    drawing = drawing.rotate(chance.uniform(-12, 12), Image.Resampling.BILINEAR, expand=True)
    page = Image.new("RGBA", (PICTURE_PX, PICTURE_PX), (255, 255, 255, 0))
    page.paste(drawing, tuple((PICTURE_PX - side) // 2 + chance.randint(-14, 14) for side in drawing.size), drawing)
    return page


def _recoloured(drawing: Image.Image, chance: random.Random) -> Image.Image:
    painted = drawing.convert("RGB")
    for enhance, reach in ((ImageEnhance.Color, 0.5), (ImageEnhance.Brightness, 0.25), (ImageEnhance.Contrast, 0.25)):
        painted = enhance(painted).enhance(chance.uniform(1 - reach, 1 + reach))
    hue, saturation, value = painted.convert("HSV").split()
    turn = chance.randint(-14, 14)
    painted = Image.merge("HSV", (hue.point(lambda angle: (angle + turn) % 256), saturation, value)).convert("RGB")
    if chance.random() < 0.12:
        painted = painted.convert("L").convert("RGB")
    painted.putalpha(drawing.getchannel("A"))
    return painted


def _on_ground(drawing: Image.Image, colour) -> Image.Image:
    page = Image.new("RGB", drawing.size, colour)
    page.paste(drawing, mask=drawing.getchannel("A"))
    return page
