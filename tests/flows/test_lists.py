"""Lists that come in parts, on pages made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.pages.lists import Rest, parts

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROWS = "".join(f"<p>Site {number}</p>" for number in range(60))

GROWS = (
    "<style>* { scroll-behavior: smooth }</style>"
    f"<div style='height: 300px; overflow-y: auto'>{ROWS}</div>"
    "<script>document.querySelector('div').onscroll = event => { event.target.onscroll = null; setTimeout(() => "
    "event.target.insertAdjacentHTML('beforeend', '<p>The last one</p>'), 300); };</script>"
)


class Counted(Rest):
    """Counts how often it was waited for."""

    waits = 0

    def reached(self, *, timeout: float | None = None) -> bool:
        """Wait, and count."""
        self.waits += 1
        return super().reached(timeout=timeout)


def test_what_comes_as_a_list_is_scrolled_is_a_part_of_it(page: Page) -> None:
    """Also where the page scrolls smoothly, so that nothing has moved yet when it was told to."""
    page.set_content(GROWS)
    shown = ["The last one" in page.locator("body").inner_text() for _ in parts(page, Rest(page))]
    assert shown == [False, True]


def test_where_nothing_scrolls_nothing_more_is_waited_for(page: Page) -> None:
    """A page that fits its window is not told of any scrolling, and has no reason to show more."""
    page.set_content("<p>The only site</p>")
    rest = Counted(page)
    assert list(parts(page, rest)) == [False]
    assert rest.waits == 0
