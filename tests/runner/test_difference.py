"""A comparison of two images says what a reader could see, by which rule, and where."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw, ImageFont

from runner.difference import Region, boxes_said, difference

if TYPE_CHECKING:
    from collections.abc import Callable

    Draw = Callable[[ImageDraw.ImageDraw], object]

SIZE = (640, 400)
INKS = {"black": (34, 34, 34), "pale": (170, 170, 170)}


def nothing(pen: ImageDraw.ImageDraw) -> None:
    """Draw nothing."""


def image(draw: Draw = nothing, size: tuple[int, int] = SIZE, kind: str = "PNG") -> bytes:
    """A page with a panel, and what `draw` adds."""
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((40, 40, 600, 300), fill=(246, 247, 249), outline=(200, 204, 210))
    draw(pen)
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()


def written(words: str, size: float, ink: tuple[int, int, int]) -> Draw:
    """Words on the panel."""
    font = ImageFont.load_default(size)
    return lambda pen: pen.text((80, 100), words, font=font, fill=ink)


def bar(x: int, scale: int, height: int = 18) -> Draw:
    """A text cursor."""
    return lambda pen: pen.rectangle((x, 120, x + scale - 1, 120 + height * scale - 1), fill="black")


def disc(x: float, colour: tuple[int, int, int] = (68, 136, 204)) -> Draw:
    """A disc with smooth edges whose centre may lie between pixels."""

    def draw(pen: ImageDraw.ImageDraw) -> None:
        large = Image.new("L", (1600, 1600), 0)
        ImageDraw.Draw(large).ellipse((400 + x * 16, 400, 1200 + x * 16, 1200), fill=255)
        pen._image.paste(colour, (100, 100), large.resize((100, 100), Image.Resampling.BOX))  # noqa: SLF001 - the pen's own picture

    return draw


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("ink", INKS.values(), ids=INKS.keys())
@pytest.mark.parametrize("size", [11, 16, 24])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Install Now", "Install now"),
        ("Continue", "Contlnue"),
        ("Save", "Save."),
        ("Email", "Emai"),
        ("Price: 10", "Price; 10"),
        ("modern", "modem"),
        ("Step 1", "Step 7"),
    ],
)
def test_one_letter_of_a_button_is_always_seen(
    before: str, after: str, size: int, ink: tuple[int, int, int], scale: int
) -> None:
    """In any size and ink, at both scales; the region is about as large as what has changed."""
    one, other = (image(written(words, size * scale, ink)) for words in (before, after))
    found = difference(one, other, scale=scale)
    assert found.changed
    assert found.box
    assert found.box.left >= 78
    assert found.box.bottom - found.box.top <= 2 * size * scale


@pytest.mark.parametrize("scale", [1, 2])
def test_a_text_cursor_is_never_a_change(scale: int) -> None:
    """There, gone, moved by a pixel or by a word."""
    there = image(bar(200, scale))
    for other in (image(), image(bar(200 + scale, scale)), image(bar(209, scale)), image(bar(420, scale))):
        found = difference(there, other, scale=scale)
        assert (found.changed, found.rule) == (False, "a text cursor, a scroll bar, or half a pixel beside")


@pytest.mark.parametrize("scale", [1, 2])
def test_a_bar_that_is_no_cursor_is_a_change(scale: int) -> None:
    """One that is wider than a cursor, lower than a line of text, or longer than one."""
    for x in (
        lambda pen: pen.rectangle((200, 120, 200 + 2 * scale, 120 + 18 * scale), fill="black"),
        bar(200, scale, height=9),
        bar(200, scale, height=80),
    ):
        assert difference(image(), image(x), scale=scale).changed


def test_a_scroll_bar_is_never_a_change() -> None:
    """At the right and at the lower edge; a strip elsewhere, a short one, or a line of text there is a change."""
    assert not difference(image(), image(lambda pen: pen.rectangle((626, 20, 640, 200), fill="grey")), scale=1).changed
    assert not difference(image(), image(lambda pen: pen.rectangle((20, 386, 300, 400), fill="grey")), scale=1).changed
    assert difference(image(), image(lambda pen: pen.rectangle((500, 20, 514, 200), fill="grey")), scale=1).changed
    assert difference(image(), image(lambda pen: pen.rectangle((626, 20, 640, 60), fill="grey")), scale=1).changed

    def footer(words: str) -> bytes:
        font = ImageFont.load_default(12)
        return image(lambda pen: pen.text((40, 385), words, font=font, fill="black"))

    assert difference(
        footer("Nothing to see here, all of the time"), footer("Everything has changed since then"), scale=1
    ).changed
    assert difference(image(), footer("Everything has changed since then"), scale=1).changed


@pytest.mark.parametrize("beside", [0.1, 0.25, 0.45])
def test_a_smoothed_edge_is_never_a_change(beside: float) -> None:
    """A round shape that was drawn a part of a pixel beside is the same to a reader."""
    found = difference(image(disc(0)), image(disc(beside)), scale=1)
    assert (found.changed, found.rule) == (False, "edges smoothed otherwise")


def test_a_shape_that_moved_is_a_change() -> None:
    """By two pixels."""
    assert difference(image(disc(0)), image(disc(2)), scale=1).changed


def test_a_colour_counts_above_the_noise_floor_only() -> None:
    """Another avatar's colour that nobody could tell from the first is none; one that can be told is."""
    found = difference(image(disc(0)), image(disc(0, (70, 138, 202))), scale=1)
    assert (found.changed, found.rule) == (False, "below the noise floor")
    assert difference(image(disc(0)), image(disc(0, (92, 160, 228))), scale=1).changed


def test_a_text_half_a_pixel_beside_is_never_a_change() -> None:
    """On a screen with two pixels for one, a browser rounds where a text begins either way; a whole pixel is seen."""
    font = ImageFont.load_default(32)

    def at(x: int, y: int, words: str = "Search by word") -> bytes:
        return image(lambda pen: pen.text((x, y), words, font=font, fill=(34, 34, 34)))

    for beside in (at(81, 100), at(80, 99), at(79, 101)):
        assert not difference(at(80, 100), beside, scale=2).changed
        assert difference(at(80, 100), beside, scale=1).changed
    assert difference(at(80, 100), at(82, 100), scale=2).changed
    assert difference(at(80, 100), at(80, 101, "Search by ward"), scale=2).changed


def test_a_single_point_is_a_change() -> None:
    """No percentage hides what is small: two dark pixels on an empty page are seen, and where."""
    found = difference(image(), image(lambda pen: pen.rectangle((300, 350, 301, 350), fill="black")), scale=1)
    assert found.changed
    assert found.regions == (Region(300, 350, 302, 351),)
    assert str(found.regions[0]) == "2x1 at 300,350"


def test_regions_are_told_apart_and_the_largest_comes_first() -> None:
    """What lies close together is one region; the box lies around all."""

    def two(pen: ImageDraw.ImageDraw) -> None:
        pen.rectangle((100, 100, 109, 109), fill="red")
        pen.rectangle((112, 100, 119, 109), fill="red")
        pen.rectangle((400, 200, 479, 239), fill="red")

    found = difference(image(), image(two), scale=1)
    assert found.regions == (Region(400, 200, 480, 240), Region(100, 100, 120, 110))
    assert found.box == Region(100, 100, 480, 240)
    assert boxes_said(found.regions, at_most=1) == "80x40 at 400,200; 1 more"


def test_the_same_pixels_are_the_same_in_any_file() -> None:
    """However they are packed; of the same file nothing is read."""
    one = image()
    assert difference(one, one, scale=1).rule == "the same file"
    with Image.open(io.BytesIO(one)) as opened:
        out = io.BytesIO()
        opened.convert("RGBA").save(out, "PNG", optimize=True)
    found = difference(one, out.getvalue(), scale=1)
    assert (found.changed, found.is_the_same) == (False, True)


def test_another_size_is_a_change() -> None:
    """And the rule says both."""
    found = difference(image(), image(size=(640, 401)), scale=1)
    assert (found.changed, found.rule) == (True, "the size was 640x400 and is 640x401")
