"""Looking at a few pixels first, and at cells, finds what looking at every pixel of both pictures finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from runner.seen import BELOW_NOISE, GAP, NOISE, Pair, Place, brightness, grouped, is_seen, off_by, pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Picture = Image.Image
    Change = Callable[[Picture, np.random.Generator], Picture]


def page(random: np.random.Generator, size: tuple[int, int]) -> Picture:
    """Panels, lines and letters, anywhere and in any colour."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(14):
        colour = tuple(int(part) for part in random.integers(0, 256, 3))
        x, y = (int(random.integers(0, length)) for length in size)
        pen.rectangle((x, y, x + int(random.integers(1, 160)), y + int(random.integers(1, 90))), fill=colour)
        pen.ellipse((y, x % size[1], y + 40, x % size[1] + 30), outline=colour)
        pen.text((x, y), "What a reader sees", fill=colour[::-1], font_size=int(random.integers(8, 40)))
    return picture


def dots(picture: Picture, random: np.random.Generator) -> Picture:
    """A few pixels of another colour, at the edges too."""
    changed = picture.copy()
    for _ in range(int(random.integers(1, 12))):
        x, y = (int(random.integers(0, length)) for length in picture.size)
        changed.putpixel((x, y), tuple(int(part) for part in random.integers(0, 256, 3)))
    changed.putpixel((picture.width - 1, picture.height - 1), (1, 2, 3))
    return changed


def noise(picture: Picture, random: np.random.Generator) -> Picture:
    """Every pixel off by a little, some by more than a reader is blind to."""
    off = random.integers(-7, 8, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture).astype(int) + off, 0, 255).astype(np.uint8))


CHANGES: dict[str, Change] = {
    "dots": dots,
    "noise": noise,
    "another page": lambda picture, random: page(random, picture.size),
    "negative": lambda picture, _: ImageChops.invert(picture),
    "a pixel beside": lambda picture, _: ImageChops.offset(picture, 1, 0),
    "smoothed": lambda picture, _: picture.filter(ImageFilter.GaussianBlur(0.4)),
    "a panel more": lambda picture, random: Image.composite(
        picture, page(random, picture.size), all_but_a_panel(picture.size, random)
    ),
}


def all_but_a_panel(size: tuple[int, int], random: np.random.Generator) -> Picture:
    """All but a rectangle."""
    mask = Image.new("L", size, 255)
    x, y = (int(random.integers(0, length)) for length in size)
    ImageDraw.Draw(mask).rectangle((x, y, x + 120, y + 70), fill=0)
    return mask


def every_pixel(one: Picture, other: Picture) -> NDArray[np.bool_]:
    """What is seen, straightforwardly."""
    around = ((1, 1), (1, 1), (0, 0))
    a, b = (np.pad(np.asarray(each), around, mode="edge") for each in (one, other))
    return is_seen(a, b)


def straightforward(seen: NDArray[np.bool_]) -> list[Place]:
    """Rectangles around what is at most `GAP` pixels apart, cell by cell."""
    height, width = (-(-length // GAP) * GAP for length in seen.shape)
    grid = np.zeros((height, width), dtype=bool)
    grid[: seen.shape[0], : seen.shape[1]] = seen
    cells = grid.reshape(height // GAP, GAP, width // GAP, GAP).any(axis=(1, 3))
    left = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    found = []
    while left:
        group, edge = [], [left.pop()]
        while edge:
            row, column = edge.pop()
            group.append((row, column))
            near = {(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)} & left
            left -= near
            edge += near
        rows, columns = [row for row, _ in group], [column for _, column in group]
        top, start = min(rows) * GAP, min(columns) * GAP
        part = grid[top : (max(rows) + 1) * GAP, start : (max(columns) + 1) * GAP]
        lines, across = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        found.append(
            Place(start + int(across[0]), top + int(lines[0]), start + int(across[-1]) + 1, top + int(lines[-1]) + 1)
        )
    return sorted(found)


@pytest.mark.parametrize("size", [(640, 480), (1000, 611), (47, 35)])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_cells_find_what_looking_at_every_pixel_finds(seed: int, change: str, size: tuple[int, int]) -> None:
    """On pictures of any kind, with a little and with all changed: the same pixels, and the same regions."""
    random = np.random.default_rng(seed)
    one = page(random, size)
    other = CHANGES[change](one, random)
    pair = Pair(pixels(one), pixels(other), np.asarray(ImageChops.difference(one, other)))
    seen = every_pixel(one, other)
    off = off_by(np.asarray(one), np.asarray(other)) > NOISE**2
    assert pair.off == off.any()
    assert sorted(pair.connected()) == straightforward(seen)
    whole = Place(0, 0, *size)
    assert np.array_equal(pair.seen_in(whole), seen)
    part = Place(size[0] // 3, size[1] // 3, size[0], size[1] - 1)
    assert np.array_equal(pair.seen_in(part), seen[part.top : part.bottom, part.left : part.right])


def test_edges_that_were_smoothed_otherwise_are_not_seen_by_a_few_pixels_either() -> None:
    """Discs all over, drawn a part of a pixel beside: both are blends of the same two sides."""

    def discs(beside: int) -> Picture:
        large = Image.new("L", (6400, 4000), 40)
        pen = ImageDraw.Draw(large)
        for x in range(60, 6300, 110):
            for y in range(60, 3900, 110):
                pen.ellipse((x + beside, y, x + 62 + beside, y + 62), fill=210)
        return large.resize((640, 400), Image.Resampling.BOX).convert("RGB")

    one, other = discs(0), discs(3)
    pair = Pair(pixels(one), pixels(other), np.asarray(ImageChops.difference(one, other)))
    assert pair.off
    assert not pair.seen.any()
    assert not every_pixel(one, other).any()


def test_the_changes_are_of_every_kind() -> None:
    """Many cells, so that a few pixels are looked at first, and few; seen, and off without being seen."""
    random = np.random.default_rng(0)
    one = page(random, (1000, 611))
    shares = {name: every_pixel(one, change(one, random)).mean() for name, change in CHANGES.items()}
    assert shares["negative"] > 0.9
    assert 0 < shares["dots"] < 0.001
    far = off_by(np.asarray(one), np.asarray(CHANGES["smoothed"](one, random))) > NOISE**2
    assert shares["smoothed"] < far.mean()


def test_colours_are_weighed_as_the_eye_does() -> None:
    """By the formulas of YIQ, in thousandths; brightness is a whole number."""
    random = np.random.default_rng(4)
    a, b = random.integers(0, 256, (2, 50, 50, 3), dtype=np.uint8)
    yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    bright = a @ yiq[0]
    assert np.array_equal(brightness(a), np.round(1000 * bright))
    distance = np.sqrt((((a.astype(float) - b) @ yiq.T) ** 2) @ [0.5053, 0.299, 0.1957])
    assert np.allclose(np.sqrt(off_by(a, b)), 1000 * distance, rtol=1e-5)


def test_what_is_passed_over_is_below_the_noise() -> None:
    """The worst of all colours that are off by no more in each part."""
    steps = np.array(np.meshgrid(*[[-BELOW_NOISE, 0, BELOW_NOISE]] * 3), dtype=int).T.reshape(-1, 3)
    off = off_by((steps + 100).astype(np.uint8), np.full_like(steps, 100, dtype=np.uint8))
    assert off.max() <= NOISE**2


def test_cells_that_touch_are_one_group() -> None:
    """At a corner too; and two arms that meet further below were one from the beginning."""
    drawn = ["#.#...#", "#.#....", ".#...##", "......."]
    cells = np.array([[sign == "#" for sign in line] for line in drawn])
    assert grouped(cells) == [Place(0, 0, 3, 3), Place(6, 0, 7, 1), Place(5, 2, 7, 3)]
    assert grouped(np.zeros((3, 3), dtype=bool)) == []
