"""Screenshots: a settled page, photographed without its secrets, with the control to press outlined.

Neither the cover over a secret nor the outline touches the page: both are drawn on the picture.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Frame, Locator, Page, expect

from runner.controls import Stuck, until

if TYPE_CHECKING:
    from runner.secrets import Secrets

VIEWPORT = (1280, 800)
"""CSS pixels, width and height."""

SCALE = 2
"""Device pixels for each CSS pixel."""

SETTLE = 15.0
"""Seconds that a page may go on loading after the step has found what it waited for."""

COVER = (71, 85, 105)
OUTLINE = (225, 29, 72)

_MATTING = 4  # CSS pixels between the control and its outline


@dataclass(frozen=True)
class Box:
    """A rectangle in CSS pixels of the viewport."""

    x: float
    y: float
    width: float
    height: float

    def grown(self, by: float) -> Box:
        """The rectangle with `by` CSS pixels more on each side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def moved(self, x: float, y: float) -> Box:
        """The rectangle moved by so many CSS pixels."""
        return Box(self.x + x, self.y + y, self.width, self.height)


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


# -- secrets on the page ------------------------------------------------------------------------------------------

_TEXTS_JS = """() => {
    // All texts and contents of fields, shadow trees included, in the order of the page.
    const found = [];
    const visit = root => {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            if (node.nodeType === Node.TEXT_NODE) {
                if (node.data.trim() && !node.parentElement?.closest('script, style'))
                    found.push([node, node.data, false]);
            } else {
                if (typeof node.value === 'string' && node.matches('input:not([type=hidden]), textarea'))
                    found.push([node, node.value || node.placeholder || '', true]);
                if (node.shadowRoot) visit(node.shadowRoot);
            }
        }
    };
    visit(document);
    return found;
}"""

_BOXES_JS = """([found, spans]) => spans.flatMap(([first, from, last, to]) => {
    const [node, , field] = found[first];
    let rects;
    if (field) {
        rects = [node.getBoundingClientRect()];
    } else {
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(found[last][0], to);
        rects = [...range.getClientRects()];
    }
    return rects.filter(r => r.width && r.height).map(r => [r.x, r.y, r.width, r.height]);
})"""


def covers(page: Page, secrets: Secrets) -> list[Box]:
    """Where secrets are visible: in every frame, in texts (also when split among elements) and in fields."""
    return [
        box.moved(*origin)
        for frame in page.frames
        if (origin := _origin(page, frame)) is not None
        for box in _secrets_in(frame, secrets)
    ]


def _secrets_in(frame: Frame, secrets: Secrets) -> list[Box]:
    # The page gives its texts and gets back places, never a secret: one site's page must not be handed another's.
    found = frame.evaluate_handle(_TEXTS_JS)
    texts: list[tuple[str, bool]] = [(text, field) for text, field in found.evaluate("all => all.map(f => f.slice(1))")]
    spans = [span for secret in secrets for span in _spans(texts, secret.reveal())]
    boxes = found.evaluate("(found, spans) => (" + _BOXES_JS + ")([found, spans])", spans) if spans else []
    found.dispose()
    return [Box(*box) for box in boxes]


def _spans(texts: list[tuple[str, bool]], value: str) -> list[tuple[int, int, int, int]]:
    """First text, offset in it, last text, offset in it, for each place where `value` stands."""
    spans = [(index, 0, index, 0) for index, (text, field) in enumerate(texts) if field and value in text]
    # A one-time code may stand in fields of one character each.
    single = [index for index, (text, field) in enumerate(texts) if field and len(text) == 1]
    for match in re.finditer(re.escape(value), "".join(texts[index][0] for index in single)):
        spans += [(index, 0, index, 0) for index in single[match.start() : match.end()]]
    plain = [(index, text) for index, (text, field) in enumerate(texts) if not field]
    starts = list(accumulate((len(text) for _, text in plain), initial=0))
    for match in re.finditer(re.escape(value), "".join(text for _, text in plain)):
        first = max(i for i, start in enumerate(starts[:-1]) if start <= match.start())
        last = max(i for i, start in enumerate(starts[:-1]) if start < match.end())
        spans.append((plain[first][0], match.start() - starts[first], plain[last][0], match.end() - starts[last]))
    return spans


def _origin(page: Page, frame: Frame) -> tuple[float, float] | None:
    """Where the frame's own viewport begins in the page's; None for a frame that is not visible."""
    if frame == page.main_frame:
        return 0, 0
    try:
        element = frame.frame_element()
        box = element.bounding_box()
        inset = element.evaluate(
            "el => { const s = getComputedStyle(el);"
            " return [el.clientLeft + parseFloat(s.paddingLeft), el.clientTop + parseFloat(s.paddingTop)]; }"
        )
    except PlaywrightError:
        if frame.is_detached():
            return None
        raise
    return (box["x"] + inset[0], box["y"] + inset[1]) if box else None


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
