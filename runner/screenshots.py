"""Screenshots: a settled page, photographed without its secrets, with the control to press outlined.

Neither the cover over a secret nor the outline touches the page: both are drawn on the picture.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Locator, Page, expect

from runner.controls import Stuck, until
from runner.visible import COVER, Box, covers

if TYPE_CHECKING:
    from runner.secrets import Secrets

VIEWPORT = (1280, 800)
"""CSS pixels, width and height."""

SCALE = 2
"""Device pixels for each CSS pixel."""

SETTLE = 15.0
"""Seconds that a page may go on loading after the step has found what it waited for."""

OUTLINE = (225, 29, 72)

_MATTING = 4  # CSS pixels between the control and its outline


def photograph(
    page: Page, secrets: Secrets, highlight: Locator | None = None, *, searched: Locator | None = None
) -> bytes:
    """Take a screenshot of what the viewport shows.

    Args:
        page: The tab.
        secrets: What is covered wherever it is visible.
        highlight: The control to outline; it is scrolled into view.
        searched: Where a step did not get on; a dashed box goes around it, if it is on the page.

    Returns:
        A PNG.

    Raises:
        Stuck: The page did not stop loading, or a secret kept moving on it so that it could not be covered for certain.
    """
    page.bring_to_front()
    expect(highlight or page.locator("body")).to_be_visible()
    settle(page)
    if highlight:
        highlight.scroll_into_view_if_needed()
    if searched:
        searched.evaluate_all(_SHOW_JS)
    # Outside the viewport the pointer hovers over nothing, so that no menu is open and no control is lit.
    page.mouse.move(-1, -1)
    for _ in range(5):
        before = covers(page, secrets)
        box = highlight.bounding_box() if highlight else None
        png = page.screenshot(animations="disabled", caret="hide", scale="device")
        # A secret that came, went or moved between the two looks may stand uncovered on the picture: take it again.
        if covers(page, secrets) == before:
            outline = Box(box["x"], box["y"], box["width"], box["height"]) if box else None
            place = box_around(searched) if searched else None
            return draw(png, before, outline, page, searched=place)
    raise Stuck("the page never stood still long enough to cover the secrets on it, so no screenshot was kept")


def box_around(searched: Locator) -> Box | None:
    """Around all that a locator finds at this moment, without waiting for it; None if nothing of it is visible."""
    boxes = [box for one in searched.element_handles() if one.is_visible() and (box := one.bounding_box())]
    if not boxes:
        return None
    x, y = min(box["x"] for box in boxes), min(box["y"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    return Box(x, y, right - x, bottom - y)


_SHOW_JS = """all => {
    const first = all.find(el => el.checkVisibility());
    const box = first?.getBoundingClientRect();
    if (box && (box.top < 0 || box.bottom > innerHeight)) first.scrollIntoView({block: 'center', inline: 'nearest'});
}"""


def settle(page: Page) -> None:
    """Wait for fonts, for the images in view, and for every sign of loading to go.

    Raises:
        Stuck: Something is still loading after `SETTLE` seconds.
    """
    busy: list[str] = []

    def look() -> bool | None:
        busy[:] = page.evaluate(_BUSY_JS)
        return None if busy else True

    page.evaluate("() => document.fonts.ready.then(() => null)")
    if not until(page, look, timeout=SETTLE):
        raise Stuck(f"the page is still loading ({', '.join(busy)}), so no screenshot was taken")


_BUSY_JS = """() => {
    const inView = el => {
        const box = el.getBoundingClientRect();
        return el.checkVisibility({opacityProperty: true, visibilityProperty: true})
            && box.width > 0 && box.height > 0
            && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
    };
    const signs = '[aria-busy=true],' + ['spinner', 'skeleton', 'loader', 'loading'].map(c => `[class*=${c} i]`);
    const moves = el => el.getAnimations({subtree: true}).some(animation => animation.playState === 'running');
    const busy = [...document.querySelectorAll(signs)].filter(el =>
        inView(el) && el !== document.body && (el.getAttribute('aria-busy') === 'true' || moves(el)));
    const images = [...document.images].filter(image => inView(image) && !image.complete);
    const names = busy.map(el =>
        el.getAttribute('aria-label') || String(el.className.baseVal ?? el.className) || el.tagName);
    return [...names, ...images.map(image => 'an image')].slice(0, 3);
}"""


# -- drawing ------------------------------------------------------------------------------------------------------


def draw(png: bytes, covered: list[Box], outline: Box | None, page: Page, *, searched: Box | None = None) -> bytes:
    """The picture with opaque boxes over the secrets and an outline around the control.

    Args:
        png: The screenshot, in device pixels.
        covered: What to cover.
        outline: What to outline.
        page: The page, for the width of its viewport.
        searched: What to put into a dashed box, below all covers.
    """
    if not covered and not outline and not searched:
        return png
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    scale = picture.width / page.evaluate("() => innerWidth")

    def pixels(box: Box) -> tuple[float, float, float, float]:
        return (box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale)

    if searched:
        draw_dashed(picture, searched, scale)
    pen = ImageDraw.Draw(picture)
    for box in covered:
        pen.rounded_rectangle(pixels(box.grown(1)), radius=3 * scale, fill=COVER)
    if outline:
        ring = pixels(outline.grown(_MATTING))
        shadow = Image.new("L", picture.size, 0)
        width = round(3 * scale)
        ImageDraw.Draw(shadow).rounded_rectangle(ring, radius=7 * scale, outline=110, width=width)
        picture.paste((0, 0, 0), (0, round(scale)), shadow.filter(ImageFilter.GaussianBlur(2 * scale)))
        ImageDraw.Draw(picture).rounded_rectangle(ring, radius=7 * scale, outline=OUTLINE, width=width)
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=False)
    return out.getvalue()


DASH = 9
"""CSS pixels that each dash is long of a dashed box, and as many are between two of them."""


def draw_dashed(picture: Image.Image, place: Box, scale: float) -> None:
    """Draw a dashed box around a place, as far as that is on the picture.

    Args:
        picture: The picture, in device pixels.
        place: What goes into the box.
        scale: Device pixels for each CSS pixel.
    """
    box, width, dash = place.grown(_MATTING), round(3 * scale), round(DASH * scale)
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
            pen.rectangle((at, edge, min(at + dash, right) - 1, edge + width - 1), fill=OUTLINE)
    for at in range(top, bottom, 2 * dash):
        for edge in (left, right - width):
            pen.rectangle((edge, at, edge + width - 1, min(at + dash, bottom) - 1), fill=OUTLINE)
