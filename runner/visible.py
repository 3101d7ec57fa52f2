"""Where secrets are visible on a page: in its texts and fields, in every frame, also split among elements."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

from runner.secrets import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Frame, JSHandle, Page

    from runner.secrets import Secrets

    Span = tuple[int, int, int, int]
    """First text, offset in it, last text, offset in it."""

COVER = (71, 85, 105)
"""Red, green and blue of what lies over a secret."""


GROUP = 4
"""Characters that a field for a part of a secret has at most, as for keys and codes that are typed in groups."""


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


TEXTS_JS = """() => {
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
                    found.push([node, node.value || node.placeholder || '', true, node.type === 'password']);
                // In place of an image that has not come stand its words.
                if (node.alt && node.matches('img, input[type=image]') && !node.naturalWidth)
                    found.push([node, node.alt, true]);
                if (node.shadowRoot) visit(node.shadowRoot);
            }
        }
    };
    visit(document);
    return found;
}"""

_BOXES_JS = """(found, spans) => spans.flatMap(([first, from, last, to]) => {
    const [node, , field] = found[first];
    let rects;
    if (field) {
        rects = [node.getBoundingClientRect()];
    } else {
        const range = document.createRange();
        range.setStart(node, from);
        range.setEnd(found[last][0], to);
        // What is chosen of a list is seen in the list's own box.
        const select = node.parentElement?.closest('select');
        rects = select ? [select.getBoundingClientRect()] : [...range.getClientRects()];
    }
    return rects.filter(r => r.width && r.height).map(r => [r.x, r.y, r.width, r.height]);
})"""


def shown_frames(page: Page) -> Iterator[Frame]:
    """The frames of a page that show something, its own first.

    One whose address has not answered yet shows nothing, such as a video that is loaded only when it comes into view;
    Playwright would wait for it without a limit with whatever is to run in it.
    """
    return (frame for frame in page.frames if not frame.is_detached() and _has_come(frame))


def _has_come(frame: Frame) -> bool:
    if frame.url or frame.parent_frame is None:
        return True
    try:
        return bool(frame.frame_element().evaluate(_HOLDS_JS))
    except PlaywrightError:
        if frame.is_detached():
            return False
        raise


# Until an address answers the frame holds an empty document of its parent's, which that may have written into.
_HOLDS_JS = """el => {
    const inner = el.contentDocument;
    return !inner || !!inner.documentElement?.textContent.trim() || !!inner.querySelector('input, textarea, select');
}"""


def covers(page: Page, secrets: Secrets) -> list[Box]:
    """Where secrets are visible: in every frame, in texts (also when split among elements) and in fields."""
    return [
        box.moved(*origin)
        for frame in shown_frames(page)
        if (origin := _origin(page, frame)) is not None
        for box in _secrets_in(frame, secrets)
    ]


def _secrets_in(frame: Frame, secrets: Secrets) -> list[Box]:
    with look_for(secrets, frame) as seen:
        return [Box(*box) for box in seen[0].evaluate(_BOXES_JS, seen[1])] if seen else []


@contextmanager
def look_for(secrets: Secrets, frame: Frame, *, dots: bool = True) -> Iterator[tuple[JSHandle, list[Span]] | None]:
    """The texts and fields of a frame, which stay in the page, and where in them secrets stand; None if none does.

    The page gives its texts and gets back places, never a secret: one site's page must not be handed another's.

    Args:
        secrets: What is looked for.
        frame: Where.
        dots: Also in fields that show dots instead of what is in them.
    """
    # Most pages show none: one call tells. Places are then looked for anew, in what the page is asked to keep.
    if not _spans(_texts(frame.evaluate(f"() => ({_SAID_JS})(({TEXTS_JS})())"), dots=dots), secrets):
        yield None
        return
    found = frame.evaluate_handle(TEXTS_JS)
    try:
        spans = _spans(_texts(found.evaluate(_SAID_JS), dots=dots), secrets)
        yield (found, spans) if spans else None
    finally:
        with suppress(PlaywrightError):  # the page has gone, and its handles with it
            found.dispose()


# As one text: Playwright takes a list apart value by value. Not as JSON, which a page may write otherwise (toJSON).
_SAID_JS = r"""found => found
    .map(([, text, field, dots]) => `${+!!field}${+!!dots}${text.replaceAll('\0', ' ')}`).join('\0')"""


def _texts(said: str, *, dots: bool) -> list[tuple[str, bool]]:
    """The texts and what the fields hold, unless they show dots for it; whether it is a field."""
    each = said.split("\0") if said else []
    return [("" if one[1] == "1" and not dots else one[2:], one[0] == "1") for one in each]


def _spans(texts: list[tuple[str, bool]], secrets: Secrets) -> list[Span]:
    """Where secrets stand, whole or in pieces, also with spaces or invisible signs between them.

    Args:
        texts: The texts and what the fields hold; whether it is a field.
        secrets: What is looked for.
    """
    fields = [(index, text) for index, (text, field) in enumerate(texts) if field]
    spans = [(index, 0, index, 0) for index, text in fields if _stand_in(text, secrets)]
    # A one-time code may stand in fields of one character each, or of a group of them.
    groups = [(index, text) for index, text in fields if 0 < len(text) <= GROUP]
    ends = list(accumulate(len(text) for _, text in groups))
    for start, end in _stand_in("".join(text for _, text in groups), secrets):
        spans += [(index, 0, index, 0) for index, _ in groups[bisect_right(ends, start) : bisect_left(ends, end) + 1]]
    plain = [(index, text) for index, (text, field) in enumerate(texts) if not field]
    starts = list(accumulate((len(text) for _, text in plain), initial=0))[:-1]
    for start, end in _stand_in("".join(text for _, text in plain), secrets):
        first, last = bisect_right(starts, start) - 1, bisect_left(starts, end) - 1
        (one, text), (other, ending) = plain[first], plain[last]
        spans.append((one, _units(text, start - starts[first]), other, _units(ending, end - starts[last])))
    return spans


def _units(text: str, at: int) -> int:
    """A place in a text as JavaScript counts: what lies beyond its 16 bits, such as an emoji, counts twice."""
    return at + sum(ord(character) > 0xFFFF for character in text[:at])  # noqa: PLR2004 - 16 bits


def _stand_in(text: str, secrets: Secrets) -> set[tuple[int, int]]:
    """Where secrets begin and end in a text."""
    # `places` passes over short numbers within longer ones; a cover must not.
    found = {
        (match.start(), match.end()) for secret in secrets for match in re.finditer(re.escape(secret.reveal()), text)
    }
    found |= {(start, end) for start, end, _ in secrets.places(text)}
    kept = [at for at, character in enumerate(text) if not BETWEEN.match(character)]
    if len(kept) < len(text):
        found |= {(kept[start], kept[end - 1] + 1) for start, end, _ in secrets.places(BETWEEN.sub("", text))}
    return found


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
