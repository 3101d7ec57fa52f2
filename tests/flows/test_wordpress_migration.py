"""The migration is performed on a real WordPress, through everything that the sandbox can put in its way."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from PIL import Image

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages import dashboard as dashboard_page
from runner.errors import StepFailed
from runner.flow import Step
from runner.visible import COVER
from tests.cases import cases
from tests.evidence import actions_in_viewer, holds_a_secret
from tests.films import frames_of_video, pictures_of_trace, share_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

    from fixtures.sandbox import Sandbox
    from flows.wordpress_migration.run import MigrationRun
    from tests.flows.conftest import Outcome

pytestmark = pytest.mark.sandbox

EACH_ONCE = {
    "sites_created": 1,
    "tokens_made": 1,
    "migrations_started": 1,
    "migrations_completed": 1,
    "confirmed": 1,
    "mails": 1,
}
NOTHING = dict.fromkeys(EACH_ONCE, 0)
NO_MIGRATION = {**NOTHING, "sites_created": 1, "tokens_made": 1}


def titles(url: str, kind: str) -> list[str]:
    """Titles of a WordPress site's posts or pages, by its own REST interface."""
    answer = httpx.get(f"{url}/", params={"rest_route": f"/wp/v2/{kind}", "per_page": 100}, timeout=30)
    return sorted(one["title"]["rendered"] for one in answer.raise_for_status().json())


def token_of(sandbox: Sandbox) -> str:
    """The one machine token that the sandbox made."""
    (token,) = sandbox.world.tokens.values()
    return token.value


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look at the clock sees it half a minute late, so that the second code need not be waited for."""
    late = iter([30.0])
    monkeypatch.setattr("runner.one_time_codes.time", SimpleNamespace(time=lambda: time.time() - next(late, 0.0)))


# -- the whole guide ----------------------------------------------------------------------------------------------


@pytest.mark.slow  # `make test` performs it whole by the command line, for the images, and as an example in TESTING.md
def test_the_whole_guide(
    migrate: Callable[..., Outcome],
    sandbox: Sandbox,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_ffmpeg: bool,
) -> None:
    """Nine steps, ten pictures, everything once, the posts on the second WordPress, the mail, and no secret anywhere.

    The trace opens in Playwright's viewer, and trace and videos show covers where the token is.
    """
    monkeypatch.setattr("runner.screenshots.SCALE", 2)
    # Long enough that its progress is seen on a busy machine.
    outcome = migrate(behaviour={"migration_seconds": 6}, trace="on", video=has_ffmpeg, report=True)
    assert outcome.error is None
    assert outcome.done == EACH_ONCE
    assert outcome.result
    assert outcome.result.steps_done == 9
    assert outcome.result.screenshots == [image for step in FLOW.steps for image in step.screenshots]
    for name in outcome.result.screenshots:
        with Image.open(outcome.run.folder / "screenshots" / name) as picture:
            assert picture.size == (2560, 1600)
            assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 50
    (site,) = [site for site in sandbox.world.sites.values() if not site.seeded]
    assert site.name == outcome.run.facts["site_name"] == "larkfield-pottery-studio"
    for kind in ("posts", "pages", "media"):
        assert titles(site.address, kind) == titles(sandbox.source_url, kind) != []
    assert sandbox.source_url not in httpx.get(site.address, timeout=30).text
    (mail,) = sandbox.mails
    assert site.name in mail.as_string()
    settings = sandbox.settings()
    token = token_of(sandbox)
    assert outcome.run.machine_token.reveal() == token
    assert holds_a_secret(outcome.run.folder, token, settings["PANTHEON_PASSWORD"], settings["WP_ADMIN_PASSWORD"]) == []
    assert any("migrating" in words and "%" in words for words in outcome.said)
    assert {path.stat().st_mode & 0o077 for path in outcome.run.folder.rglob("*")} == {0}
    check_what_was_filmed(outcome, browser)


def check_what_was_filmed(outcome: Outcome, browser: Browser) -> None:
    """Everything was kept, the covers are to be seen in trace and videos, and the viewer lists what was done."""
    assert outcome.result
    assert outcome.result.not_kept == []
    folder = outcome.run.folder
    videos = [frames_of_video(browser, folder / "videos" / name, every=0.5) for name in outcome.result.videos]
    # The dashboard's tab with the token, and the form that it is pasted into, are where nothing else is so dark.
    covered = [frames for frames in videos if max(share_of(frame, COVER, within=12) for frame in frames) > 0.005]
    assert len(covered) >= 2 or not videos
    assert max(share_of(picture, COVER, within=12) for picture in pictures_of_trace(folder / "trace.zip")) > 0.005
    actions = actions_in_viewer(browser, folder / "trace.zip")
    for act in ("Navigate", "Fill", "Click", "Screenshot"):
        assert any(listed.startswith(act) for listed in actions), act


# -- the dashboard as it may be -----------------------------------------------------------------------------------

DASHBOARDS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "1,500 elements more, radios, combobox, links, token as text, other words, cookie banner, password in a dialogue": (
        {"PANTHEON_WORKSPACE": "Quayside Press"},
        {
            "markup": {"cms": "radios", "workspace": "combobox", "buttons": "link", "token": "text"},
            "wording": "other",
            "crowd": 150,
            "login": "two-pages",
            "cookie_banner": True,
            "reauthenticate": "dialogue",
        },
    ),
    "list, listbox button, roles, masked token, what's-new dialogue, password asked on a page": (
        {"PANTHEON_WORKSPACE": "Fernhill Studio"},
        {
            "markup": {"cms": "list", "workspace": "listbox-button", "buttons": "role", "token": "masked-with-copy"},
            "start_workspace": "Quayside Press",
            "login_host": "dashboard",
            "whats_new": 300,
            "reauthenticate": "page",
        },
    ),
    "listbox, select, copy-only token, workspace confirmed, button pressed again after the password": (
        {"PANTHEON_WORKSPACE": "Fernhill Studio"},
        {
            "markup": {"cms": "listbox", "token": "copy-only"},
            "confirm_workspace": True,
            "login": "two-pages",
            "login_host": "dashboard",
            "reauthenticate": "page-again",
        },
    ),
    "tiles, combobox, other words, personal workspace from a professional one, slow": (
        {"PANTHEON_WORKSPACE": "My Workspace"},
        {
            "markup": {"workspace": "combobox"},
            "start_workspace": "Fernhill Studio",
            "wording": "other",
            "slow_ms": 400,
            "delay_ms": 1200,
        },
    ),
    "cookie banner at once, what's-new dialogue over the wizard": ({}, {"cookie_banner": True, "whats_new": 2500}),
    "one 500 for the page": ({}, {"fail_once": "/"}),
    "one 500 for the data": ({}, {"fail_once": "/api/"}),
    "session ends at the site's creation": ({}, {"session_ends": "/api/sites"}),
    "session ends at the token": ({}, {"session_ends": "/api/tokens"}),
}


@pytest.mark.parametrize(
    ("settings", "behaviour"),
    cases(
        DASHBOARDS,
        slow={
            "tiles, combobox, other words, personal workspace from a professional one, slow",
            "cookie banner at once, what's-new dialogue over the wizard",
            "one 500 for the page",
            "session ends at the token",
            "session ends at the site's creation",
            "list, listbox button, roles, masked token, what's-new dialogue, password asked on a page",
            "listbox, select, copy-only token, workspace confirmed, button pressed again after the password",
            "one 500 for the data",
        },
    ),
)
def test_the_dashboard_may_be_built_and_behave_otherwise(
    migrate: Callable[..., Outcome], sandbox: Sandbox, settings: dict[str, str], behaviour: dict[str, Any]
) -> None:
    """One site in the wanted workspace, one token, which is the one that was read, and the site's name as shown."""
    outcome = migrate(settings, behaviour, until=5)
    assert outcome.error is None
    assert outcome.done == NO_MIGRATION
    (site,) = outcome.audit["sites_created"]
    assert site["name"] == outcome.run.facts["site_name"] == "larkfield-pottery-studio"
    first = behaviour.get("start_workspace", "My Workspace")
    assert site["workspace"] == settings.get("PANTHEON_WORKSPACE", first)
    assert outcome.run.machine_token.reveal() == token_of(sandbox)
    assert outcome.run.wp_admin.page.url.startswith(sandbox.source_url)
    assert not sandbox.world.behaviour.fail_once, "the 500 never happened"
    assert not sandbox.world.behaviour.session_ends, "the session never ended"


REFUSED: dict[str, tuple[dict[str, str], dict[str, Any], int, str, dict[str, int]]] = {
    "wrong password": ({"PANTHEON_PASSWORD": "not-it-at-all"}, {}, 1, "refused the sign-in", NOTHING),
    "every password refused, two pages": (
        {},
        {"reject_login": True, "login": "two-pages"},
        1,
        "refused the sign-in",
        NOTHING,
    ),
    "no password, and nothing is kept": (
        {"PANTHEON_PASSWORD": "login"},
        {},
        1,
        'a person has to run "guiderunner login dashboard"',
        NOTHING,
    ),
    "second factor of somebody else": (
        {"PANTHEON_TOTP": "MFZWIZTHNBVGWYLTMRTGO2DK"},
        {"second_factor": True},
        1,
        'did not accept 2 one-time codes made from PANTHEON_TOTP: "This code is not right or has expired"',
        NOTHING,
    ),
    "name too long, said in words like no other refusal": (
        {"NEW_SITE_NAME": "long " * 20, "PAGE_TIMEOUT": "6s"},
        {},
        3,
        "nothing came of pressing it; the page says: Use 51 characters or fewer",
        NOTHING,
    ),
    "workspace that is not there": (
        {"PANTHEON_WORKSPACE": "Nowhere Ltd", "PAGE_TIMEOUT": "6s"},
        {},
        3,
        '"Nowhere Ltd" is not offered; offered are: .*"Fernhill Studio", "Quayside Press"',
        NOTHING,
    ),
}


@pytest.mark.parametrize(
    ("settings", "behaviour", "step", "sentence", "done"),
    cases(
        REFUSED,
        slow={
            "every password refused, two pages",
            "second factor of somebody else",
            "workspace that is not there",
            "name too long, said in words like no other refusal",
        },
    ),
)
def test_a_refusal_of_the_dashboard_is_said(
    migrate: Callable[..., Outcome],
    settings: dict[str, str],
    behaviour: dict[str, Any],
    step: int,
    sentence: str,
    done: dict[str, int],
) -> None:
    """In the dashboard's own words, at once, and without a second try that could lock the account."""
    outcome = migrate(settings, behaviour, until=5)
    with pytest.raises(StepFailed, match=sentence) as caught:
        raise outcome.error or AssertionError("the run did not fail")
    assert caught.value.failure.step == step
    assert caught.value.failure.says == FLOW.steps[step - 1].words
    assert caught.value.failure.needs_person == (step == 1)
    assert caught.value.failure.screenshot
    assert outcome.done == done
    assert outcome.audit["wrong_password"] <= 1


def test_what_a_person_has_signed_in_to_is_used(
    migrate: Callable[..., Outcome], sandbox: Sandbox, browser: Browser
) -> None:
    """The state of a browser in which somebody signed in by hand: no password is needed, and its cookies stay secret."""
    account = sandbox.world.account
    (login, _) = FLOW.logins(FLOW.settings.load(sandbox.settings()))
    context = browser.new_context()
    page = context.new_page()
    page.goto(login.address)
    assert not login.signed_in(page)
    page.get_by_label("Email address").fill(account.email)
    page.get_by_label("Password", exact=True).fill(account.password)
    page.get_by_label("Password", exact=True).press("Enter")
    page.get_by_text("Migrate Existing Site").wait_for()
    assert login.signed_in(page)
    state = context.storage_state()
    context.close()
    outcome = migrate({"PANTHEON_PASSWORD": "login"}, until=3, signed_in=state, trace="on")
    assert outcome.error is None
    assert outcome.done == {**NOTHING, "sites_created": 1}
    assert outcome.audit["sign_ins"] == 1
    session = next(cookie["value"] for cookie in state["cookies"] if "dashboard" in cookie["name"])
    assert holds_a_secret(outcome.run.folder, session) == []


@pytest.mark.slow  # the fault early-confirm is one of those that `make test` brings about
def test_a_confirmation_that_comes_too_early_is_tried_again(
    migrate: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the dashboard says that the migration is not complete, the flow waits, says so, and gives up in the end."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 0.5)
    monkeypatch.setattr(dashboard_page, "CONFIRM_AT_MOST", 2)

    def confirm(run: MigrationRun) -> None:
        """Confirm without having migrated."""
        run.switch_to(run.dashboard.page)
        run.dashboard.press_confirm_migration_progress(run.facts["site_page"], run.facts["site_name"])

    monkeypatch.setattr(FLOW, "steps", [*FLOW.steps[:5], Step(6, (), (), (), confirm)])
    outcome = migrate()
    assert isinstance(outcome.error, StepFailed)
    assert "still does not confirm after 2 tries" in str(outcome.error)
    assert [words for words in outcome.said if "confirming again" in words]
    assert len(outcome.audit["confirmed_too_early"]) == 2
    assert outcome.audit["confirmed"] == []


# -- WordPress and the plugin as they may be ----------------------------------------------------------------------

SOURCES: dict[str, dict[str, Any]] = {
    "behind basic auth": {"basic_auth": ("visitor", "open sesame")},
    "plugin installed, on a later page of results": {"plugin": "installed", "plugin_page": 3},
    "plugin active and outdated, the administrator's e-mail address asked for": {
        "plugin": "outdated",
        "email_check": True,
    },
    "plugin inactive and outdated, classic pages": {"plugin": "outdated-inactive", "install": "classic"},
    "classic installation, no redirect": {"install": "classic", "activation_redirect": False},
    "in German, activated in the background": {"activation": "ajax", "activation_redirect": False, "language": "de_DE"},
    "plugin active and not in the directory": {"plugin": "active", "in_directory": False},
    "plugin installed, no changes of files allowed": {"plugin": "installed", "file_mods": False},
}


@pytest.mark.parametrize(
    "source",
    cases(
        SOURCES,
        slow={
            "behind basic auth",
            "plugin active and outdated, the administrator's e-mail address asked for",
            "plugin active and not in the directory",
            "plugin inactive and outdated, classic pages",
            "in German, activated in the background",
            "classic installation, no redirect",
            "plugin installed, on a later page of results",
        },
    ),
)
def test_wordpress_and_the_plugin_may_be_otherwise(migrate: Callable[..., Outcome], source: dict[str, Any]) -> None:
    """The migration completes, everything once."""
    whole = "basic_auth" in source
    outcome = migrate(source=source, behaviour={"migration_seconds": 0.5}, only_in_second_tab=not whole)
    assert outcome.error is None
    assert outcome.done == EACH_ONCE | ({} if whole else {"confirmed": 0})


@pytest.mark.slow
def test_a_second_factor_is_given_wherever_it_is_asked_for(
    migrate: Callable[..., Outcome], sandbox: Sandbox, clock: None
) -> None:
    """By the dashboard, again before the machine token, and by WordPress; codes and secrets are nowhere."""
    outcome = migrate(
        behaviour={"second_factor": True, "reauthenticate": "page"}, source={"second_factor": True}, until=6, trace="on"
    )
    assert outcome.error is None
    assert outcome.done == NO_MIGRATION
    assert outcome.audit["reauthenticated"] == 1
    codes = [secret.reveal() for secret in outcome.run.secrets if secret.name.startswith("one-time code")]
    assert len(codes) == len(set(codes)) == 3
    secrets = (sandbox.world.account.totp, sandbox.settings()["WP_ADMIN_TOTP"])
    assert holds_a_secret(outcome.run.folder, *codes, *secrets) == []
    assert [words for words in outcome.said if "one-time code" in words] == [
        "giving a one-time code to the sign-in",
        "giving a one-time code to the sign-in",
        "giving a one-time code to WordPress",
    ]


STUCK_SOURCES: dict[str, tuple[dict[str, str], dict[str, Any], int, str]] = {
    "no changes of files allowed": ({}, {"file_mods": False}, 6, "you are not allowed to access this page"),
    "basic auth that is not set": (
        {"SOURCE_BASIC_AUTH": "", "PAGE_TIMEOUT": "6s"},
        {"basic_auth": ("visitor", "open sesame")},
        5,
        "set SOURCE_BASIC_AUTH",
    ),
}


@pytest.mark.parametrize(
    ("settings", "source", "step", "sentence"), cases(STUCK_SOURCES, slow={"no changes of files allowed"})
)
def test_where_a_reader_would_be_stuck_without_a_preflight(
    migrate: Callable[..., Outcome], settings: dict[str, str], source: dict[str, Any], step: int, sentence: str
) -> None:
    """The run stops there, with a sentence, a picture, and no migration."""
    outcome = migrate(settings, source=source, only_in_second_tab=step > 5)
    with pytest.raises(StepFailed, match=sentence) as caught:
        raise outcome.error or AssertionError("the run did not fail")
    assert caught.value.failure.step == step
    assert caught.value.failure.screenshot
    assert outcome.done == NO_MIGRATION


# -- the migration as it may go -----------------------------------------------------------------------------------

FAILURES: dict[str, tuple[dict[str, Any], str]] = {
    "source refused, back at the plugin": (
        {"refuse": "source", "refuse_on": "plugin"},
        "did not accept the existing site",
    ),
    "multisite refused on the service's page": (
        {"refuse": "multisite"},
        "Multisite Not Supported: WordPress multisite",
    ),
    "destination not found while validating": (
        {"destination_error": "Destination Site Not Found"},
        "Migration failed: Destination Site Not Found",
    ),
}


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    cases(
        FAILURES,
        slow={
            "source refused, back at the plugin",
            "multisite refused on the service's page",
            "destination not found while validating",
        },
    ),
)
def test_a_migration_that_fails_is_said_with_its_reason(
    migrate: Callable[..., Outcome], sandbox: Sandbox, behaviour: dict[str, Any], sentence: str
) -> None:
    """In the service's own words; nothing is confirmed, and the token is nowhere although it was on the page."""
    trace = "on" if behaviour.get("refuse_on") == "plugin" else "off"
    outcome = migrate(behaviour=behaviour, trace=trace, only_in_second_tab=True)
    with pytest.raises(StepFailed, match=sentence) as caught:
        raise outcome.error or AssertionError("the run did not fail")
    assert caught.value.failure.step == 8
    assert outcome.audit["confirmed"] == []
    assert outcome.done["sites_created"] == outcome.done["tokens_made"] == 1
    assert holds_a_secret(outcome.run.folder, token_of(sandbox)) == []
    assert token_of(sandbox) not in str(caught.value)


@pytest.mark.slow
def test_a_token_that_cannot_be_pasted_is_nowhere(
    migrate: Callable[..., Outcome], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form loses its field while the token is being filled in: Playwright's error tells the value, ours does not."""
    from flows.wordpress_migration.pages.migration_form import MigrationForm  # noqa: PLC0415 - patched here only

    def gone(form: MigrationForm) -> Any:
        return form._page.locator("#no-such-field")  # noqa: SLF001 - the test takes the field away

    monkeypatch.setattr(MigrationForm, "machine_token", property(gone))
    outcome = migrate({"PAGE_TIMEOUT": "5s"}, trace="on", only_in_second_tab=True)
    token = token_of(sandbox)
    assert isinstance(outcome.error, StepFailed)
    assert outcome.error.failure.step == 8
    assert token not in str(outcome.error)
    assert holds_a_secret(outcome.run.folder, token) == []
    recorded = json.loads((outcome.run.folder / "result.json").read_text())
    assert recorded["state"] == "failed"
    assert outcome.done == NO_MIGRATION
