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


def photograph(page: Page, secrets: Secrets, highlight: Locator | None = None) -> bytes:
    """Take a screenshot of what the viewport shows.

    Args:
        page: The tab.
        secrets: What is covered wherever it is visible.
        highlight: The control to outline; it is scrolled into view.

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
    # Outside the viewport the pointer hovers over nothing, so that no menu is open and no control is lit.
    page.mouse.move(-1, -1)
    for _ in range(5):
        before = covers(page, secrets)
        box = highlight.bounding_box() if highlight else None
        png = page.screenshot(animations="disabled", caret="hide", scale="device")
        # A secret that came, went or moved between the two looks may stand uncovered on the picture: take it again.
        if covers(page, secrets) == before:
            outline = Box(box["x"], box["y"], box["width"], box["height"]) if box else None
            return draw(png, before, outline, page)
    raise Stuck("the page never stood still long enough to cover the secrets on it, so no screenshot was kept")


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


def draw(png: bytes, covered: list[Box], outline: Box | None, page: Page) -> bytes:
    """The picture with opaque boxes over the secrets and an outline around the control.

    Args:
        png: The screenshot, in device pixels.
        covered: What to cover.
        outline: What to outline.
        page: The page, for the width of its viewport.
    """
    if not covered and not outline:
        return png
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    scale = picture.width / page.evaluate("() => innerWidth")

    def pixels(box: Box) -> tuple[float, float, float, float]:
        return (box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale)

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
