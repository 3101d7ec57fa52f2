"""The flow performs the guide on dashboards that were made from the known facts alone, each as another front end has it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.browser import context_options
from runner.errors import StepFailed
from runner.flow import Flow
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page, Route

    from runner.studio import Carried

pytestmark = pytest.mark.browser

PAGES = Path(__file__).parent / "dashboards"
PICTURED = ("design_system", "components", "interruptions")
WP_ADMIN = '<!doctype html><title>Dashboard</title><body class="wp-admin"><div id="wpadminbar"></div><h1>Dashboard</h1>'

GIVEN = {
    "PANTHEON_DASHBOARD_URL": "https://dashboard.example",
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "correct horse battery",
    "PANTHEON_WORKSPACE": "Widgets",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "never asked for here",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "4s",
    "CREATION_TIMEOUT": "8s",
}

STEPS: Flow[MigrationRun] = Flow("the dashboard's part", edition=FLOW.edition, run=MigrationRun, settings=FLOW.settings)
"""Steps 1 to 5 and 9: what the reader does in the dashboard."""
STEPS.steps = [*FLOW.steps[:5], replace(FLOW.steps[8], number=6, enters_from=6)]

NO_PICTURES: Flow[MigrationRun] = Flow(STEPS.name, edition=FLOW.edition, run=MigrationRun, settings=FLOW.settings)
"""The same without its screenshots, for what does not depend on them."""
NO_PICTURES.steps = [replace(step, images=(), adds=()) for step in STEPS.steps]


class RunWithoutPictures(MigrationRun):
    """A run that presses and fills only."""

    def screenshot(
        self, page: Page | None = None, *, highlight: Locator | None = None, carried: Carried | None = None
    ) -> None:
        """Take none."""


@dataclass
class Visit:
    """What a run did on a dashboard, as the dashboard itself saw it."""

    run: MigrationRun
    failure: StepFailed | None
    did: list[tuple[str, Any]]

    def all(self, what: str) -> list[Any]:
        """What was done of one kind, in order."""
        return [value for name, value in self.did if name == what]


@pytest.fixture
def visit(browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Visit]]:
    """Perform steps 1 to 5 and 9 on one of the dashboards, which has these options and the run these settings."""
    contexts = []
    monkeypatch.setattr(dashboard_page, "AFTER_SIGN_IN", 1.0)
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 0.5)

    def perform(
        dashboard: str, options: dict[str, Any] | None = None, *, pictures: bool = False, **settings: str
    ) -> Visit:
        def answer(route: Route) -> None:
            address = urlsplit(route.request.url)
            if address.netloc == "source.example":
                route.fulfill(body=WP_ADMIN, content_type="text/html")
            elif address.path == "/backend.js":
                script = (PAGES / "backend.js").read_text("utf-8")
                route.fulfill(
                    body=f"const OPTIONS = {json.dumps(options or {})};\n{script}", content_type="text/javascript"
                )
            elif address.path in {"/favicon.ico", "/audit"}:
                route.fulfill(body="<!doctype html>", content_type="text/html")
            else:
                page = "login" if address.netloc == "login.example" else dashboard
                route.fulfill(path=PAGES / f"{page}.html", content_type="text/html")

        context = browser.new_context(**context_options())
        contexts.append(context)
        context.route("**/*", answer)
        of = MigrationRun if pictures else RunWithoutPictures
        run = new_run(of, FLOW, MigrationSettings.load({**GIVEN, **settings}), tmp_path)
        run.attach(context.new_page())
        failure = None
        try:
            run.perform((STEPS if pictures else NO_PICTURES).steps, FLOW)
        except StepFailed as failed:
            failure = failed
        audit = context.new_page()
        audit.goto("https://dashboard.example/audit")
        did = audit.evaluate("JSON.parse(localStorage.getItem('did') || '[]')")
        return Visit(run, failure, [(what, value) for what, value in did])

    yield perform
    for context in contexts:
        context.close()


def succeeded(visit: Visit, **site: str) -> None:
    """Everything was done once, with the right values, and nothing that a reader would not have done."""
    assert visit.failure is None, str(visit.failure)
    expected = {
        "name": "Writing Widgets",
        "shown": "writing-widgets",
        "workspace": "Widgets",
        "cms": "WordPress",
        "url": "https://source.example",
        **site,
    }
    assert visit.all("created") == [expected]
    assert visit.all("token") == [visit.run.machine_token.reveal()]
    assert visit.run.facts["site_name"] == expected["shown"]
    assert visit.all("confirmed") == [expected["shown"]]
    assert visit.all("signed in") == ["jo@example.com"]
    assert not visit.all("refused")
    assert not visit.all("pressed what is hidden")
    assert not visit.all("answered the survey")
    assert not visit.all("opened the chat")


@pytest.mark.parametrize(
    ("dashboard", "options"),
    [
        ("design_system", {"reauthenticate": True}),
        pytest.param("material", {"reauthenticate": True, "suffix": "-2"}, marks=pytest.mark.slow),
        pytest.param("bootstrap", {"reauthenticate": True, "creation": 4500}, marks=pytest.mark.slow),
        pytest.param(
            "components",
            {},
            id="components",
            marks=pytest.mark.slow,
        ),
        pytest.param("tables", {"reauthenticate": True, "login": "one"}, marks=pytest.mark.slow),
        pytest.param("responsive", {"suffix": "-17"}, marks=pytest.mark.slow),
        pytest.param("interruptions", {"reauthenticate": True, "news": True}, marks=pytest.mark.slow),
    ],
)
def test_performs_the_guide(visit: Callable[..., Visit], dashboard: str, options: dict[str, Any]) -> None:
    """The work is done once, in the wanted workspace, whatever the dashboard is made of."""
    seen = visit(dashboard, options, pictures=dashboard in PICTURED)
    succeeded(seen, shown="writing-widgets" + options.get("suffix", ""))
    assert len(seen.all("re-authenticated")) == int("reauthenticate" in options)


@pytest.mark.parametrize(
    ("dashboard", "options"),
    [
        pytest.param(
            "design_system",
            {"login": "one"},
            id="other buttons first, remember me, a newsletter",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "design_system",
            {"login": "offscreen"},
            id="a password field for password managers, off the screen",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "design_system",
            {"descriptions": True},
            id="a tile that says more than its name",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "tables",
            {"site": "Widgets"},
            id="a site named like the workspace",
            marks=pytest.mark.slow,
        ),
        pytest.param("material", {"eye": True}, id="a token behind an eye, beside Copy", marks=pytest.mark.slow),
        pytest.param("tables", {"site": "continue"}, id="a site named continue", marks=pytest.mark.slow),
        pytest.param(
            "tables",
            {"radios": True},
            id="workspaces as radios",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "responsive",
            {"drawer": True},
            id="a drawer beside the screen",
            marks=pytest.mark.slow,
        ),
        pytest.param("responsive", {"collapse": True}, id="a collapsed menu", marks=pytest.mark.slow),
        pytest.param(
            "bootstrap",
            {"menu": True},
            id="the workspace behind a menu button, another one preselected",
            marks=pytest.mark.slow,
        ),
        pytest.param("bootstrap", {"early": True}, id="a button that says Confirming, and that it is too early"),
    ],
)
def test_gets_past(visit: Callable[..., Visit], dashboard: str, options: dict[str, Any]) -> None:
    """What real pages put in a reader's way neither stops the work nor leads it astray."""
    succeeded(visit(dashboard, options))


@pytest.mark.parametrize(
    ("option", "what"), [("survey", "nps"), pytest.param("bubble", "Open chat", marks=pytest.mark.slow)]
)
def test_stops_at_a_covered_button(visit: Callable[..., Visit], option: str, what: str) -> None:
    """What lies over a button and is neither a dialogue nor a banner is not clicked away: the sentence names it."""
    seen = visit("interruptions", {option: True})
    assert seen.failure
    assert re.search(rf"{what}.*intercepts pointer events", str(seen.failure))
    assert not seen.all("created")
    assert not seen.all("answered the survey")
    assert not seen.all("opened the chat")


@pytest.mark.parametrize(
    "words",
    [
        "That name is already in use.",
        "Sorry, this name belongs to somebody else.",
    ],
)
def test_repeats_a_refusal(visit: Callable[..., Visit], words: str) -> None:
    """When the name is refused the run stops with the dashboard's own words, having made nothing."""
    seen = visit("bootstrap", {"taken": words}, CREATION_TIMEOUT="4s", PANTHEON_WORKSPACE="")
    assert seen.failure
    assert words in str(seen.failure)
    assert not seen.all("created")
    assert len(seen.all("refused")) == 1
