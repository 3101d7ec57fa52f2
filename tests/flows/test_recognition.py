"""The edition is recognised on wizards that nobody here has seen, by what their first view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flows.wordpress_migration import edition_2024, edition_2025
from flows.wordpress_migration.flow import EDITIONS
from flows.wordpress_migration.pages import dashboard
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import first_visible, set_default_timeout, until
from runner.errors import Stuck
from runner.flow import any_of
from tests.cases import cases
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Locator, Page

    from runner.flow import Flow

pytestmark = pytest.mark.browser

GIVEN = {
    "PANTHEON_DASHBOARD_URL": "https://dashboard.example",
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "correct horse battery",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "never asked for here",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "5s",
}

AROUND = (
    "<header><input placeholder='Search websites'></header>"
    "<nav><a href=#>WordPress</a><button role=combobox aria-label='Built by'>Widgets</button></nav>"
    "<main id=work><h1>Workspace</h1><ul><li><a href=#site>WordPress</a></li></ul>"
    "<input aria-label='Filter sites'><button id=migrate>Migrate Existing Site</button></main>"
    "<footer><form><label>Email address <input name=newsletter></label><button>Subscribe</button></form></footer>"
)
"""A workspace with a site named WordPress, and fields of other kinds around the work."""

URL = "<label>Enter Your Existing Site URL <input placeholder='https://example.com'></label>"
RADIOS = "<fieldset><legend>CMS</legend>" + "".join(
    f"<label><input type=radio name=cms> {name}</label>" for name in ("Drupal 7", "WordPress")
)
TILES = (
    "<h2>Choose</h2><div>"
    + "".join(
        f"<div role=radio tabindex=0 aria-checked=false onclick=\"this.setAttribute('aria-checked', 'true')\">{name}</div>"
        for name in ("Drupal", "WordPress")
    )
    + "</div>"
)
CARDS = "".join(
    f"<input type=radio name=cms id=card{number} style='appearance: none; width: 0; height: 0; margin: 0'>"
    f"<label for=card{number}><div>{name}<div>Migrate a site of this kind</div></div></label>"
    for number, name in enumerate(("Drupal 7", "WordPress"))
)
"""Cards that say more below their name, each a label whose radio button has no size."""
LINKS = "<ul><li><a href=#d>Drupal</a></li><li><a href=#w onclick='next()'>WordPress</a></li></ul>"
SELECT = (
    "<label>CMS <select><option>Choose</option><option>Drupal 7</option><option>WordPress</option></select></label>"
)
CONTINUE = "<button id=on>Continue</button>"
ON_2 = f"{URL}<button id=second>Continue</button>"


def wizard(first: str, *, later: str = "", after: int = 0) -> str:
    """A dashboard whose wizard begins with this view, some time after the press; what comes later is put before it."""
    return f"""<!doctype html><body>{AROUND}<script>
        const work = document.getElementById('work');
        document.getElementById('migrate').onclick = () => {{
            setTimeout(() => {{ work.innerHTML = `<form onsubmit="return false">{first}</form>`; }}, 700);
            if ({after}) setTimeout(() => work.firstChild.insertAdjacentHTML('afterbegin', `{later}`), {after});
        }};
    </script>"""


@pytest.fixture
def begun(page: Page, tmp_path: Path) -> Callable[[str], MigrationRun]:
    """Do step 1 on this dashboard, in a run whose edition is not known."""

    def begin(body: str) -> MigrationRun:
        page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
        flow: Flow[MigrationRun] = any_of(EDITIONS)
        run = new_run(MigrationRun, flow, MigrationSettings.load(GIVEN), tmp_path)
        run.follow(flow)
        run.attach(page)
        set_default_timeout(page.context, 5)
        run.dashboard.open()
        run.dashboard.begin_to_migrate()
        return run

    return begin


WIZARDS: dict[str, tuple[str, str]] = {
    "URL above radios": (wizard(URL + RADIOS + CONTINUE), "2024"),
    "URL below tiles": (wizard(TILES + URL + CONTINUE), "2024"),
    "URL comes after the choice": (wizard(TILES + CONTINUE, later=URL, after=1800), "2024"),
    "choice comes after the URL": (wizard(URL + CONTINUE, later=RADIOS, after=1500), "2024"),
    "URL without words, select": (wizard(SELECT + "<p>Where?</p><input>" + CONTINUE), "2024"),
    "radios alone, Continue to be enabled": (wizard(RADIOS + CONTINUE.replace("id=on", "id=on disabled")), "2025"),
    "tiles alone": (wizard(TILES), "2025"),
    "cards alone, each with a description": (wizard(CARDS + CONTINUE), "2025"),
    "links alone": (wizard(LINKS), "2025"),
    "select alone": (wizard(SELECT + CONTINUE), "2025"),
    "choice comes late": (wizard("<h2>Choose</h2>", later=TILES, after=1500), "2025"),
    "an e-mail field beside it": (wizard(RADIOS + "<label>Your e-mail <input></label>" + CONTINUE), "2025"),
}


@pytest.mark.parametrize(("body", "edition"), cases(WIZARDS, slow={"URL below tiles", "select alone", "tiles alone"}))
def test_the_edition_is_recognised_by_what_the_wizard_asks_for_first(
    begun: Callable[[str], MigrationRun], body: str, edition: str
) -> None:
    """The URL beside the CMS, or the CMS alone, in whatever order they come and whatever else is on the page."""
    run = begun(body)
    found = until(
        run.page, lambda: next((one for one in reversed(EDITIONS) if one.is_shown and one.is_shown(run)), None)
    )
    assert found
    assert found.edition == edition


def test_what_comes_while_it_is_given_up_is_no_sign_in(
    begun: Callable[[str], MigrationRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wizard comes just after a look has ended without it: its e-mail field is not taken for one to sign in with."""
    given_up: list[Locator] = []
    by_itself: list[Stuck] = []

    def look(*wanted: Locator, **options: Any) -> Locator:
        try:
            found = first_visible(*wanted, **options)
        except Stuck as stuck:
            by_itself.append(stuck)  # on a slow machine it ends so without help
            raise
        if found.page.locator("#on").count() and not given_up:
            given_up.append(found)
            raise Stuck("not there yet")
        return found

    monkeypatch.setattr(dashboard, "first_visible", look)
    run = begun(wizard(RADIOS + "<label>Your e-mail <input></label>" + CONTINUE))
    assert given_up or by_itself
    assert run.page.get_by_label("Your e-mail").input_value() == ""


def two_views(first: str, leads_on: str) -> str:
    """A wizard of two views; the script says what leads from the first to the second."""
    return wizard(first).replace("<script>", f"<script>function next() {{ work.innerHTML = `{ON_2}`; }}{leads_on}")


LEADS_ON = {
    "a link": two_views(LINKS, ""),
    "a tile, later": two_views(
        TILES.replace("aria-checked', 'true')", "aria-checked', 'true'); setTimeout(next, 900)"), ""
    ),
    "Continue, which is disabled before": two_views(
        RADIOS + "<button id=on disabled onclick='next()'>Continue</button>",
        "document.addEventListener('change', () => { document.getElementById('on').disabled = false; });",
    ),
    "Continue, which comes then": two_views(
        RADIOS + "<p id=place></p>",
        "document.addEventListener('change', () => { place.innerHTML = '<button onclick=\"next()\">Continue</button>'; });",
    ),
    "a card with a description, and Continue": two_views(CARDS + "<button onclick='next()'>Continue</button>", ""),
    "a select and Continue": two_views(SELECT + "<button onclick='next()'>Continue</button>", ""),
}


@pytest.mark.parametrize("body", cases(LEADS_ON, slow={"a select and Continue"}))
def test_the_cms_alone_leads_to_the_view_for_the_url(begun: Callable[[str], MigrationRun], body: str) -> None:
    """By itself or by Continue; the field for the URL is the one that is filled in then."""
    dashboard = begun(body).dashboard
    assert dashboard.cms_to_choose("WordPress").is_visible()
    dashboard.choose_cms_first("WordPress")
    dashboard.website_url.fill("https://source.example")
    assert dashboard.page.locator("#work input").input_value() == "https://source.example"
    assert "#site" not in dashboard.page.url


def test_every_edition_begins_with_the_same_step() -> None:
    """Until it is recognised nothing else is done; each edition says how it is."""
    first = edition_2024.FLOW.steps[0]
    for flow in EDITIONS:
        assert flow.is_shown
        assert (flow.steps[0].says, flow.steps[0].perform) == (first.says, first.perform)
        assert len(flow.steps[0].screenshots) == len(first.screenshots)
        assert flow.steps[1].enters_from == 1
    assert edition_2025.FLOW is EDITIONS[1]
