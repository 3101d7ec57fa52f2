"""Texts of a page that become others while its image is taken: real names become the example's, in fields too.

The page is put back as it was. It gives its texts and gets others in their places; it is told nothing else.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

from runner.controls import Stuck
from runner.visible import TEXTS_JS, shown_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import ElementHandle, Frame, JSHandle, Page


@contextmanager
def replaced(
    page: Page, instead: Callable[[str], str], texts: Mapping[str, str], elements: Mapping[str, str]
) -> Iterator[None]:
    """Texts become others on the page for as long as the block lasts, in every frame.

    Args:
        page: The tab.
        instead: Says what a text becomes, see `replacing`.
        texts: Those of which none may be left, at the beginning of the block and at its end.
        elements: Playwright selectors of elements whose whole text becomes another.

    Raises:
        Stuck: A text is still on the page, such as one that is split among elements.
    """
    with ExitStack() as stack:
        for frame in shown_frames(page):
            stack.enter_context(_replaced_in(frame, instead))
        for selector, text in elements.items():
            for element in page.locator(selector).element_handles():
                stack.enter_context(_whole_text(element, text))
        _check_that_gone(page, texts)
        yield
        # The page may have put them back meanwhile, such as into a field whose value it keeps itself.
        _check_that_gone(page, texts)


def replacing(texts: Mapping[str, str], patterns: Mapping[str, str]) -> Callable[[str], str]:
    """Says what a text becomes.

    Args:
        texts: Text, in any case, and what it becomes; a longer text before a shorter one within it, and nothing in what
            was put in.
        patterns: Regular expression and what it becomes, with Python's references to groups; these come first.
    """
    longest_first = sorted(texts, key=len, reverse=True)
    literal = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if texts else None
    becomes_of = {text.casefold(): becomes for text, becomes in texts.items()}

    def instead(text: str) -> str:
        for pattern, becomes in patterns.items():
            text = re.sub(pattern, becomes, text)
        return literal.sub(lambda found: becomes_of.get(found[0].casefold(), found[0]), text) if literal else text

    return instead


@contextmanager
def _replaced_in(frame: Frame, instead: Callable[[str], str]) -> Iterator[None]:
    found = frame.evaluate_handle(TEXTS_JS)
    changes: list[tuple[int, str, str]] = []
    try:
        said: list[str] = found.evaluate(_SAID_JS)
        changes += [(index, text, new) for index, text in enumerate(said) if (new := instead(text)) != text]
        if changes:
            found.evaluate(_PUT_JS, changes)
        yield
    finally:
        if changes:
            with suppress(PlaywrightError):  # the page was left: there is nothing to put back
                found.evaluate(_PUT_JS, [(index, new, text) for index, text, new in changes])
        _dispose(found)


@contextmanager
def _whole_text(element: ElementHandle, text: str) -> Iterator[None]:
    """The element's text becomes another, whatever it consists of."""
    before = element.evaluate_handle(_WHOLE_JS, text)
    try:
        yield
    finally:
        with suppress(PlaywrightError):  # the page was left: there is nothing to put back
            before.evaluate("before => before.forEach(([node, text]) => { node.data = text; })")
        _dispose(before)


def _dispose(found: JSHandle) -> None:
    with suppress(PlaywrightError):  # the page has gone, and its handles with it
        found.dispose()


def _check_that_gone(page: Page, texts: Mapping[str, str]) -> None:
    """Look for the texts once more: in fields too, and also where they are split among elements.

    Raises:
        Stuck: One is still there.
    """
    if not texts:
        return
    there = "".join(
        text for frame in shown_frames(page) for text in frame.evaluate(f"() => (({_SEEN_JS}))(({TEXTS_JS})())")
    ).casefold()
    becoming = [becomes.casefold() for becomes in texts.values()]
    for becomes in sorted(becoming, key=len, reverse=True):
        there = there.replace(becomes, "\0")
    for text, becomes in texts.items():
        if text.casefold() in there:
            raise Stuck(
                f'"{text}" could not be replaced by "{becomes}" everywhere on the page: it is split among elements, or '
                "the page puts it back. Cover the element instead (cover, in the file that says how images look)"
            )


# Texts that somebody is writing are the page's own matter, and so are fields that hold anything but a text.
_SAID_JS = """all => all.map(([node, text, field, dots]) => {
    const kinds = ['text', 'search', 'email', 'url', 'tel', 'textarea'];
    const own = field ? dots || !kinds.includes(node.type) : node.parentElement?.isContentEditable;
    return own ? '' : text;
})"""

_SEEN_JS = """all => all.flatMap(([node, text, field, dots]) => {
    const el = field ? node : node.parentElement ?? node.getRootNode().host;
    return dots || !el?.checkVisibility({visibilityProperty: true}) && !el?.closest('option') ? [] : [text];
})"""

_WHOLE_JS = """(element, text) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), before = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode())
        if (node.data.trim()) before.push([node, node.data]);
    before.forEach(([node], index) => { node.data = index ? '' : text; });
    return before;
}"""

_PUT_JS = """(found, changes) => {
    // What a program sets by the element's own property, frameworks take for what a user has typed: not so with the
    // prototype's.
    const put = (field, name, text) => {
        const kind = field instanceof field.ownerDocument.defaultView.HTMLTextAreaElement
            ? field.ownerDocument.defaultView.HTMLTextAreaElement : field.ownerDocument.defaultView.HTMLInputElement;
        Object.getOwnPropertyDescriptor(kind.prototype, name).set.call(field, text);
    };
    for (const [index, before, after] of changes) {
        const [node, , field] = found[index];
        if (!field) {
            if (node.data === before) node.data = after;
        } else if (node.value === before) {
            put(node, 'value', after);
        } else if (!node.value && node.placeholder === before) {
            put(node, 'placeholder', after);
        }
    }
}"""
