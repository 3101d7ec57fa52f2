"""Where a reader could see that two pictures differ: for cells of some pixels, and exactly at the edges of regions.

Two pictures of a page have millions of pixels, and to tell an edge that was smoothed otherwise takes each one's eight
neighbours. But one pixel that is seen is enough for its cell: so a few are looked at first, and all of them only in
cells where none of those is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    Rgb = NDArray[np.uint8]
    Pixels = NDArray[np.float32]
    Mask = NDArray[np.bool_]

NOISE = 6_000.0
"""How far a pixel's colour may be off, as a distance in YIQ (0 to about 255,000) that the eye weighs alike.

All is in thousandths: so brightness is a whole number, which is compared exactly. Where greys are off by just so much
as they may be, what a reader is said to see would depend on the last bit of a brightness otherwise.
"""

SMOOTHED = 0.5
"""Part of the local contrast that an edge's smoothing may differ by: it lay up to half a pixel beside."""

GAP = 12
"""Pixels that two changes may lie apart and still be one region; so many has a cell on each side."""

BELOW_NOISE = 5
"""No pixel is off by more than the noise whose red, green and blue are off by so much at most: 1.07 times that."""

SAMPLES = GAP // 2
"""Every how many pixels, across and down, one is looked at first; four in each cell."""

MANY = 1500
"""Cells that may differ from which on it pays to look at a few pixels of all of them first."""

AT_ONCE = 256
"""Cells that are looked at together, so that what is worked on stays in the processor's cache."""

# Brightness and two axes of colour, as television has weighed them for the eye since 1953.
_YIQ = np.array([[299, 587, 114], [596, -274, -322], [211, -523, 312]], dtype=np.float32)

# Kotsarenko and Ramos, "Measuring perceived color difference using YIQ" (2010): the eye forgives colour most.
_WEIGHTS = np.array([0.5053, 0.299, 0.1957], dtype=np.float32)


def pixels(picture: Image.Image) -> Rgb:
    """A picture's pixels by row and column, each with red, green, blue, and a byte that means nothing."""
    raw = picture.tobytes("raw", "RGBX")
    return np.frombuffer(raw, dtype=np.uint8).reshape(picture.height, picture.width, 4)


def brightness(rgb: Rgb) -> Pixels:
    """How bright each pixel is, 0 to 255,000."""
    red, green, blue = _YIQ[0]
    bright: Pixels = rgb[..., 0] * red
    bright += rgb[..., 1] * green
    bright += rgb[..., 2] * blue
    return bright


def off_by(a: Rgb, b: Rgb) -> Pixels:
    """The square of how far the colour of each pixel is off."""
    red, green, blue = (np.subtract(a[..., at], b[..., at], dtype=np.float32) for at in range(3))
    total: Pixels = np.zeros_like(red)
    part, more = np.empty_like(red), np.empty_like(red)
    for (of_red, of_green, of_blue), weight in zip(_YIQ, _WEIGHTS, strict=True):
        np.multiply(red, of_red, out=part)
        part += np.multiply(green, of_green, out=more)
        part += np.multiply(blue, of_blue, out=more)
        part *= part
        part *= weight
        total += part
    return total


def is_seen(a: Rgb, b: Rgb) -> Mask:
    """Which pixels are off so that a reader sees it: no edge lies there in both that is smoothed otherwise.

    Args:
        a: Pixels of one picture, with one more on each side: the last three axes are rows, columns and colours.
        b: The same of the other.
    """
    far = off_by(a[..., 1:-1, 1:-1, :], b[..., 1:-1, 1:-1, :])
    off: Mask = far > NOISE**2
    if not off.any():
        return off
    bright_a, bright_b = brightness(a), brightness(b)
    one, other = bright_a[..., 1:-1, 1:-1], bright_b[..., 1:-1, 1:-1]
    return off & ~_is_smoothing(far, one, other, _around(bright_a), _around(bright_b))


def _at(picture: Rgb, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Rgb:
    """Pixels by their numbers; each is copied as a whole, which is five times as fast as by its colours."""
    found = picture.view(np.uint32)[..., 0][rows, columns]
    return found[..., None].view(np.uint8)


def _is_smoothing(
    far: Pixels, one: Pixels, other: Pixels, around_a: tuple[Pixels, Pixels], around_b: tuple[Pixels, Pixels]
) -> Mask:
    """Where both pictures have the same edge, drawn up to half a pixel beside."""
    (low_a, high_a), (low_b, high_b) = around_a, around_b
    within = (one >= low_b - NOISE) & (one <= high_b + NOISE) & (other >= low_a - NOISE) & (other <= high_a + NOISE)
    if not within.any():
        return within
    most = SMOOTHED * (np.maximum(high_a, high_b) - np.minimum(low_a, low_b))
    # Smoothing blends what is on both sides of an edge that is in both images: the sides themselves stay.
    sides = (np.abs(low_a - low_b) <= most) & (np.abs(high_a - high_b) <= most)
    smoothing: Mask = within & sides & (far <= most * most)
    return smoothing


def _around(values: Pixels) -> tuple[Pixels, Pixels]:
    """The darkest and the brightest of each pixel and its eight neighbours."""
    found = []
    for most in (np.minimum, np.maximum):
        rows = most(most(values[..., :-2, :], values[..., 1:-1, :]), values[..., 2:, :])
        found.append(most(most(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:]))
    low, high = found
    return low, high


class Place(NamedTuple):
    """A rectangle in pixels: left, top, right and bottom edge."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass
class Pair:
    """The same part of two pictures that are not the same.

    Args:
        a: The pixels of one, as `pixels` has them.
        b: The same of the other.
        apart: By how much each of their colours differs.

    Attributes:
        off: Whether any pixel is off by more than the noise.
        seen: The cells in which a reader sees that they differ.
    """

    a: Rgb
    b: Rgb
    apart: Rgb
    off: bool = field(init=False)
    seen: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.height, self.width = self.a.shape[:2]
        most = self.apart[::GAP].copy()
        for down in range(1, GAP):
            rows = self.apart[down::GAP]
            np.maximum(most[: len(rows)], rows, out=most[: len(rows)])
        lines, colours = most.reshape(len(most), -1), most.shape[2]
        may = np.maximum.reduceat(lines, colours * np.arange(0, self.width, GAP), axis=1) > BELOW_NOISE
        self.seen = np.zeros_like(may)
        if int(may.sum()) > MANY:
            self._sample()
        self.off = bool(self.seen.any())
        left = np.argwhere(may & ~self.seen)
        for at in range(0, len(left), AT_ONCE):
            some = left[at : at + AT_ONCE]
            # Most of what is left is off by less than the noise: its neighbours need not be looked at.
            far = off_by(*(self._cut(picture, some, 0) for picture in (self.a, self.b)))
            some = some[(far > NOISE**2).any(axis=(1, 2))]
            if len(some):
                self.off = True
                self.seen[some[:, 0], some[:, 1]] = self._look(some).any(axis=(1, 2))

    def _sample(self) -> None:
        """Look at a few pixels of each cell, and note the cells in which one of them is seen."""
        begin, step = SAMPLES // 2, SAMPLES
        shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]

        def strided(picture: Rgb, down: int, across: int) -> Rgb:
            return picture[
                begin + down : self.height - 1 + down : step, begin + across : self.width - 1 + across : step
            ]

        def around(picture: Rgb) -> tuple[Pixels, tuple[Pixels, Pixels]]:
            here = brightness(strided(picture, 0, 0))
            low, high = here.copy(), here.copy()
            for shift in shifts:
                bright = brightness(strided(picture, *shift))
                np.minimum(low, bright, out=low)
                np.maximum(high, bright, out=high)
            return here, (low, high)

        far = off_by(strided(self.a, 0, 0), strided(self.b, 0, 0))
        (one, around_a), (other, around_b) = around(self.a), around(self.b)
        seen = (far > NOISE**2) & ~_is_smoothing(far, one, other, around_a, around_b)
        at = np.argwhere(seen)
        self.seen[(begin + step * at[:, 0]) // GAP, (begin + step * at[:, 1]) // GAP] = True

    def _cut(self, picture: Rgb, cells: NDArray[np.intp], more: int) -> Rgb:
        """The pixels of these cells, and so many more on each side."""
        rows, columns = (GAP * cells[:, axis, None] + np.arange(-more, GAP + more) for axis in (0, 1))
        # A pixel at the edge has no neighbours beyond it: looking at itself again instead changes nothing.
        down, across = np.clip(rows, 0, self.height - 1), np.clip(columns, 0, self.width - 1)
        return _at(picture, down[:, :, None], across[:, None, :])

    def _look(self, cells: NDArray[np.intp]) -> Mask:
        """Which pixels of these cells a reader sees."""
        seen: Mask = is_seen(self._cut(self.a, cells, 1), self._cut(self.b, cells, 1))
        rows, columns = (GAP * cells[:, axis, None] + np.arange(GAP) for axis in (0, 1))
        seen &= (rows < self.height)[:, :, None] & (columns < self.width)[:, None, :]
        return seen

    def seen_in(self, place: Place) -> Mask:
        """Which pixels of a rectangle a reader sees."""
        left, top, right, bottom = place
        rows = np.clip(np.arange(top - 1, bottom + 1), 0, self.height - 1)[:, None]
        columns = np.clip(np.arange(left - 1, right + 1), 0, self.width - 1)[None, :]
        return is_seen(_at(self.a, rows, columns), _at(self.b, rows, columns))

    def connected(self) -> list[Place]:
        """Rectangles around what is seen and at most `GAP` pixels apart, from the top to the bottom."""
        boxes = grouped(self.seen)
        edge = np.zeros_like(self.seen)
        for left, top, right, bottom in boxes:
            edge[top : bottom : max(1, bottom - top - 1), left:right] = True
            edge[top:bottom, left : right : max(1, right - left - 1)] = True
        first = np.full((2, *self.seen.shape), GAP)
        last = np.full((2, *self.seen.shape), -1)
        cells = np.argwhere(edge & self.seen)
        for at in range(0, len(cells), AT_ONCE):
            some = cells[at : at + AT_ONCE]
            seen = self._look(some)
            for axis in (0, 1):
                lines: Mask = np.any(seen, axis=2 - axis)
                first[axis, some[:, 0], some[:, 1]] = lines.argmax(axis=1)
                last[axis, some[:, 0], some[:, 1]] = GAP - 1 - lines[:, ::-1].argmax(axis=1)
        return [
            Place(
                left * GAP + int(first[1, top:bottom, left].min()),
                top * GAP + int(first[0, top, left:right].min()),
                (right - 1) * GAP + int(last[1, top:bottom, right - 1].max()) + 1,
                (bottom - 1) * GAP + int(last[0, bottom - 1, left:right].max()) + 1,
            )
            for left, top, right, bottom in boxes
        ]


def grouped(cells: Mask) -> list[Place]:
    """Rectangles around cells that touch each other, be it at a corner; from the top to the bottom."""
    places: list[Place] = []
    above: list[tuple[int, int, int]] = []
    leads: list[int] = []

    def lead(group: int) -> int:
        while leads[group] != group:
            leads[group] = group = leads[leads[group]]
        return group

    for row, line in enumerate(cells):
        turns = np.flatnonzero(np.diff(line, prepend=False, append=False)).tolist()
        here: list[tuple[int, int, int]] = []
        for left, right in zip(turns[::2], turns[1::2], strict=True):
            group = len(places)
            leads.append(group)
            places.append(Place(left, row, right, row + 1))
            for begin, end, other in above:
                if begin <= right and left <= end:
                    one, another = sorted((lead(other), lead(group)))
                    if one != another:
                        leads[another] = one
                        places[one] = _around_both(places[one], places[another])
            here.append((left, right, group))
        above = here
    return [place for group, place in enumerate(places) if leads[group] == group]


def _around_both(one: Place, other: Place) -> Place:
    return Place(
        min(one.left, other.left), min(one.top, other.top), max(one.right, other.right), max(one.bottom, other.bottom)
    )
