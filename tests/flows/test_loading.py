"""Pages and tabs are opened as a reader opens them, on pages made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages import loading
from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import Stuck, set_default_timeout
from tests.flows.test_machine_tokens import GIVEN

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


def test_a_tab_that_does_not_come_is_told_with_the_address_it_was_for(page: Page) -> None:
    """A tab whose site does not answer is none yet."""

    def answer(route: Route) -> None:
        if "dashboard.example" in route.request.url:
            there = f"{GIVEN['SOURCE_SITE_URL']}/wp-admin/"
            route.fulfill(content_type="text/html", body=f"<a target=_blank href={there}>Install on /wp-admin</a>")

    page.context.route("**/*", answer)
    set_default_timeout(page.context, 1)
    page.goto(GIVEN["PANTHEON_DASHBOARD_URL"])
    dashboard = Dashboard(page, MigrationSettings.load(GIVEN), words=[FLOW.words], say=print)
    with pytest.raises(
        Stuck,
        match=r'pressing the control "Install on /wp-admin"\. Check whether https://source\.example/wp-admin/ opens',
    ):
        dashboard.press_to_wp_admin()
