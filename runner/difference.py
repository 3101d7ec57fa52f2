"""Whether a reader could see that two images differ, by which rule, and where.

Not by a global percentage, which calls a changed letter nothing and a wallpaper everything: a noise floor for each
pixel, and then any region that is left counts. What no reader takes for a change is left out by its shape: an edge
that was smoothed otherwise, a text cursor, a scroll bar.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageChops

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]
    Mask = NDArray[np.bool_]

NOISE = 6.0
"""How far a pixel's colour may be off, as a distance in YIQ (0 to about 255) that the eye weighs alike."""

SMOOTHED = 0.5
"""Part of the local contrast that an edge's smoothing may differ by: it lay up to half a pixel beside."""

GAP = 12
"""Pixels that two changes may lie apart and still be one region."""

CURSOR_HEIGHT = (15.0, 60.0)
"""CSS pixels: lower, it may be a letter; higher, a line of the page."""

SCROLL_BAR = 17.0
"""CSS pixels across a scroll bar, at most."""

SAME_FILE, SAME_PIXELS = "the same file", "the same pixels"

SCROLL_BAR_PART = 0.2
"""Part of the image's height (or width) that a scroll bar's change has, at least."""


class Region(NamedTuple):
    """A rectangle in pixels of the image: left, top, right and bottom edge."""

    left: int
    top: int
    right: int
    bottom: int

    def __str__(self) -> str:
        return f"{self.right - self.left}x{self.bottom - self.top} at {self.left},{self.top}"


@dataclass(frozen=True)
class Difference:
    """What a comparison has found.

    Attributes:
        rule: Which rule has decided, as a reader is told it.
        changed: Whether a reader could see it.
        regions: Where, the largest first; none where the images are the same or have different sizes.
    """

    rule: str
    changed: bool
    regions: tuple[Region, ...] = ()

    @property
    def is_the_same(self) -> bool:
        """Whether not a single pixel differs."""
        return self.rule in (SAME_FILE, SAME_PIXELS)

    @property
    def box(self) -> Region | None:
        """The rectangle around all regions."""
        if not self.regions:
            return None
        lefts, tops, rights, bottoms = zip(*self.regions, strict=True)
        return Region(min(lefts), min(tops), max(rights), max(bottoms))


def difference(before: bytes, after: bytes, *, scale: float) -> Difference:
    """Compare two images, in any format that Pillow reads.

    Args:
        before: The one that readers have.
        after: The one that they would get.
        scale: Pixels of the images for each CSS pixel.
    """
    if before == after:
        return Difference(SAME_FILE, changed=False)
    old, new = opened(before), opened(after)
    if old.size != new.size:
        width, height = old.size
        return Difference(f"the size was {width}x{height} and is {new.width}x{new.height}", changed=True)
    bounds = ImageChops.difference(old, new).getbbox(alpha_only=False)
    if bounds is None:
        return Difference(SAME_PIXELS, changed=False)
    # Neighbours of what differs are looked at too: what is an edge, and what has moved, is told by them.
    left, top = max(bounds[0] - 4, 0), max(bounds[1] - 4, 0)
    part = (left, top, min(bounds[2] + 4, old.width), min(bounds[3] + 4, old.height))
    a, b = _yiq(old.crop(part)), _yiq(new.crop(part))
    return _judged(a, b, _Frame(left, top, old.width, old.height, scale))


def _judged(a: Pixels, b: Pixels, frame: _Frame) -> Difference:
    """What a reader would say to pixels that are not the same."""
    off = _distance(a, b) > NOISE
    if not off.any():
        return Difference("below the noise floor", changed=False)
    seen = off & ~_is_smoothing(a, b)
    if not seen.any():
        return Difference("edges smoothed otherwise", changed=False)
    found = _regions(seen, a, b, frame)
    if not found:
        return Difference("a text cursor, a scroll bar, or half a pixel beside", changed=False)
    found.sort(key=lambda region: (region.left - region.right) * (region.bottom - region.top))
    return Difference("a reader can see it", changed=True, regions=tuple(found))


def opened(image: bytes) -> Image.Image:
    """The image's pixels, on white where it is transparent."""
    with Image.open(io.BytesIO(image)) as found:
        if not found.has_transparency_data:
            return found.convert("RGB")
        pixels = found.convert("RGBA")
        white = Image.new("RGBA", pixels.size, "white")
        return Image.alpha_composite(white, pixels).convert("RGB")


@dataclass(frozen=True)
class _Frame:
    """Where the compared part lies in its image."""

    left: int
    top: int
    width: int
    height: int
    scale: float


def _yiq(image: Image.Image) -> Pixels:
    rgb = np.asarray(image, dtype=np.float32)
    # Brightness and two axes of colour, as television has weighed them for the eye since 1953.
    weights = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], dtype=np.float32)
    return rgb @ weights.T


def _distance(a: Pixels, b: Pixels) -> Pixels:
    # Kotsarenko and Ramos, "Measuring perceived color difference using YIQ" (2010): the eye forgives colour most.
    weights = np.array([0.5053, 0.299, 0.1957], dtype=np.float32)
    distance: Pixels = np.sqrt(((a - b) ** 2) @ weights)
    return distance


def _is_smoothing(a: Pixels, b: Pixels) -> Mask:
    """Where both images have the same edge, drawn up to half a pixel beside."""
    low_a, high_a = _around(a[..., 0])
    low_b, high_b = _around(b[..., 0])
    one, other = a[..., 0], b[..., 0]
    room = NOISE
    within = (one >= low_b - room) & (one <= high_b + room) & (other >= low_a - room) & (other <= high_a + room)
    contrast = np.maximum(high_a, high_b) - np.minimum(low_a, low_b)
    # Smoothing blends what is on both sides of an edge that is in both images: the sides themselves stay.
    sides = (np.abs(low_a - low_b) <= SMOOTHED * contrast) & (np.abs(high_a - high_b) <= SMOOTHED * contrast)
    smoothing: Mask = within & sides & (_distance(a, b) <= SMOOTHED * contrast)
    return smoothing


def _around(values: Pixels) -> tuple[Pixels, Pixels]:
    """The darkest and the brightest of each pixel and its eight neighbours."""
    padded = np.pad(values, 1, mode="edge")
    rows = [padded[:-2], padded[1:-1], padded[2:]]
    low, high = np.minimum.reduce(rows), np.maximum.reduce(rows)
    columns_low = [low[:, :-2], low[:, 1:-1], low[:, 2:]]
    columns_high = [high[:, :-2], high[:, 1:-1], high[:, 2:]]
    return np.minimum.reduce(columns_low), np.maximum.reduce(columns_high)


def _regions(seen: Mask, a: Pixels, b: Pixels, frame: _Frame) -> list[Region]:
    """The regions that a reader would call changed, in pixels of the whole image."""
    found = []
    for region in _connected(seen):
        if _is_cursor(region, seen, a[..., 0], b[..., 0], frame.scale):
            continue
        if _has_hardly_moved(region, a, b, frame.scale):
            continue
        whole = Region(
            region.left + frame.left, region.top + frame.top, region.right + frame.left, region.bottom + frame.top
        )
        inside = (slice(region.top, region.bottom), slice(region.left, region.right))
        if not _is_scroll_bar(whole, a[inside][..., 0], b[inside][..., 0], frame):
            found.append(whole)
    return found


def _connected(seen: Mask) -> list[Region]:
    """Rectangles around what is at most `GAP` pixels apart."""
    height, width = seen.shape
    cells_high, cells_wide = -(-height // GAP), -(-width // GAP)
    grid = np.zeros((cells_high * GAP, cells_wide * GAP), dtype=bool)
    grid[:height, :width] = seen
    cells = grid.reshape(cells_high, GAP, cells_wide, GAP).any(axis=(1, 3))
    left = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    found = []
    while left:
        group = _group(left)
        rows, columns = [row for row, _ in group], [column for _, column in group]
        top, edge = min(rows) * GAP, min(columns) * GAP
        part = grid[top : (max(rows) + 1) * GAP, edge : (max(columns) + 1) * GAP]
        lines, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        found.append(
            Region(edge + int(across[0]), top + int(lines[0]), edge + int(across[-1]) + 1, top + int(lines[-1]) + 1)
        )
    return found


def _group(left: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Take one cell and all that hang together with it."""
    group, edge = [], [left.pop()]
    while edge:
        row, column = edge.pop()
        group.append((row, column))
        near = {(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)} & left
        left -= near
        edge += near
    return group


def _is_cursor(region: Region, seen: Mask, a: Pixels, b: Pixels, scale: float) -> bool:
    """An upright bar, one CSS pixel across and as high as a line of text, on a plain ground: there, gone or moved."""
    left, top, right, bottom = region
    lowest, highest = CURSOR_HEIGHT
    if not lowest * scale <= bottom - top <= highest * scale or not left:
        return False
    inside = (slice(top, bottom), slice(left, right))
    columns = seen[inside].any(axis=0)
    if not seen[inside][:, columns].all():
        return False
    ground = a[top:bottom, left - 1]
    return all(_is_bar(image[inside], ground, round(scale)) for image in (a, b))


def _has_hardly_moved(region: Region, a: Pixels, b: Pixels, scale: float) -> bool:
    """Whether a region shows the same half a CSS pixel beside, at most: a text may be begun there or here."""
    most = int(scale // 2)
    height, width = a.shape[:2]
    left, top, right, bottom = region
    if left < most or top < most or right > width - most or bottom > height - most:
        return False
    now = b[top:bottom, left:right]
    beside = range(-most, most + 1)
    return any(
        float(_distance(a[top + down : bottom + down, left + across : right + across], now).max()) <= NOISE
        for down in beside
        for across in beside
        if down or across
    )


def _is_bar(part: Pixels, ground: Pixels, width: int) -> bool:
    """Whether there is nothing but a bar of this width and of one colour on the ground, or nothing at all."""
    upright = float(np.ptp(part, axis=0).max()) <= NOISE and float(np.ptp(ground)) <= NOISE
    return upright and int((np.abs(part - ground[:, None]).max(axis=0) > NOISE).sum()) <= width


def _is_scroll_bar(region: Region, a: Pixels, b: Pixels, frame: _Frame) -> bool:
    """A strip at the right or at the lower edge, as long as scroll bars are, and as plain: no text is."""
    across = SCROLL_BAR * frame.scale
    at_side = region.left >= frame.width - across and region.bottom - region.top >= SCROLL_BAR_PART * frame.height
    below = region.top >= frame.height - across and region.right - region.left >= SCROLL_BAR_PART * frame.width
    return (at_side and _is_plain(a) and _is_plain(b)) or (below and _is_plain(a.T) and _is_plain(b.T))


def _is_plain(strip: Pixels) -> bool:
    """Whether most lines of an upright strip are as the one before: a bar changes at its ends and where it is round."""
    changes = np.abs(np.diff(strip, axis=0)).max(axis=1) > NOISE
    return int(changes.sum()) <= len(strip) / 4


def boxes_said(regions: Sequence[Region], at_most: int = 3) -> str:
    """The regions in words."""
    more = len(regions) - at_most
    return "; ".join(map(str, regions[:at_most])) + (f"; {more} more" if more > 0 else "")
