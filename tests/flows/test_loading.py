"""Pages are opened as a reader opens them, on pages made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.pages import loading

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def test_what_hangs_on_a_page_does_not_keep_it_from_opening(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as an icon of a host that this machine may not reach; what comes in time is there."""
    monkeypatch.setattr(loading, "WHOLE", 1.0)
    page.set_default_timeout(3000)

    def answer(route: Route) -> None:
        if route.request.is_navigation_request():
            route.fulfill(
                content_type="text/html", body="<img src=/comes.svg onload='came = true'><img src=/hangs.svg>"
            )
        elif route.request.url.endswith("/comes.svg"):
            page.evaluate("() => new Promise(done => setTimeout(done, 300))")
            route.fulfill(content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")

    page.route("**/*", answer)
    answered = loading.go_to(page, "https://source.example/")
    assert answered is not None
    assert (answered.status, page.evaluate("window.came")) == (200, True)
