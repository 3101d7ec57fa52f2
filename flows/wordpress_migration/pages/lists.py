"""Lists that come late and in parts: whether a page has come to rest, and the way to the rest of a list."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from runner.controls import can_be_pressed, lines, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page, Request

QUIET = 0.7
"""Seconds without a change after which what has been asked for is taken to be shown."""

LASTING = 5.0
"""Seconds without a request after which what a page shows is no beginning of something else."""

LONG_POLL = 15.0
"""Seconds after which a request that is still open is taken for one that stays open for news."""

PARTS_AT_MOST = 200
"""Parts of a list that are read: more than a workspace has pages of sites."""

_ASKS = frozenset(("document", "script", "xhr", "fetch"))
_LOADING = re.compile(r"^\W*(loading|fetching|please wait)\b", re.IGNORECASE)
_NEXT = re.compile(r"^\W*(go to )?(the )?next( page)?\W*$|^\s*[\u203a\u00bb\u2192>]\s*$", re.IGNORECASE)
_MORE = re.compile(
    r"^\W*(show|load|view|see)( \d+)? (more|all)( results)?( (your )?(machine )?(tokens|sites))?\W*$", re.IGNORECASE
)
_NEAR_END_JS = """() => [document.scrollingElement, ...document.querySelectorAll('*')].filter(el => {
    const before = el.scrollTop;
    const scrolls = el === document.scrollingElement || /auto|scroll/.test(getComputedStyle(el).overflowY);
    if (scrolls) el.scrollTo({top: 1e7, behavior: 'instant'});
    return el.scrollTop !== before;
}).length > 0"""
"""Whether anything could be scrolled: a page is told only then, and has no reason to show more else."""

_BESIDE_JS = """(el, number) => [el.parentElement, el.parentElement?.parentElement].some(
    box => new RegExp(`(^|\\\\s)${number}(\\\\s|$)`).test(box?.innerText || ''))"""


class Rest:
    """Knows when a page has come to rest: what it asked its server for has been answered, and its text stays.

    A list that is empty and one that has not come yet look alike until then.

    Args:
        page: The tab.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: dict[Request, float] = {}
        self._last = time.monotonic()
        page.on("request", self._note)
        page.on("requestfinished", self._forget)
        page.on("requestfailed", self._forget)

    def _note(self, request: Request) -> None:
        if request.resource_type in _ASKS:
            self._asked[request] = self._last = time.monotonic()

    def _forget(self, request: Request) -> None:
        self._asked.pop(request, None)

    @property
    def lasts(self) -> bool:
        """Whether the page has stood there for long, such as a tab that was left for another one."""
        return not self._asked and time.monotonic() - self._last > LASTING

    def reached(self, *, timeout: float | None = None) -> bool:
        """Wait until the page has come to rest; False if it has not.

        Args:
            timeout: Seconds; None for Playwright's default.
        """
        last, since = "", time.monotonic()

        def look() -> bool | None:
            nonlocal last, since
            said, now = lines(self._page), time.monotonic()
            text = re.sub(r"\d+", "", "\n".join(said))  # a clock is no news
            if text != last:
                last, since = text, now
            outstanding = any(now - asked < LONG_POLL for asked in self._asked.values())
            if outstanding or any(map(_LOADING.search, said)) or self._is_busy():
                return None
            return now - since >= QUIET or None

        # Where nothing changes, the last look comes so long after the one before it.
        return bool(until(self._page, look, timeout=timeout, again=QUIET))

    def _is_busy(self) -> bool:
        return self._page.locator("main[aria-busy=true], main [aria-busy=true]").filter(visible=True).count() > 0


def parts(page: Page, rest: Rest) -> Iterator[bool]:
    """Go through a list's parts, as a reader would: by "Load more", by the next page, or by scrolling to its end.

    Args:
        page: The page, at rest, with the first part shown.
        rest: When it is at rest again.

    Yields:
        Once for each part, when it is there: whether it has taken the place of the part before.
    """
    yield False
    seen = {tuple(lines(page))}
    number = 1
    for _ in range(PARTS_AT_MOST):
        turns = True
        if (more := _pressable(page, _MORE)) is not None:
            turns = False
            more.click()
        elif (following := _next_page(page, number + 1)) is not None:
            number += 1
            following.click()
        else:
            turns = False
            if not page.evaluate(_NEAR_END_JS):
                return
        rest.reached()
        now = tuple(lines(page))
        if now in seen:
            return  # such as a button for the next page that the last one has too
        seen.add(now)
        yield turns


def _next_page(page: Page, number: int) -> Locator | None:
    """What leads to the next page of a list: a control that says so, else the page's number."""
    following = _pressable(page, _NEXT)
    if following is None:
        following = _pressable(page, re.compile(rf"^\W*((go to )?page )?{number}\W*$", re.IGNORECASE))
        # A number may count something else: a page's stands beside the one before it.
        if following is not None and not following.evaluate(_BESIDE_JS, number - 1):
            return None
    return following


def _pressable(page: Page, name: re.Pattern[str]) -> Locator | None:
    """The last control of this name that is enabled; a list's own stand below it."""
    found = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).filter(visible=True)
    enabled = found.and_(page.locator(":not([disabled], [aria-disabled=true], .disabled, .disabled *, [aria-current])"))
    return next((one for one in reversed(enabled.all()) if can_be_pressed(one)), None)
