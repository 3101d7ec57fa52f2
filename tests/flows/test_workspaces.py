"""The dashboard is switched to another workspace by what opens a list of them, whatever stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.pages.dashboard import Dashboard, Words
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import set_default_timeout
from tests.flows.test_unseen_dashboards import GIVEN

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

PATIENCE = 5

SETTINGS = GIVEN | {"PAGE_TIMEOUT": f"{PATIENCE}s"}

SECTIONS = "".join(
    f"<li aria-haspopup=menu aria-expanded=false><a href=/{name.lower()}>{name}</a></li>"
    for name in ("Home", "Sites", "Team", "Settings")
)
"""Entries of a navigation that may have a menu below them, each a link of its own."""

HELP = "<button aria-haspopup=menu aria-expanded=false>Help</button>"
SWITCHER = (
    "<button id=opens aria-haspopup=menu aria-expanded=false aria-label='Workspace menu'>Gadgets</button>"
    "<ul id=menu role=menu hidden>"
    "<li role=menuitem><a href=/gadgets>Gadgets</a></li><li role=menuitem><a href=/widgets>Widgets</a></li></ul>"
)
SCRIPT = """<script>
    document.querySelector('h2').textContent = location.pathname === '/widgets' ? 'Widgets' : 'Gadgets';
    document.getElementById('opens').onclick = () => { document.getElementById('menu').hidden = false; };
</script>"""


def page_with(header: str) -> str:
    """A workspace's page, on every address, with this above its navigation."""
    return (
        "<!doctype html><style>nav a { display: block }</style>"
        f"<body><nav><ul>{SECTIONS}</ul></nav><header>{header}</header>"
        f"<main><h2></h2><button>Migrate Existing Site</button></main>{SCRIPT}"
    )


@pytest.mark.parametrize("header", [SWITCHER, HELP + SWITCHER], ids=["alone", "beside another menu"])
def test_workspace_is_looked_for_where_workspaces_are(page: Page, header: str) -> None:
    """No section of the navigation is visited on the way, nor another menu opened, which would take seconds each."""
    visited = []

    def answer(route: Route) -> None:
        visited.append(route.request.url.removeprefix("https://dashboard.example"))
        route.fulfill(body=page_with(header), content_type="text/html")

    page.route("**/*", answer)
    set_default_timeout(page.context, PATIENCE)
    words = [Words(opens_wp_admin="Install on /wp-admin")]
    dashboard = Dashboard(page, MigrationSettings.load(SETTINGS), words=words, say=lambda _: None)
    dashboard.open()
    dashboard.open_workspace("Widgets")
    assert dashboard.is_in_workspace
    assert [path for path in visited if "favicon" not in path] == ["/", "/widgets"]
