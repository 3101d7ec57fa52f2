"""Draws on screenshots: covers over secrets, outlines, numbers and arrows, and windows that lie over one another.

Everything is drawn on the picture, never in the page, and in one style. Coordinates are CSS pixels; what is slanted or
round is drawn larger first, so that it is smooth at any scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from runner.visible import COVER, Box

if TYPE_CHECKING:
    from collections.abc import Sequence

WINDOW_MARGIN = 18
"""CSS pixels around windows."""

STYLE = 2
"""Number of the style; another one makes images incomparable with those before."""

INK = (225, 29, 72)

DASH = 9
"""CSS pixels that each dash is long of a dashed box, and as many are between two of them."""

_MATTING = 4  # CSS pixels between the control and its outline
_LINE = 3  # CSS pixels across
_ROUNDING = 7
_FINER = 4  # how many times larger what is slanted or round is drawn first
_RIM = 1.2  # CSS pixels
_DARK = 110  # of 255, the darkest part of a shadow


@dataclass(frozen=True)
class Drawing:
    """What is drawn on one picture, in CSS pixels of it.

    Attributes:
        covered: Opaque boxes over secrets.
        outlined: The control that the guide names.
        number: Beside the outline, instead of words.
        arrows: From where to where.
        searched: Where a step did not get on: a dashed box goes around it, below all covers.
    """

    covered: Sequence[Box] = ()
    outlined: Box | None = None
    number: int | None = None
    arrows: Sequence[tuple[Box, Box]] = field(default=())
    searched: Box | None = None


def drawn(picture: Image.Image, drawing: Drawing, scale: float) -> Image.Image:
    """The picture with all of it.

    Args:
        picture: In device pixels.
        drawing: What is drawn.
        scale: Device pixels for each CSS pixel.
    """
    picture = picture.convert("RGB")
    if drawing.searched:
        dashed(picture, drawing.searched, scale)
    cover(picture, drawing.covered, scale)
    if drawing.outlined:
        outline(picture, drawing.outlined, scale)
        if drawing.number is not None:
            _number(picture, drawing.outlined, drawing.number, scale)
    for start, end in drawing.arrows:
        arrow(picture, start, end, scale)
    return picture


def pixels(box: Box, scale: float) -> tuple[float, float, float, float]:
    """The box's edges in device pixels."""
    return (box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale)


def cover(picture: Image.Image, boxes: Sequence[Box], scale: float) -> None:
    """Draw opaque boxes over secrets."""
    pen = ImageDraw.Draw(picture)
    for box in boxes:
        pen.rounded_rectangle(pixels(box.grown(1), scale), radius=3 * scale, fill=COVER)


def outline(picture: Image.Image, box: Box, scale: float) -> None:
    """Draw an outline with a soft shadow around a control."""
    ring = pixels(box.grown(_MATTING), scale)
    width = round(_LINE * scale)
    # As large as the shadow is, not as the picture: blurring all of that takes twenty times longer.
    reach = 8 * scale
    left, top = max(math.floor(ring[0] - reach), 0), max(math.floor(ring[1] - reach), 0)
    right, bottom = min(math.ceil(ring[2] + reach), picture.width), min(math.ceil(ring[3] + reach), picture.height)
    if right > left and bottom > top:
        shadow = Image.new("L", (right - left, bottom - top), 0)
        there = (ring[0] - left, ring[1] - top, ring[2] - left, ring[3] - top)
        ImageDraw.Draw(shadow).rounded_rectangle(there, radius=_ROUNDING * scale, outline=_DARK, width=width)
        shadow = shadow.filter(ImageFilter.GaussianBlur(2 * scale))
        picture.paste((0, 0, 0), (left, top + round(scale)), shadow)
    ImageDraw.Draw(picture).rounded_rectangle(ring, radius=_ROUNDING * scale, outline=INK, width=width)


def dashed(picture: Image.Image, place: Box, scale: float) -> None:
    """Draw a dashed box around a place, as far as that is on the picture."""
    box, width, dash = place.grown(_MATTING), round(_LINE * scale), round(DASH * scale)
    left, top = max(round(box.x * scale), 0), max(round(box.y * scale), 0)
    right = min(round((box.x + box.width) * scale), picture.width)
    bottom = min(round((box.y + box.height) * scale), picture.height)
    if right - left < dash or bottom - top < dash:
        return
    pen = ImageDraw.Draw(picture)
    # On white, so that the dashes stand out from whatever is there.
    pen.rectangle((left, top, right - 1, bottom - 1), outline="white", width=width)
    for at in range(left, right, 2 * dash):
        for edge in (top, bottom - width):
            pen.rectangle((at, edge, min(at + dash, right) - 1, edge + width - 1), fill=INK)
    for at in range(top, bottom, 2 * dash):
        for edge in (left, right - width):
            pen.rectangle((edge, at, edge + width - 1, min(at + dash, bottom) - 1), fill=INK)


def _number(picture: Image.Image, box: Box, number: int, scale: float) -> None:
    """Draw a number in a disc at the upper left corner of an outline; inside the picture, wherever that is."""
    radius = 13
    width, height = picture.width / scale, picture.height / scale
    outside = _MATTING + radius / 2
    x = min(max(box.x - outside, radius + 2), width - radius - 2)
    y = min(max(box.y - outside, radius + 2), height - radius - 2)
    _paint(picture, scale, discs=[Box(x - radius, y - radius, 2 * radius, 2 * radius)])
    font = ImageFont.load_default(15 * scale)  # it comes with Pillow: the same on every machine
    ImageDraw.Draw(picture).text((x * scale, y * scale), str(number), font=font, fill="white", anchor="mm")


def arrow(picture: Image.Image, start: Box, end: Box, scale: float) -> None:
    """Draw an arrow from the right edge of one box to the left edge of another, with a light rim and a shadow."""
    x1, y1 = start.x + start.width, start.y + start.height / 2
    x2, y2 = end.x - 2, end.y + end.height / 2
    length = math.hypot(x2 - x1, y2 - y1) or 1
    along, across = ((x2 - x1) / length, (y2 - y1) / length), (-(y2 - y1) / length, (x2 - x1) / length)
    neck, tail, shaft, head = max(length - 22, 0), 2.4, 3.6, 11.0

    def at(forward: float, aside: float) -> tuple[float, float]:
        return (x1 + along[0] * forward + across[0] * aside, y1 + along[1] * forward + across[1] * aside)

    shape = [
        at(0, tail), at(neck + 4, shaft), at(neck, head), at(length, 0),
        at(neck, -head), at(neck + 4, -shaft), at(0, -tail),
    ]  # fmt: skip
    _paint(picture, scale, polygons=[shape], discs=[Box(x1 - tail, y1 - tail, 2 * tail, 2 * tail)])


def _paint(
    picture: Image.Image,
    scale: float,
    *,
    polygons: Sequence[Sequence[tuple[float, float]]] = (),
    discs: Sequence[Box] = (),
) -> None:
    """Paint a shape smoothly, with a white rim and a soft shadow."""
    corners = [point for polygon in polygons for point in polygon]
    corners += [(x, y) for disc in discs for x, y in ((disc.x, disc.y), (disc.x + disc.width, disc.y + disc.height))]
    margin = 8  # CSS pixels, for rim and shadow
    left = math.floor((min(x for x, _ in corners) - margin) * scale)
    top = math.floor((min(y for _, y in corners) - margin) * scale)
    size = (
        math.ceil((max(x for x, _ in corners) + margin) * scale) - left,
        math.ceil((max(y for _, y in corners) + margin) * scale) - top,
    )
    large = Image.new("L", (size[0] * _FINER, size[1] * _FINER), 0)
    pen, much = ImageDraw.Draw(large), scale * _FINER

    def moved(x: float, y: float) -> tuple[float, float]:
        return (x * much - left * _FINER, y * much - top * _FINER)

    for polygon in polygons:
        pen.polygon([moved(*point) for point in polygon], fill=255)
    for disc in discs:
        pen.ellipse((moved(disc.x, disc.y), moved(disc.x + disc.width, disc.y + disc.height)), fill=255)
    shape = large.resize(size, Image.Resampling.LANCZOS)
    # Blurred and made sharp again, the shape has grown by a rim.
    rim = shape.filter(ImageFilter.GaussianBlur(_RIM * scale)).point(lambda value: min(255, max(0, (value - 24) * 6)))
    shadow = ImageChops.offset(rim, 0, round(scale)).filter(ImageFilter.GaussianBlur(2 * scale))
    picture.paste((0, 0, 0), (left, top), shadow.point(lambda value: value * _DARK // 255))
    picture.paste((255, 255, 255), (left, top), rim)
    picture.paste(INK, (left, top), shape)


# -- windows over one another -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """A picture shown as a window.

    Attributes:
        picture: In device pixels.
        at: CSS pixels from the left and the top of the whole.
    """

    picture: Image.Image
    at: tuple[float, float]


def windows(shown: Sequence[Window], scale: float) -> Image.Image:
    """Windows that lie over one another, the first at the back, on white, with a margin for their shadows."""
    margin = WINDOW_MARGIN
    width = max(window.at[0] * scale + window.picture.width for window in shown)
    height = max(window.at[1] * scale + window.picture.height for window in shown)
    whole = Image.new("RGB", (round(width + 2 * margin * scale), round(height + 2 * margin * scale)), "white")
    for window in shown:
        left, top = (round((at + margin) * scale) for at in window.at)
        mask = _rounded(window.picture.size, 10 * scale)
        around = Image.new("L", whole.size, 0)
        around.paste(mask, (left, top))
        shadow = ImageChops.offset(around, 0, round(4 * scale)).filter(ImageFilter.GaussianBlur(7 * scale))
        whole.paste((15, 23, 42), (0, 0), shadow.point(lambda value: value * 120 // 255))
        rim = round(scale / 2) or 1
        whole.paste(
            (148, 163, 184),
            (left - rim, top - rim),
            _rounded((mask.width + 2 * rim, mask.height + 2 * rim), 10 * scale + rim),
        )
        whole.paste(window.picture, (left, top), mask)
    return whole


def _rounded(size: tuple[int, int], radius: float) -> Image.Image:
    """A mask with smooth round corners."""
    corner = round(radius)
    mask = Image.new("L", size, 255)
    large = Image.new("L", (2 * corner * _FINER, 2 * corner * _FINER), 0)
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    disc = large.resize((2 * corner, 2 * corner), Image.Resampling.LANCZOS)
    right, bottom = size[0] - corner, size[1] - corner
    for x, y, part in (
        (0, 0, (0, 0)), (right, 0, (corner, 0)), (0, bottom, (0, corner)), (right, bottom, (corner, corner)),
    ):  # fmt: skip
        mask.paste(disc.crop((*part, part[0] + corner, part[1] + corner)), (x, y))
    return mask
