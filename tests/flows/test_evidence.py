"""Whatever goes wrong, and whenever: what is left behind holds no secret, in no form, and in no picture."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.wp_admin import WpAdmin
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import set_default_timeout
from runner.errors import NeedsPerson, StepFailed, Stuck
from tests.cases import cases
from tests.evidence import holds_a_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

    from fixtures.sandbox import Sandbox
    from flows.wordpress_migration.run import MigrationRun
    from runner.flow import Step
    from tests.flows.conftest import Outcome

pytestmark = pytest.mark.sandbox


def performed_and_then_failed(step: Step[MigrationRun]) -> Callable[[MigrationRun], None]:
    """The step, which fails when it has done all that it does, with everything that it shows still there."""

    def perform(run: MigrationRun, act: Callable[[MigrationRun], None] = step.perform) -> None:
        """Perform it and fail."""
        act(run)
        token = run._token.reveal() if run._token else ""  # noqa: SLF001 - a mistake in a flow may put anything into a message
        raise Stuck(
            f"something is not as it should be: {token} {run.settings.password and run.settings.password.reveal()}"
        )

    return perform


PASTES_TOKEN = FLOW.steps[7]
"""The one that `make test` has fail; what came before it is left out, since videos of all of it take their time."""

EACH = cases({f"step {step.number}": step for step in FLOW.steps}, slow={"step 1", "step 2", "step 3", "step 4", "step 5", "step 6", "step 7", "step 9"})  # fmt: skip


@pytest.mark.parametrize("step", EACH)
def test_a_failure_leaves_no_secret(
    migrate: Callable[..., Outcome], sandbox: Sandbox, step: Step[MigrationRun], *, has_ffmpeg: bool
) -> None:
    """With trace and videos on, a step fails with secrets in its very message, on a page that shows the token.

    Every other step has a trace as it is kept by default, without a film strip.
    """
    with patch.object(step, "perform", performed_and_then_failed(step)):
        second_tab = step is PASTES_TOKEN
        trace = "on" if step.number % 2 == 0 else "retain-on-failure"
        outcome = migrate(trace=trace, video=has_ffmpeg, report=True, only_in_second_tab=second_tab)
    assert isinstance(outcome.error, StepFailed)
    settings = sandbox.settings()
    secrets = [
        settings["PANTHEON_PASSWORD"],
        settings["WP_ADMIN_PASSWORD"],
        *(t.value for t in sandbox.world.tokens.values()),
    ]
    folder = outcome.run.folder
    assert not any(secret in str(outcome.error) for secret in secrets)
    assert holds_a_secret(folder, *secrets) == []
    assert (folder / "trace.zip").is_file()
    assert bool(list(folder.glob("videos/*.webm"))) == has_ffmpeg
    assert outcome.error.failure.screenshot
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "something is not as it should be: " in report
    assert "[PANTHEON_PASSWORD]" in report


# -- where credentials are typed ----------------------------------------------------------------------------------

SIGN_IN = (
    "<form action=/in method=post><label>Email address <input name=username type=email></label>"
    "<label>Password <input name=password type=password></label><button>Continue</button></form>"
)
SIGNED_IN = "<h1>Workspace Overview</h1><button>Migrate Existing Site</button>"
SETTINGS = {
    "PANTHEON_DASHBOARD_URL": "https://dashboard.hosting.net",
    "PANTHEON_EMAIL": "robin@larkfield.example",
    "PANTHEON_PASSWORD": "correct-horse-battery",
    "SOURCE_SITE_URL": "https://www.larkfield.net",
    "WP_ADMIN_USERNAME": "robin",
    "WP_ADMIN_PASSWORD": "another-horse-battery",
    "NEW_SITE_NAME": "larkfield",
    "PAGE_TIMEOUT": "5s",
}


@pytest.fixture
def dashboard(page: Page) -> Callable[..., tuple[Dashboard, list[str]]]:
    """A dashboard that sends who is not signed in to a sign-in elsewhere; returns it, and what was sent there."""

    def at(sign_in: str, **settings: str) -> tuple[Dashboard, list[str]]:
        sent: list[str] = []

        def answer(route: Route) -> None:
            request = route.request
            if request.post_data:
                sent.append(request.post_data)
                route.fulfill(status=303, headers={"location": "https://dashboard.hosting.net/?in"})
            elif request.url == "https://dashboard.hosting.net/":
                route.fulfill(content_type="text/html", body=f"<script>location = '{sign_in}'</script>")
            else:
                route.fulfill(content_type="text/html", body=SIGNED_IN if request.url.endswith("?in") else SIGN_IN)

        page.route("**/*", answer)
        given = MigrationSettings.load({**SETTINGS, **settings})
        set_default_timeout(page.context, given.page_timeout)
        return Dashboard(page, given, words=[FLOW.words], say=lambda _: None), sent

    return at


@pytest.mark.parametrize(
    ("sign_in", "settings"),
    [
        ("https://dashboard.hosting.net/login", {}),
        ("https://login.hosting.net/u/login?state=1", {}),
        ("https://hosting.eu.auth0.com/u/login", {"PANTHEON_SIGN_IN_HOSTS": "sso.example.com, hosting.eu.auth0.com"}),
    ],
)
def test_the_password_goes_to_the_dashboard_and_its_provider(
    dashboard: Callable[..., tuple[Dashboard, list[str]]], sign_in: str, settings: dict[str, str]
) -> None:
    """The dashboard's own host, one of its domain, or one that is named."""
    there, sent = dashboard(sign_in, **settings)
    there.open()
    assert len(sent) == 1
    assert "correct-horse-battery" in sent[0]


@pytest.mark.parametrize(
    "sign_in",
    [
        "https://dashboard.hosting.net.evil.com/login",
        "https://hosting.eu.auth0.com/u/login",
        "https://evil-hosting.net/",
    ],
)
def test_elsewhere_nothing_is_typed(dashboard: Callable[..., tuple[Dashboard, list[str]]], sign_in: str) -> None:
    """A redirect to a look-alike ends the run before a field is touched, and says where it led and what can be done."""
    there, sent = dashboard(sign_in)
    with pytest.raises(NeedsPerson, match=r"led to a sign-in at .*nothing was typed there.*PANTHEON_SIGN_IN_HOSTS"):
        there.open()
    assert sent == []
    assert [field.input_value() for field in there.page.locator("input").all()] == ["", ""]


def test_an_unencrypted_sign_in_gets_nothing(dashboard: Callable[..., tuple[Dashboard, list[str]]]) -> None:
    """An encrypted dashboard's password is not typed into a page that is not."""
    there, sent = dashboard("http://login.hosting.net/")
    with pytest.raises(Stuck, match="not encrypted"):
        there.open()
    assert sent == []


def test_an_unencrypted_page_of_the_existing_site_gets_nothing(page: Page) -> None:
    """An encrypted site that leads to a page that is not."""
    form = "<form id=loginform><input id=user_login><input id=user_pass type=password></form>"
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=form))
    page.goto("http://www.larkfield.net/wp-login.php")
    with pytest.raises(Stuck, match="not encrypted"):
        WpAdmin(page, MigrationSettings.load(SETTINGS), say=lambda _: None).sign_in()
    assert page.locator("#user_pass").input_value() == ""


def test_wordpress_s_password_goes_to_the_existing_site_only(page: Page) -> None:
    """A sign-in form that looks like WordPress's on another host gets nothing."""
    form = "<form id=loginform><input id=user_login><input id=user_pass type=password><input type=submit id=wp-submit></form>"
    page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=form))
    given = MigrationSettings.load(SETTINGS)
    wp_admin = WpAdmin(page, given, say=lambda _: None)
    page.set_default_timeout(500)
    page.goto("https://www.larkfield.net.evil.com/wp-login.php")
    with pytest.raises(Stuck, match=r"not on SOURCE_SITE_URL's host larkfield.net, so nothing was typed there. If .*"):
        wp_admin.sign_in()
    with pytest.raises(Stuck, match=r"not on SOURCE_SITE_URL's host larkfield.net. If .* begin another run"):
        wp_admin.check_arrival()
    assert [field.input_value() for field in page.locator("#user_login, #user_pass").all()] == ["", ""]
