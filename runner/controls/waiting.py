"""Waits for what a page is to show, and never for time."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from runner.controls.finding import any_of
from runner.errors import GuiderunnerError, Stuck

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from playwright.sync_api import BrowserContext, JSHandle, Locator, Page


_patience = {"seconds": 30.0}
LOOK_AGAIN = 0.5
"""Seconds after which a page is looked at again even if no change of it was seen (a shadow tree changes unseen)."""

T = TypeVar("T")


def default_timeout() -> float:
    """Seconds that a page is given to show what a step waits for."""
    return _patience["seconds"]


def set_default_timeout(context: BrowserContext, seconds: float) -> None:
    """Give the pages of `context` so many seconds to show what a step waits for."""
    _patience["seconds"] = seconds  # beside expect's own, which Playwright keeps for the whole process too
    expect.set_options(timeout=seconds * 1000)
    context.set_default_timeout(seconds * 1000)


def first_visible(*wanted: Locator, timeout: float | None = None) -> Locator:
    """Wait until one of these is visible and return it; the earlier in the list wins.

    Args:
        wanted: What may come.
        timeout: Seconds; None for Playwright's default.

    Raises:
        Stuck: None of them came.
    """
    deadline = time.monotonic() + (timeout or default_timeout())
    union = any_of([locator.filter(visible=True).first for locator in wanted])
    while True:
        left = deadline - time.monotonic()
        try:
            expect(union.first).to_be_visible(timeout=max(left, 0.001) * 1000)
        except AssertionError:
            said = " or ".join(describe(locator) for locator in wanted)
            raise Stuck(f"{said} did not appear", looked_for=said) from None
        if len(wanted) == 1:
            return wanted[0]
        for locator in wanted:
            if locator.filter(visible=True).first.is_visible():
                return locator


def describe(locator: Locator) -> str:
    """A locator in words: its description, if it was given one."""
    return locator.description or str(locator).removeprefix("<Locator ").removesuffix(">")


def until(
    page: Page,
    look: Callable[[], T | None],
    *,
    timeout: float | None = None,
    again: float = LOOK_AGAIN,
    at_once: bool = False,
    changes_it: bool = False,
) -> T | None:
    """Look at the page now and after each of its changes until `look` returns something; None when time is over.

    For what Playwright's own waits cannot express, such as a value that has to be understood first. The next look sees
    what changes during one.

    Args:
        page: The page whose changes are waited for.
        look: Returns what it found, or None to be called again after the next change.
        timeout: Seconds; None for Playwright's default.
        again: Seconds after which it is looked again although no change was seen.
        at_once: The first look is taken as the page stands: what lies over it has just been closed.
        changes_it: The look itself changes the page, such as by pressing a button: what changes during it is its own.
    """
    deadline = time.monotonic() + (timeout or default_timeout())
    with _Changes(page, ours=changes_it) as changes:
        while True:
            # A dialogue hides the page behind it from every look: Playwright lets the handlers close it before it
            # expects. A slow navigation, or what cannot be closed, may outlast that: the look then says what is there.
            if not at_once:
                with suppress(AssertionError):
                    waits = max(deadline - time.monotonic(), LOOK_AGAIN)
                    expect(page.locator("html")).to_be_attached(timeout=waits * 1000)
            at_once = False
            try:
                found = look()
            except PlaywrightError as error:
                # A look that was overtaken by a navigation has seen a page that is no longer there.
                if "context was destroyed" not in error.message:
                    raise
                found = None
            if found is not None:
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            changes.wait(min(left, again))


class _Changes:
    """The changes of a page, watched from the first wait on until the block ends.

    Args:
        page: The page.
        ours: What changes between two waits is no news: each wait is for what comes then.
    """

    def __init__(self, page: Page, *, ours: bool) -> None:
        self._page = page
        self._ours = ours
        self._watched: JSHandle | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        # A page that was interrupted, or did not answer, is asked nothing more: that has no limit.
        if self._watched and (error is None or issubclass(error, GuiderunnerError)):
            with suppress(PlaywrightError):  # the page was left, and what watched it with it
                self._watched.evaluate("changes => changes.end()")
                self._watched.dispose()

    def wait(self, at_most: float) -> None:
        """Wait for a change since the last wait: the first time not at all, since nobody has watched before.

        Args:
            at_most: Seconds.
        """
        try:
            if self._watched is None:
                self._watched = self._page.evaluate_handle(_CHANGES_JS)
                if not self._ours:
                    return
            self._watched.evaluate("(changes, [ms, anew]) => changes.wait(ms, anew)", [at_most * 1000, self._ours])
        except PlaywrightError:
            # A navigation ended the script: that is a change. A closed page says so at the next look.
            self._watched = None
            if not self._page.is_closed():
                self._page.wait_for_load_state("domcontentloaded")


_CHANGES_JS = """() => {
    let changed = false, told = null;
    const observer = new MutationObserver(() => { changed = true; told?.(); });
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    return {
        wait: (ms, anew) => new Promise(done => {
            if (anew) changed = false;
            told = () => { changed = false; told = null; clearTimeout(late); done(); };
            const late = setTimeout(() => told?.(), ms);
            if (changed) told();
        }),
        end: () => observer.disconnect(),
    };
}"""
