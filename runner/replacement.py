"""Texts of a page that become others while its image is taken: real names become the example's, in fields too.

The page is put back as it was. It gives its texts and gets others in their places; it is told nothing else.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError

from runner.controls import Stuck
from runner.visible import TEXTS_JS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import Frame, JSHandle, Page


@contextmanager
def replaced(page: Page, instead: Callable[[str], str], texts: Mapping[str, str]) -> Iterator[None]:
    """Texts become others on the page for as long as the block lasts, in every frame.

    Args:
        page: The tab.
        instead: Says what a text becomes, see `replacing`.
        texts: Those of which none may be left.

    Raises:
        Stuck: A text is still on the page, such as one that is split among elements.
    """
    with ExitStack() as stack:
        for frame in page.frames:
            if not frame.is_detached():
                stack.enter_context(_replaced_in(frame, instead))
        for frame in page.frames:
            if not frame.is_detached():
                _check_that_gone(frame, texts)
        yield


def replacing(texts: Mapping[str, str], patterns: Mapping[str, str]) -> Callable[[str], str]:
    """Says what a text becomes.

    Args:
        texts: Text and what it becomes; a longer text before a shorter one within it, and nothing in what was put in.
        patterns: Regular expression and what it becomes, with Python's references to groups; these come first.
    """
    longest_first = sorted(texts, key=len, reverse=True)
    literal = re.compile("|".join(map(re.escape, longest_first))) if texts else None

    def instead(text: str) -> str:
        for pattern, becomes in patterns.items():
            text = re.sub(pattern, becomes, text)
        return literal.sub(lambda found: texts[found[0]], text) if literal else text

    return instead


@contextmanager
def _replaced_in(frame: Frame, instead: Callable[[str], str]) -> Iterator[None]:
    found = frame.evaluate_handle(TEXTS_JS)
    try:
        said: list[str] = found.evaluate("all => all.map(([, text, , dots]) => dots ? '' : text)")
        changes = [(index, text, new) for index, text in enumerate(said) if (new := instead(text)) != text]
        if changes:
            found.evaluate(_PUT_JS, changes)
        try:
            yield
        finally:
            if changes:
                with suppress(PlaywrightError):  # the page was left: there is nothing to put back
                    found.evaluate(_PUT_JS, [(index, new, text) for index, text, new in changes])
    finally:
        _dispose(found)


def _dispose(found: JSHandle) -> None:
    with suppress(PlaywrightError):  # the page has gone, and its handles with it
        found.dispose()


def _check_that_gone(frame: Frame, texts: Mapping[str, str]) -> None:
    there: str = frame.evaluate("() => document.body?.innerText ?? ''")
    for text, becomes in sorted(texts.items(), key=lambda pair: -len(pair[0])):
        there = there.replace(becomes, "")
        if text in there and not any(text in other for other in texts.values()):
            raise Stuck(
                f'"{text}" could not be replaced by "{becomes}" everywhere on the page: it is split among elements. '
                "Cover the element instead (cover, in the file that says how images look)"
            )


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
