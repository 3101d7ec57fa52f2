"""Screenshots: a settled page, photographed without its secrets, with the control to press outlined.

Neither the cover over a secret nor the outline touches the page: both are drawn on the picture.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from runner.controls import Stuck, until
from runner.drawing import Drawing, drawn
from runner.visible import Box, covers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playwright.sync_api import ElementHandle

    from runner.secrets import Secrets

VIEWPORT = (1280, 800)
"""CSS pixels, width and height."""

SCALE = 2
"""Device pixels for each CSS pixel."""

SETTLE = 15.0
"""Seconds that a page may go on loading after the step has found what it waited for."""

LOOKS = 5
"""How often a page is photographed anew on which something moved meanwhile."""


@dataclass(frozen=True)
class Capture:
    """What the viewport showed at one moment, and where on it things were.

    Attributes:
        png: The picture, in device pixels, with its secrets still on it: never to be written.
        size: Device pixels, width and height.
        scale: Device pixels for each CSS pixel.
        covered: Where secrets, and elements that are covered, were visible.
        boxes: Where else something was, by its name.
    """

    png: bytes
    size: tuple[int, int]
    scale: float
    covered: list[Box]
    boxes: dict[str, Box]

    def picture(self) -> Image.Image:
        """The picture's pixels."""
        with Image.open(io.BytesIO(self.png)) as opened:
            return opened.convert("RGB")


@dataclass(frozen=True)
class Photograph:
    """A capture, and what is drawn on it.

    Attributes:
        capture: What the viewport showed.
        drawing: What is drawn on it.
        loading: What the page was still loading, in words; most pages nothing.
    """

    capture: Capture
    drawing: Drawing
    loading: str = ""

    def picture(self) -> Image.Image:
        """The picture, its secrets covered."""
        return drawn(self.capture.picture(), self.drawing, self.capture.scale)


def photograph(
    page: Page, secrets: Secrets, highlight: Locator | None = None, *, searched: Locator | None = None
) -> Photograph:
    """Take a screenshot of what the viewport shows, also of a page that does not stop loading: a reader goes on there.

    Args:
        page: The tab.
        secrets: What is covered wherever it is visible.
        highlight: The control to outline; it is scrolled into view.
        searched: Where a step did not get on; a dashed box goes around it, if it is on the page.

    Returns:
        What was taken, to be drawn when there is time for it.

    Raises:
        Stuck: A secret kept moving on the page so that it could not be covered for certain.
    """
    loading = _prepare(page, highlight)
    if searched:
        searched.evaluate_all(_SHOW_JS)
    taken = capture(page, secrets, {"highlight": highlight} if highlight else {})
    place = box_around(searched) if searched else None
    return Photograph(taken, Drawing(taken.covered, taken.boxes.get("highlight"), searched=place), loading)


def prepare(page: Page, highlight: Locator | None = None) -> None:
    """Have a tab ready for its picture: in front, settled, with the control in view and the pointer nowhere.

    Raises:
        Stuck: The page did not stop loading.
    """
    if loading := _prepare(page, highlight):
        raise Stuck(f"the page is still loading ({loading}), so no screenshot was taken")


def _prepare(page: Page, highlight: Locator | None) -> str:
    page.bring_to_front()
    expect(highlight or page.locator("body")).to_be_visible()
    loading = settle(page)
    if highlight:
        _scroll_to(highlight)
    # Outside the viewport the pointer hovers over nothing, so that no menu is open and no control is lit.
    page.mouse.move(-1, -1)
    return loading


def _scroll_to(control: Locator) -> None:
    def scrolled() -> bool | None:
        try:
            control.scroll_into_view_if_needed()
        except PlaywrightError as error:
            # A page that is drawn anew with what came late has put another in its place.
            if "not attached" not in error.message:
                raise
            return None
        return True

    if not until(control.page, scrolled, at_once=True):
        raise Stuck("the page makes the control anew again and again, so no screenshot was taken", place=control)


def capture(page: Page, secrets: Secrets, places: Mapping[str, Locator], elements: Sequence[Locator] = ()) -> Capture:
    """Take what the viewport shows, when nothing moves that is covered or marked.

    Args:
        page: The tab, see `prepare`.
        secrets: What is looked for.
        places: What else is looked for, by a name.
        elements: What is covered besides.

    Raises:
        Stuck: A secret, an element that is covered, or one of the places, kept moving.
    """
    # Each place is found once for a picture: one that the page has made anew meanwhile is nowhere at the second look.
    there: dict[str, ElementHandle] = {}

    def look() -> tuple[list[Box], dict[str, Box]]:
        also = [Box(*box) for each in elements for box in each.evaluate_all(_RECTS_JS)]
        return [*covers(page, secrets), *also], _boxes(there)

    for _ in range(LOOKS):
        for name, place in places.items():
            there[name] = place.element_handle()  # which has a dialogue closed that has just opened over the page
        before = look()
        png = page.screenshot(animations="disabled", caret="hide", scale="device")
        # A secret that came, went or moved between the two looks may stand uncovered on the picture: take it again.
        if look() == before:
            width = page.viewport_size["width"] if page.viewport_size else page.evaluate("() => innerWidth")
            with Image.open(io.BytesIO(png)) as opened:
                return Capture(png, opened.size, opened.width / width, *before)
    raise Stuck("the page never stood still long enough to cover the secrets on it, so no screenshot was kept")


_RECTS_JS = """all => all.filter(el => el.checkVisibility({visibilityProperty: true}))
    .map(el => el.getBoundingClientRect()).filter(r => r.width && r.height).map(r => [r.x, r.y, r.width, r.height])"""


def _boxes(there: Mapping[str, ElementHandle]) -> dict[str, Box]:
    found = {name: element.bounding_box() for name, element in there.items()}
    return {name: Box(box["x"], box["y"], box["width"], box["height"]) for name, box in found.items() if box}


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


def settle(page: Page) -> str:
    """Wait for fonts, for the images in view, and for every sign of loading to go.

    Returns:
        What is still loading after `SETTLE` seconds, in words.
    """
    busy: list[str] = []

    def look() -> bool | None:
        busy[:] = page.evaluate(f"() => ({_BUSY_JS})({IN_VIEW_JS})")
        return None if busy else True

    until(page, look, timeout=SETTLE, at_once=True)
    return ", ".join(busy)


IN_VIEW_JS = """el => {
    const box = el.getBoundingClientRect();
    return el.checkVisibility({opacityProperty: true, visibilityProperty: true})
        && box.width > 0 && box.height > 0
        && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
}"""
"""Whether something of an element can be seen without scrolling; a function that scripts are given."""

_BUSY_JS = """async inView => {
    // Those of a host that does not answer are waited for by the browser for minutes.
    await Promise.race([document.fonts.ready, new Promise(done => setTimeout(done, 500))]);
    const signs = '[aria-busy=true],' + ['spinner', 'skeleton', 'loader', 'loading'].map(c => `[class*=${c} i]`);
    const moves = el => el.getAnimations({subtree: true}).some(animation => animation.playState === 'running');
    const busy = [...document.querySelectorAll(signs)].filter(el =>
        inView(el) && el !== document.body && (el.getAttribute('aria-busy') === 'true' || moves(el)));
    const images = [...document.images].filter(image => inView(image) && !image.complete);
    const names = busy.map(el =>
        el.getAttribute('aria-label') || String(el.className.baseVal ?? el.className) || el.tagName);
    const fonts = document.fonts.status === 'loading' ? ['a font'] : [];
    return [...names, ...images.map(image => 'an image'), ...fonts].slice(0, 3);
}"""
