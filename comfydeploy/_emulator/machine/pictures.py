"""The pictures that runs draw."""

import colorsys
import io
import math
import random
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

from PIL import Image, ImageDraw, ImageFont, ImageOps

SMALLEST: Final = 16
LARGEST: Final = 2048
_LEGIBLE: Final = 64

_Colour: TypeAlias = tuple[int, int, int]
_Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw(inputs: Mapping[str, Any]) -> bytes:
    """Draw the picture that ``width``, ``height``, ``seed`` and ``prompt`` decide, as PNG.

    Sizes are in pixels, kept within 16 and 2048; one that cannot be read is 512.
    """
    width, height = _size(inputs.get("width")), _size(inputs.get("height"))
    return _drawn(width, height, str(inputs.get("seed", 0)), " ".join(str(inputs.get("prompt", "")).split()))


# Tests draw the same picture many times.
@lru_cache(maxsize=16)
def _drawn(width: int, height: int, seed: str, prompt: str) -> bytes:
    dice = random.Random(seed)  # noqa: S311 - colours are no secrets
    picture = _background(width, height, dice)
    picture = _shapes(picture, dice)
    if prompt and min(width, height) >= _LEGIBLE:
        picture = _caption(picture, prompt)
    png = io.BytesIO()
    picture.save(png, "PNG", compress_level=1)
    return png.getvalue()


def _size(value: Any) -> int:
    try:
        pixels = int(float(value))
    except (TypeError, ValueError, OverflowError):
        pixels = 512
    return min(max(pixels, SMALLEST), LARGEST)


def _colour(hue: float, saturation: float, lightness: float) -> _Colour:
    red, green, blue = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def _background(width: int, height: int, dice: random.Random) -> Image.Image:
    hue = dice.random()
    slope = Image.linear_gradient("L").rotate(dice.uniform(-35, 35), Image.Resampling.BICUBIC)
    # Turning leaves black corners: the bleed cuts them off.
    slope = ImageOps.fit(slope, (width, height), Image.Resampling.BICUBIC, bleed=0.22)
    return ImageOps.colorize(
        ImageOps.autocontrast(slope),
        black=_colour(hue, 0.65, 0.22),
        mid=_colour(hue + 0.08, 0.6, 0.5),
        white=_colour(hue + 0.18, 0.8, 0.78),
    )


def _shapes(picture: Image.Image, dice: random.Random) -> Image.Image:
    width, height = picture.size
    reach = math.hypot(width, height)
    layer = Image.new("RGBA", picture.size)
    brush = ImageDraw.Draw(layer)
    hue = dice.random()
    for _ in range(7):
        radius = dice.uniform(0.04, 0.22) * reach
        x, y = dice.uniform(0, width), dice.uniform(0, height)
        colour = _colour(hue + dice.uniform(-0.1, 0.1), 0.75, dice.uniform(0.5, 0.85))
        brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, dice.randint(35, 95)))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


def _caption(picture: Image.Image, prompt: str) -> Image.Image:
    width, height = picture.size
    size = max(11, min(width, height) // 16)
    margin = size
    font = _font(size, plain=prompt.isascii())
    line_height = round(size * 1.35)
    room = width - 2 * margin
    lines = _wrapped(
        prompt,
        font,
        room,
        longest=6 * room // size,  # more letters would not fit, however narrow
        most=max(1, (height // 2 - margin) // line_height),
    )
    top = height - line_height * len(lines) - margin
    layer = Image.new("RGBA", picture.size)
    brush = ImageDraw.Draw(layer)
    brush.rectangle((0, top - margin // 2, width, height), fill=(12, 14, 24, 150))
    for number, line in enumerate(lines):
        brush.text((margin, top + number * line_height), line, font=font, fill=(255, 255, 255, 240))
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


@cache
def _font(size: int, *, plain: bool) -> _Font:
    # Pillow's own font draws the same everywhere, but knows ASCII only.
    for name in () if plain else ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf"):
        with suppress(OSError):
            return ImageFont.truetype(name, size)
    return ImageFont.load_default(size)


def _wrapped(text: str, font: _Font, room: float, longest: int, most: int) -> list[str]:
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        line = rest[:longest]
        while len(line) > 1 and font.getlength(line) > room:
            line = line.rpartition(" ")[0] or line[:-1]
        lines.append(line)
        rest = rest[len(line) :].lstrip()
    if rest:
        lines[-1] = lines[-1][:-1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
    return lines
