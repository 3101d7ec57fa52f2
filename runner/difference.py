"""Whether a reader could see that two images differ, by which rule, and where.

Not by a global percentage, which calls a changed letter nothing and a wallpaper everything: a noise floor for each
pixel, and then any region that is left counts. What no reader takes for a change is left out by its shape: an edge
that was smoothed otherwise, a text cursor, a scroll bar.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import ImageChops

from runner.image_files import opened
from runner.seen import NOISE, Pair, Place, brightness, off_by, pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.seen import Pixels

CURSOR_HEIGHT = (15.0, 60.0)
"""CSS pixels: lower, it may be a letter; higher, a line of the page."""

SCROLL_BAR = 17.0
"""CSS pixels across a scroll bar, at most."""

FEW = 7
"""Every how many pixels, across and down, one is looked at before all are."""

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
    # Half of the time goes into unpacking both files: Pillow lets another thread work meanwhile.
    with ThreadPoolExecutor(1) as beside:
        begun = beside.submit(opened, before)
        new, old = opened(after), begun.result()
    if old.size != new.size:
        width, height = old.size
        return Difference(f"the size was {width}x{height} and is {new.width}x{new.height}", changed=True)
    apart = ImageChops.difference(old, new)
    bounds = apart.getbbox(alpha_only=False)
    if bounds is None:
        return Difference(SAME_PIXELS, changed=False)
    # Neighbours of what differs are looked at too: what is an edge, and what has moved, is told by them.
    left, top = max(bounds[0] - 4, 0), max(bounds[1] - 4, 0)
    part = (left, top, min(bounds[2] + 4, old.width), min(bounds[3] + 4, old.height))
    pair = Pair(pixels(old.crop(part)), pixels(new.crop(part)), np.asarray(apart.crop(part)))
    return _judged(pair, _Frame(left, top, old.width, old.height, scale))


def _judged(pair: Pair, frame: _Frame) -> Difference:
    """What a reader would say to pixels that are not the same."""
    if not pair.off:
        return Difference("below the noise floor", changed=False)
    if not pair.seen.any():
        return Difference("edges smoothed otherwise", changed=False)
    found = _regions(pair, frame)
    if not found:
        return Difference("a text cursor, a scroll bar, or half a pixel beside", changed=False)
    found.sort(key=lambda region: (region.left - region.right) * (region.bottom - region.top))
    return Difference("a reader can see it", changed=True, regions=tuple(found))


@dataclass(frozen=True)
class _Frame:
    """Where the compared part lies in its image."""

    left: int
    top: int
    width: int
    height: int
    scale: float


def _regions(pair: Pair, frame: _Frame) -> list[Region]:
    """The regions that a reader would call changed, in pixels of the whole image."""
    found = []
    for place in pair.connected():
        if _is_cursor(place, pair, frame.scale) or _has_hardly_moved(place, pair, frame.scale):
            continue
        left, top, right, bottom = place
        whole = Region(left + frame.left, top + frame.top, right + frame.left, bottom + frame.top)
        if not _is_scroll_bar(whole, place, pair, frame):
            found.append(whole)
    return found


def _is_cursor(place: Place, pair: Pair, scale: float) -> bool:
    """An upright bar, one CSS pixel across and as high as a line of text, on a plain ground: there, gone or moved."""
    left, top, right, bottom = place
    lowest, highest = CURSOR_HEIGHT
    if not lowest * scale <= bottom - top <= highest * scale or not left:
        return False
    ground = brightness(pair.a[top:bottom, left - 1])
    inside = (slice(top, bottom), slice(left, right))
    if not all(_is_bar(brightness(image[inside]), ground, round(scale)) for image in (pair.a, pair.b)):
        return False
    seen = pair.seen_in(place)
    return bool(seen[:, seen.any(axis=0)].all())


def _has_hardly_moved(place: Place, pair: Pair, scale: float) -> bool:
    """Whether a region shows the same half a CSS pixel beside, at most: a text may be begun there or here."""
    most = int(scale // 2)
    left, top, right, bottom = place
    if left < most or top < most or right > pair.width - most or bottom > pair.height - most:
        return False
    now = pair.b[top:bottom, left:right]

    def is_there(down: int, across: int) -> bool:
        before = pair.a[top + down : bottom + down, left + across : right + across]
        # Where it is not, a few pixels nearly always say so.
        return all(float(off_by(before[::step, ::step], now[::step, ::step]).max()) <= NOISE**2 for step in (FEW, 1))

    beside = range(-most, most + 1)
    return any(is_there(down, across) for down in beside for across in beside if down or across)


def _is_bar(part: Pixels, ground: Pixels, width: int) -> bool:
    """Whether there is nothing but a bar of this width and of one colour on the ground, or nothing at all."""
    upright = float(np.ptp(part, axis=0).max()) <= NOISE and float(np.ptp(ground)) <= NOISE
    return upright and int((np.abs(part - ground[:, None]).max(axis=0) > NOISE).sum()) <= width


def _is_scroll_bar(region: Region, place: Place, pair: Pair, frame: _Frame) -> bool:
    """A strip at the right or at the lower edge, as long as scroll bars are, and as plain: no text is."""
    across = SCROLL_BAR * frame.scale
    at_side = region.left >= frame.width - across and region.bottom - region.top >= SCROLL_BAR_PART * frame.height
    below = region.top >= frame.height - across and region.right - region.left >= SCROLL_BAR_PART * frame.width
    if not (at_side or below):
        return False
    inside = (slice(place.top, place.bottom), slice(place.left, place.right))
    a, b = brightness(pair.a[inside]), brightness(pair.b[inside])
    return (at_side and _is_plain(a) and _is_plain(b)) or (below and _is_plain(a.T) and _is_plain(b.T))


def _is_plain(strip: Pixels) -> bool:
    """Whether most lines of an upright strip are as the one before: a bar changes at its ends and where it is round."""
    changes = np.abs(np.diff(strip, axis=0)).max(axis=1) > NOISE
    return int(changes.sum()) <= len(strip) / 4


def boxes_said(regions: Sequence[Region], at_most: int = 3) -> str:
    """The regions in words."""
    more = len(regions) - at_most
    return "; ".join(map(str, regions[:at_most])) + (f"; {more} more" if more > 0 else "")
