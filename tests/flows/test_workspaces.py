"""The dashboard is switched to another workspace by what opens a list of them, whatever stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration import acts
from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.migration import check_workspace
from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.pages.dashboard import Dashboard, Words
from flows.wordpress_migration.pages.loading import leads_to
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import set_default_timeout
from runner.errors import Question
from tests.flows.test_unseen_dashboards import GIVEN
from tests.runs import new_run

if TYPE_CHECKING:
    from pathlib import Path

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


class Account:
    """A dashboard with two workspaces that opens with the one that somebody has looked at last.

    Attributes:
        shown: The workspace that it opens with.
        sites: The workspaces that have a site of the run's name.
        lost: Workspaces whose pages do not open any more.
        visited: What was asked for.
    """

    def __init__(self, page: Page) -> None:
        self.shown = "gadgets"
        self.sites: set[str] = set()
        self.lost: set[str] = set()
        self.visited: list[str] = []
        page.route("**/*", self.answer)

    def answer(self, route: Route) -> None:
        """Lead to the workspace, list its site, or show that."""
        path = route.request.url.removeprefix("https://dashboard.example")
        self.visited.append(path)
        *_, kind, name = path.split("/")
        if kind == "sites":
            body = f"<h1>{SITE}</h1><button>Generate Machine Token</button>"
        elif kind != "workspaces" or name in self.lost:
            body = f"<script>location = '/workspaces/{self.shown}'</script>"
        else:
            site = f"<ul><li><a href=/sites/{name}>{SITE}</a></ul>" if name in self.sites else ""
            body = f"<h1>{name}</h1><button>Migrate Existing Site</button>{site}"
        route.fulfill(body=f"<!doctype html><body>{body}", content_type="text/html")


SITE = "writing-widgets"


@pytest.fixture
def run(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MigrationRun:
    """A run without a workspace set, which has looked whether the name is free, and was interrupted in step 3."""
    monkeypatch.setattr(dashboard_page, "LATE", 0.4)
    settings = MigrationSettings.load(
        {**SETTINGS, "PANTHEON_WORKSPACE": "", "NEW_SITE_NAME": SITE, "PAGE_TIMEOUT": "2s"}
    )
    run = new_run(MigrationRun, FLOW, settings, tmp_path)
    run.follow(FLOW)
    run.attach(page)
    return run


def begin(run: MigrationRun) -> None:
    """Look at the workspace, as the preflight does."""
    run.open_workspace(run.dashboard)
    run.dashboard.has_site(SITE)
    run.begin_in(run.dashboard, run.dashboard.home)


@pytest.mark.parametrize("made", [False, True])
def test_a_run_that_goes_on_looks_in_the_workspace_in_which_it_began(
    page: Page, run: MigrationRun, *, made: bool
) -> None:
    """A site of the same name in the workspace that the dashboard opens with by now is somebody else's."""
    account = Account(page)
    begin(run)
    run.facts["name_was_free"] = "yes"
    account.shown = "widgets"
    account.sites = {"widgets", "gadgets"} if made else {"widgets"}
    assert acts.site_exists(run) is made
    assert run.facts.get("site_page") == ("https://dashboard.example/sites/gadgets" if made else None)


def test_where_the_workspace_does_not_open_any_more_a_person_is_asked(page: Page, run: MigrationRun) -> None:
    """What stands in another one is not taken for this run's, nor is another site made there."""
    account = Account(page)
    begin(run)
    run.facts["name_was_free"] = "yes"
    account.shown, account.sites, account.lost = "widgets", {"widgets"}, {"gadgets"}
    with pytest.raises(Question, match="did not open the workspace in which this run began"):
        acts.site_exists(run)
    assert "site_page" not in run.facts


def test_a_dashboard_that_opens_where_the_run_began_is_not_loaded_again(page: Page, run: MigrationRun) -> None:
    """Nor is the workspace's page of another run looked for."""
    account = Account(page)
    begin(run)
    account.visited.clear()
    run.open_workspace(run.dashboard)
    assert run.dashboard.is_in_workspace
    assert [path for path in account.visited if "favicon" not in path] == ["/", "/workspaces/gadgets"]


def test_an_address_that_had_more_in_it_the_first_time_is_the_same_workspaces(page: Page, run: MigrationRun) -> None:
    """Nobody is asked then, and what was found out counts."""
    account = Account(page)
    begin(run)
    run.facts.change(
        workspace_page="https://dashboard.example/workspaces/gadgets/overview?welcome=1", name_was_free="yes"
    )
    page.route(
        "**/overview*",
        lambda route: route.fulfill(
            body="<script>location.replace('/workspaces/gadgets')</script>", content_type="text/html"
        ),
    )
    account.sites = {"gadgets"}
    assert acts.site_exists(run)


def test_a_preflight_that_cannot_go_back_begins_in_the_workspace_that_is_there(
    page: Page, run: MigrationRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it looks for the name is where the run goes on, and it speaks of no workspace that is not set."""
    account = Account(page)
    page.context.route("**/*", account.answer)
    run.facts.change(workspace_page="https://dashboard.example/workspaces/lost", name_was_free="yes")
    account.lost = {"lost"}
    said: list[str] = []
    monkeypatch.setattr(run, "say", said.append)
    check_workspace(run)
    assert dict(run.facts) == {"workspace_page": "https://dashboard.example/workspaces/gadgets", "name_was_free": "yes"}
    assert not [sentence for sentence in said if "None" in sentence]


def test_an_address_that_holds_what_a_sign_in_has_handed_over_is_not_recorded(page: Page, run: MigrationRun) -> None:
    """It would stand in the ledger, and lead nowhere a second time; what was found out stays."""
    run.facts["name_was_free"] = "yes"
    for address in ("https://dashboard.example/?code=Zq3abcdef&state=GHIJ", "https://dashboard.example/#access=Zq3abc"):
        run.begin_in(run.dashboard, address)
    assert dict(run.facts) == {"name_was_free": "yes"}
    run.begin_in(run.dashboard, "https://dashboard.example/#/gadgets")
    assert run.facts["workspace_page"] == "https://dashboard.example/#/gadgets"


@pytest.mark.parametrize(
    ("landed", "same"),
    [
        ("/workspaces/1", True),
        ("/workspaces/1/overview", True),
        ("/workspaces/2", False),
        ("/workspaces/12", False),
        ("/workspaces", False),
        ("/", False),
        ("/workspaces/1?as=2", False),
        ("/workspaces/1#/2", False),
    ],
)
def test_what_an_address_has_led_to_is_the_same_or_another_workspace(landed: str, *, same: bool) -> None:
    """A first visit may have had more in its address; a workspace that is lost leads to another one."""
    assert (
        leads_to("https://dashboard.example/workspaces/1/overview?welcome=1", f"https://dashboard.example{landed}")
        is same
    )
