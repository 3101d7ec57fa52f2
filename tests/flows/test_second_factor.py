"""A one-time code is given to pages that ask for it as real ones do, and only where it can help."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.wp_admin import WpAdmin
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import OneTimeCodes, Secret, Stuck, control, set_default_timeout
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

SETTINGS = {
    "PANTHEON_DASHBOARD_URL": "https://dashboard.example",
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "correct horse battery",
    "PANTHEON_TOTP": "gezd gnbv gy3t qojq gezd gnbv gy3t qojq",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "another horse battery",
    "WP_ADMIN_TOTP": "gezdgnbvgy3tqojqgezdgnbvgy3tqojq",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "3s",
}
FIRST, SECOND = "287082", "359152"
"""The codes from the 30th and from the 60th second on (RFC 4226, appendix D)."""

PASSWORD = "<form action=/code><label>Email <input type=email name=e></label><input type=password name=p><button>Log in</button></form>"
WORDS = "<h1>Verify your identity</h1><p>Enter the 6-digit code of your authenticator app.</p>"
REMEMBER = "<label><input type=checkbox name=remember> Remember this device for 30 days</label>"
ONE_FIELD = (
    f"<form action=/done>{WORDS}<input name=code autocomplete=one-time-code>{REMEMBER}<button>Verify</button></form>"
)
BEHIND_SEARCH = f"<form><input placeholder='Search help'><button>Search</button></form><form action=/done>{WORDS}<p>Code</p><input name=c><button>Go on</button><a href=/>Cancel</a></form>"
SIX = "".join(f'<input class=box maxlength=1 size=1 aria-label="Digit {n}">' for n in range(1, 7))
JOIN = "[...document.querySelectorAll('.box')].map(b => b.value.slice(0, 1)).join('')"
BOXES = f'<form onsubmit="this.code.value = {JOIN}" action=/done>{WORDS}{SIX.replace("class=box", "class=box autocomplete=one-time-code", 1)}<input type=hidden name=code><button>Verify</button></form>'
HANDED_ON = f"""<div>{WORDS}{SIX.replace("class=box", "class=box type=password")}{REMEMBER}<button onclick="location.assign('/done?code=pressed')">Verify</button></div><script>
const boxes = [...document.querySelectorAll(".box")];
boxes.forEach((box, at) => box.addEventListener("keyup", (event) => {{
    if (!/^[0-9]$/.test(event.key)) return;
    (boxes[at + 1] || box).focus();
    if (boxes.every(one => one.value)) {{ boxes.forEach(one => one.disabled = true); setTimeout(() => location.assign(`/done?code=${{{JOIN}}}`), 1500); }}
}}));
</script>"""
NEITHER = f"<form action=/done>{WORDS}{SIX.replace('maxlength=1', '')}<input type=hidden name=code><button>Verify</button></form><script>document.forms[0].onsubmit = () => {{ document.forms[0].code.value = {JOIN}; }}</script>"
SENT = "<h1>Verify your identity</h1><p>We've sent an email with your code to j***@example.com</p><form action=/done><label>Enter the code <input name=code></label><button>Continue</button></form>"
APPROVE = "<h1>Check your phone</h1><p>Approve the request"
SETTINGS_PAGE = "<h1>Home</h1><p>Add an authenticator app to your account.</p><label>Find sites <input type=search></label><a href=#>Migrate Existing Site</a>"


class Provider:
    """Answers at the dashboard's and its identity provider's address as a test wants, and notes what it was sent."""

    def __init__(self, asks: str, *, accepts: str = FIRST, first: str = PASSWORD) -> None:
        self.asks = asks
        self.first = first
        self.accepts = accepts
        self.sent: list[str] = []

    def __call__(self, route: Route) -> None:
        """Answer a request."""
        path, _, query = route.request.url.partition(".example")[2].partition("?")
        given = dict(pair.partition("=")[::2] for pair in query.split("&"))
        body = {"/": self.first, "/code": self.asks, "/approve": APPROVE}.get(path, "")
        if path == "/done":
            code = given.get("code") or given.get("c", "")
            self.sent.append(f"{code}{' and remember' if 'remember' in given else ''}")
            body = SETTINGS_PAGE if code == self.accepts else f"<p>That did not match.</p>{self.asks}"
        route.fulfill(content_type="text/html; charset=utf-8", body=f"<!doctype html><title>Log in</title>{body}")


@pytest.fixture
def sign_in(page: Page) -> Callable[..., list[str]]:
    """Sign in at a provider; returns what was said. The clock goes on by half a minute with each look at it."""

    def run(provider: Provider, **settings: str) -> list[str]:
        given = MigrationSettings.load({name: value for name, value in {**SETTINGS, **settings}.items() if value})
        set_default_timeout(page.context, given.page_timeout)
        page.route("**/*", provider)
        said: list[str] = []
        dashboard = Dashboard(page, given, words=[FLOW.words], say=said.append, codes=codes(given.totp))
        page.goto("https://dashboard.example/")
        dashboard.reach(dashboard.migrate_existing_site)
        return said

    return run


def codes(secret: Secret | None) -> OneTimeCodes | None:
    """Codes by a clock that shows 45, 75, 105 seconds, and so on."""
    looks = itertools.count(45, 30)
    return OneTimeCodes(secret, keep=Secret, clock=lambda: next(looks)) if secret else None


@pytest.mark.parametrize(
    "asks", [ONE_FIELD, pytest.param(BEHIND_SEARCH, marks=pytest.mark.slow), BOXES, HANDED_ON, NEITHER]
)
def test_the_code_is_given_to(sign_in: Callable[..., list[str]], asks: str) -> None:
    """One field, one behind a search, six boxes, boxes that hand on and send by themselves, boxes without a limit."""
    provider = Provider(asks)
    assert "giving a one-time code to the sign-in" in sign_in(provider)
    assert provider.sent == [FIRST]


@pytest.mark.parametrize("asks", [ONE_FIELD, HANDED_ON])
def test_the_code_may_be_all_that_is_asked_for(sign_in: Callable[..., list[str]], asks: str) -> None:
    """A provider that knows the account already asks for no password."""
    provider = Provider(asks, first="<script>location.assign('https://login.example/code')</script>")
    assert "signing in to the dashboard" not in sign_in(provider)
    assert provider.sent == [FIRST]


@pytest.mark.parametrize("asks", [ONE_FIELD, pytest.param(HANDED_ON, marks=pytest.mark.slow)])
def test_the_next_code_is_tried_once(sign_in: Callable[..., list[str]], asks: str) -> None:
    """The first may have ended on its way; two refusals end the run, with the page's own words if they are known."""
    provider = Provider(asks, accepts=SECOND)
    sign_in(provider)
    assert provider.sent == [FIRST, SECOND]


@pytest.mark.slow
def test_two_refusals_are_enough(sign_in: Callable[..., list[str]]) -> None:
    """More could lock the account."""
    provider = Provider(BOXES, accepts="never")
    with pytest.raises(
        Stuck, match=r"did not accept 2 one-time codes made from PANTHEON_TOTP: .* this machine's clock"
    ):
        sign_in(provider)
    assert provider.sent == [FIRST, SECOND]


def test_no_tab_gives_a_code_that_another_one_has_given(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the preflight's and the one that signs in again soon after: a server takes each code once."""
    looks = itertools.chain([45, 46], itertools.count(75))
    monkeypatch.setattr("runner.one_time_codes.time", SimpleNamespace(time=lambda: next(looks)))
    run = new_run(MigrationRun, FLOW, MigrationSettings.load(SETTINGS), tmp_path)
    run.follow(FLOW)
    run.attach(page)
    provider = Provider(ONE_FIELD)
    page.context.route("**/*", provider)
    for provider.accepts, tab in ((FIRST, page), (SECOND, page.context.new_page())):
        dashboard = run.dashboard_in(tab)
        tab.goto("https://dashboard.example/")
        dashboard.reach(dashboard.migrate_existing_site)
    assert provider.sent == [FIRST, SECOND]


def test_a_code_that_was_sent_to_somebody_needs_a_person(sign_in: Callable[..., list[str]]) -> None:
    """The one of an authenticator app would be refused there: it is not tried."""
    provider = Provider(SENT)
    with pytest.raises(Stuck, match=r"has sent a code .*an email with your code.* a person has to sign in"):
        sign_in(provider)
    assert provider.sent == []


@pytest.mark.parametrize("asks", [ONE_FIELD, HANDED_ON])
def test_without_the_secret_a_person_is_needed(sign_in: Callable[..., list[str]], asks: str) -> None:
    """The sentence quotes the page, and says which setting can help."""
    with pytest.raises(
        Stuck, match=r"\(\"Enter the 6-digit code .* a person has to sign in\. .* PANTHEON_TOTP can be set"
    ):
        sign_in(Provider(asks), PANTHEON_TOTP="")


def test_a_sign_in_that_asks_for_something_else_needs_a_person(sign_in: Callable[..., list[str]]) -> None:
    """Such as an approval on a phone: the run ends with that sentence, not with a page that did not appear."""
    provider = Provider("<script>location.assign('https://login.example/approve')</script>")
    with pytest.raises(Stuck, match=r'asks for something more .*"Check your phone; Approve the request".* a person'):
        sign_in(provider)


WORDPRESS: dict[str, tuple[str, str]] = {
    "a code on the sign-in form itself": (
        "<input id=user_login name=log><input id=user_pass type=password name=pwd><input name=googleotp><input type=checkbox name=googleotp_remember>",
        f"log=admin&pwd=another+horse+battery&googleotp={FIRST}",
    ),
    "the same where the administrator has none": (
        "<input id=user_login name=log><input id=user_pass type=password name=pwd><input name=googleotp>",
        "log=admin&pwd=another+horse+battery&googleotp=",
    ),
}


@pytest.mark.parametrize(("form", "sent"), WORDPRESS.values(), ids=WORDPRESS.keys())
def test_wordpress_may_ask_on_its_sign_in_form(page: Page, form: str, sent: str) -> None:
    """The form is sent once, with the code if there is one, and without it otherwise: it may not be needed."""
    given = MigrationSettings.load({**SETTINGS, "WP_ADMIN_TOTP": SETTINGS["WP_ADMIN_TOTP"] if FIRST in sent else ""})
    set_default_timeout(page.context, given.page_timeout)
    seen: list[str] = []
    late = "event.preventDefault(); setTimeout(() => this.submit(), 400)"

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            seen.append(route.request.post_data or "")
            route.fulfill(content_type="text/html", body="<body class=wp-admin><h1>Dashboard</h1>")
        else:
            body = f"<form id=loginform method=post onsubmit='{late}'>{form}<input id=wp-submit type=submit value='Log In'></form>"
            route.fulfill(content_type="text/html", body=body)

    page.route("**/*", answer)
    page.goto("https://source.example/wp-login.php")
    said: list[str] = []
    WpAdmin(page, given, say=said.append, codes=codes(given.wp_totp)).sign_in()
    expect(page.locator("body.wp-admin")).to_be_visible()
    assert seen == [sent]
    assert not control(page, "Log In").count()
