"""Machine tokens and sites are found on the stand-in's dashboard, and on others that were made from the facts alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from flows.wordpress_migration.flow import FLOW
from flows.wordpress_migration.pages import dashboard as dashboard_page
from flows.wordpress_migration.pages import lists
from flows.wordpress_migration.pages import machine_tokens as machine_tokens_page
from flows.wordpress_migration.pages.dashboard import Dashboard
from flows.wordpress_migration.pages.machine_tokens import ListedToken, MachineTokens, _listed
from flows.wordpress_migration.settings import MigrationSettings
from runner.browser import context_options
from runner.controls import Secret, Stuck, set_default_timeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from fixtures.sandbox import Platform

PAGES = Path(__file__).parent / "dashboards"
PATIENCE = 6

GIVEN = {
    "PANTHEON_DASHBOARD_URL": "https://dashboard.example",
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "correct horse battery",
    "SOURCE_SITE_URL": "https://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "never asked for here",
    "NEW_SITE_NAME": "Larkfield",
    "PAGE_TIMEOUT": f"{PATIENCE}s",
}


def token(name: str, day: int, *, used: bool = False) -> dict[str, Any]:
    """A machine token that a dashboard lists.

    Args:
        name: Its name.
        day: When it was made, in days of 2026.
        used: Whether it has been used; the page says another time at every look.
    """
    return {"id": f"{name}-{day}", "name": name, "day": day, "used": used}


TOKENS = [token("deploy", 3, used=True), token("deploy", 40), token("deploy-live", 41, used=True), token("ci", 50)]
MINE = token("deploy", 300)


@dataclass
class Visit:
    """A dashboard that somebody works in, and what it saw."""

    dashboard: Dashboard
    audit: Page

    def set_tokens(self, tokens: list[dict[str, Any]]) -> None:
        """Have the dashboard list these."""
        self.audit.evaluate("tokens => localStorage.setItem('tokens', JSON.stringify(tokens))", tokens)

    def did(self, what: str) -> list[Any]:
        """What was done of one kind, in order."""
        said = self.audit.evaluate("JSON.parse(localStorage.getItem('did') || '[]')")
        return [value for name, value in said if name == what]


@pytest.fixture
def context(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrowserContext]:
    """A context whose pages are given little time."""
    monkeypatch.setattr(dashboard_page, "AFTER_SIGN_IN", 1.0)
    monkeypatch.setattr(machine_tokens_page, "LATE", 1.0)
    context = browser.new_context(**context_options())
    set_default_timeout(context, PATIENCE)
    yield context
    context.close()


@pytest.fixture
def visit(context: BrowserContext) -> Callable[..., Visit]:
    """Visit one of the dashboards, with these options; the account's settings may differ."""

    def open_dashboard(dashboard: str, options: dict[str, Any], **settings: str) -> Visit:
        scripts = {"/backend.js": PAGES / "backend.js", "/tokens.js": PAGES / "tokens/backend.js"}

        def answer(route: Route) -> None:
            address = urlsplit(route.request.url)
            if address.path in scripts:
                script = scripts[address.path].read_text("utf-8")
                head = f"const OPTIONS = {json.dumps(options)};\n" if address.path == "/backend.js" else ""
                route.fulfill(body=head + script, content_type="text/javascript")
            elif address.netloc in ("dashboard.example", "login.example"):
                page = "login" if address.netloc == "login.example" else f"tokens/{dashboard}"
                route.fulfill(path=PAGES / f"{page}.html", content_type="text/html")
            else:
                route.abort()

        context.route("**/*", answer)
        audit = context.new_page()
        audit.goto("https://dashboard.example/backend.js")
        of = Dashboard(context.new_page(), MigrationSettings.load({**GIVEN, **settings}), words=[FLOW.words], say=print)
        return Visit(of, audit)

    return open_dashboard


@pytest.fixture(scope="module")
def whole_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The stand-ins without WordPress, started once."""
    from fixtures.sandbox import Platform  # noqa: PLC0415 - only where the stand-ins' packages are there

    def transfer(**_: Any) -> Any:
        raise AssertionError("nothing is migrated here")

    with Platform(tmp_path_factory.mktemp("platform"), transfer) as platform:
        yield platform


@pytest.fixture
def platform(whole_platform: Platform) -> Platform:
    """The stand-ins as new, and quick."""
    whole_platform.reset()
    whole_platform.behave(delay_ms=20)
    return whole_platform


@pytest.fixture
def stand_in(context: BrowserContext, platform: Platform) -> Dashboard:
    """The stand-in's dashboard, as its first account sees it."""
    account = platform.world.account
    own = {
        "PANTHEON_DASHBOARD_URL": platform.dashboard_url,
        "PANTHEON_EMAIL": account.email,
        "PANTHEON_PASSWORD": account.password,
    }
    return Dashboard(context.new_page(), MigrationSettings.load({**GIVEN, **own}), words=[FLOW.words], say=print)


# -- the machine token that was just made ------------------------------------------------------------------------------

WITHOUT_A_DIGIT = "hbAJuwsQjjRfktivO_LBmSITbzXxiVrXYSpsjRVNBSCCm"
SHOWN = {
    "in a field": f"<label>Your Machine Token <input readonly value={WITHOUT_A_DIGIT}></label>",
    "behind an eye": f"<label>Your Machine Token <input readonly type=password value={WITHOUT_A_DIGIT}></label>",
    "by its Copy button": "<p>Your Machine Token</p>"
    f"<button onclick='navigator.clipboard.writeText(`{WITHOUT_A_DIGIT}`)'>Copy</button>",
}


@pytest.fixture
def at_token(page: Page) -> Callable[[str], Dashboard]:
    """A dashboard whose page about the machine token is this."""

    def at(html: str) -> Dashboard:
        page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=f"<body>{html}"))
        set_default_timeout(page.context, 2)
        dashboard = Dashboard(page, MigrationSettings.load(GIVEN), words=[FLOW.words], say=print)
        page.goto(GIVEN["PANTHEON_DASHBOARD_URL"])
        return dashboard

    return at


@pytest.mark.browser
@pytest.mark.parametrize("html", SHOWN.values(), ids=SHOWN.keys())
def test_a_machine_token_need_not_hold_a_digit(at_token: Callable[[str], Dashboard], html: str) -> None:
    """Where the page says that it is one: among many some hold none, and the run would end with a token made."""
    assert at_token(html).token_page.machine_token() == WITHOUT_A_DIGIT


WHOLE = "v3Nq8xTbR1mZ-kYw0cLdUe7JgPa_s5HiFo2XtCVnB4QyE"
SHORTENED = "hR4tW9pLxM2vK7nQbC1yZsE8dJgA0fUiT"
BESIDE = f"<button onclick='pressed = true; navigator.clipboard.writeText(`{WHOLE}`)'>Copy token</button>"
IN_ITS_FIELD = {
    "bound label": f"<label>Your Machine Token <input readonly value={WHOLE}></label>",
    "words before it": f"<p>B Your Machine Token</p><input readonly value={WHOLE}>",
    "text area": f"<label for=t>Machine token</label><textarea id=t readonly>{WHOLE}</textarea>",
}
COPIED = {
    "shortened": f"<label>Your Machine Token <input readonly value={SHORTENED}></label>",
    "masked": f"<label>Your Machine Token <input readonly value={WHOLE[:4]}{'•' * 41}></label>",
    "what the token is called": "<label>Machine token name <input readonly value=guided-migration-of-larkfield-2026-11-26-run-4>"
    "</label>",
    "what identifies the token": f"<label>Token ID <input readonly value={WHOLE[::-1]}></label>",
    "two of them": f"<label>Token <input readonly value={WHOLE}></label><label>Old token <input readonly value={WHOLE[::-1]}></label>",
    "a hash of it": f"<label>Token fingerprint <input readonly value={'0123456789abcdef' * 4}></label>",
    "no field": f"<p>Machine token</p><code>{WHOLE[::-1]}</code>",
}  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("html", IN_ITS_FIELD.values(), ids=IN_ITS_FIELD.keys())
def test_a_machine_token_that_its_field_shows_whole_is_read_there(
    at_token: Callable[[str], Dashboard], html: str
) -> None:
    """A button that is pressed says "Copied" for a moment, on some pages over the next picture."""
    dashboard = at_token(html + BESIDE)
    assert (dashboard.token_page.machine_token(), dashboard.page.evaluate("'pressed' in window")) == (WHOLE, False)


@pytest.mark.browser
@pytest.mark.parametrize("html", COPIED.values(), ids=COPIED.keys())
def test_a_machine_token_that_may_not_be_shown_whole_is_copied(at_token: Callable[[str], Dashboard], html: str) -> None:
    """What the page's own Copy button hands over is the machine token, whatever stands beside it."""
    assert at_token(html + BESIDE).token_page.machine_token() == WHOLE


CALLED = "wp-migration-writing-widgets-20261127"
COPY = "<button aria-label=Copy onclick='navigator.clipboard.writeText(`{0}`)'></button>"
NAMED = {
    "text": f"<dl><dt>Token name<dd><code>{CALLED}</code><dt>Machine token<dd><code>{WHOLE}</code></dl>",
    "with Copy": f"<div>Token name <code>{CALLED}</code>{COPY.format(CALLED)}</div>"
    f"<div>Machine token <code>{WHOLE}</code>{COPY.format(WHOLE)}</div>",
    "short, with Copy": f"<div><span>Token name</span> <code>widgets</code>{COPY.format('widgets')}</div>"
    f"<div><span>Machine token</span> <code>••••••••</code>{COPY.format(WHOLE)}</div>",
}


@pytest.mark.browser
@pytest.mark.parametrize("html", NAMED.values(), ids=NAMED.keys())
def test_what_a_token_is_called_is_not_the_token(at_token: Callable[[str], Dashboard], html: str) -> None:
    """It would be pasted; and the token itself, which nobody had read, would be no secret."""
    assert at_token(html).token_page.machine_token() == WHOLE


ANOTHER = "<nav><h3>Recent sites</h3><a href=#>larkfield-archive</a></nav>"
BESIDE_NAME = ["Destination site", "Pantheon Site", "Pantheon Site Name <sup>A</sup>", "Site Name <i>help_outline</i>"]


@pytest.mark.browser
@pytest.mark.parametrize("label", BESIDE_NAME)
def test_another_site_s_name_is_not_the_new_site_s(at_token: Callable[[str], Dashboard], label: str) -> None:
    """One that begins alike, and stood there before: that site would be overwritten."""
    dashboard = at_token(f"{ANOTHER}<p>{label}</p><p><code>larkfield</code></p>")
    dashboard.token_page.before = ["Recent sites", "larkfield-archive"]
    assert dashboard.token_page.site_name(Secret(WHOLE, "machine token")) == "larkfield"


@pytest.mark.browser
def test_the_site_s_name_is_the_one_in_its_field(at_token: Callable[[str], Dashboard]) -> None:
    """Also where the dashboard has made another one of it, and another site's stands in a table with such a heading."""
    table = "<table><tr><th>Site name<th>Plan<tr><td>larkfield-old<td>Basic</table>"
    field = "<label>Pantheon Site Name <input readonly value=ww-2af3></label>"
    dashboard = at_token(table + field)
    dashboard.token_page.before = ["Site name Plan", "larkfield-old Basic", "larkfield-old", "Basic"]
    assert dashboard.token_page.site_name(Secret(WHOLE, "machine token")) == "ww-2af3"


NO_TOKEN = {
    "no words beside it, and no digit": f"<code>{WITHOUT_A_DIGIT}</code>",
    "a name in small letters": "<label>Your Machine Token <input value=made-for-a-site-with-a-rather-long-name></label>",
}


@pytest.mark.browser
@pytest.mark.parametrize("html", NO_TOKEN.values(), ids=NO_TOKEN.keys())
def test_what_only_looks_like_a_machine_token_is_not_taken(at_token: Callable[[str], Dashboard], html: str) -> None:
    """It would be pasted, and refused."""
    with pytest.raises(Stuck, match="the machine token is not to be found"):
        at_token(html).token_page.machine_token()


# -- machine tokens ---------------------------------------------------------------------------------------------------


def piece(text: str, label: str = "", time: str = "", title: str = "") -> dict[str, str]:
    """A piece of a row's words, as the page object reads it.

    Args:
        text: What is shown.
        label: The heading of its column.
        time: The exact time that it stands for.
        title: What it says when the pointer rests on it.
    """
    return {"text": text, "label": label, "time": time, "title": title}


@pytest.mark.parametrize(
    ("pieces", "identity"),
    [
        pytest.param([piece("ci"), piece("Jan 3, 2026", "Created"), piece("Nov 24, 2026", "Last Used")], ("ci", "Jan 3, 2026"), id="columns"),
        pytest.param([piece("ci"), piece("Created Jan 3, 2026"), piece("Last used Nov 24, 2026")], ("ci", "Created Jan 3, 2026"), id="sentences"),
        pytest.param([piece("ci"), piece("Last used:"), piece("Nov 24, 2026"), piece("Jan 3")], ("ci", "Jan 3"), id="a label in an element of its own"),
        pytest.param([piece("ci"), piece("3 days ago", time="2026-01-03"), piece("Never used")], ("ci", "2026-01-03"), id="an exact time behind"),
        pytest.param([piece("ci"), piece("3 days ago", title="3 Jan 2026, 10:14"), piece("5m")], ("ci", "3 Jan 2026, 10:14"), id="an exact time under the pointer"),
        pytest.param([piece("12."), piece("ci"), piece("just now"), piece("3 days ago"), piece("Active")], ("ci",), id="nothing that stays but the name"),
    ],
)  # fmt: skip
def test_what_identifies_a_token(pieces: list[dict[str, str]], identity: tuple[str, ...]) -> None:
    """Of a row's words those count that another look will find again."""
    assert _listed(pieces).identity == identity


def test_made_since_counts_equal_tokens() -> None:
    """Tokens that look alike are counted, and one that has gone makes no other one new."""
    ci, deploy = ListedToken(("ci",), ("ci", "1m")), ListedToken(("deploy",), ())
    assert MachineTokens.made_since([ci, deploy], [ListedToken(("ci",), ("ci", "5m")), ci]) == [ci]
    assert MachineTokens.made_since([ci, ci, deploy], [deploy, ci]) == []


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dashboard", "options"),
    [
        pytest.param("menus", {}, id="rows with menus, dialogues that fade in"),
        pytest.param("cards", {"again": True}, id="cards, pages, a password in between"),
        pytest.param("pages", {}, id="pages of their own, a list in two parts"),
        pytest.param("modal", {}, id="settings in a dialogue, buttons under the pointer"),
    ],
)
def test_revokes_the_one_that_was_made(visit: Callable[..., Visit], dashboard: str, options: dict[str, Any]) -> None:
    """Of tokens with equal names the one that was not there before is revoked, and no other."""
    there = visit(dashboard, options)
    tokens = MachineTokens(there.dashboard)
    tokens.open()
    assert tokens.tokens() == []
    there.set_tokens(TOKENS)
    tokens.open()
    before = tokens.tokens()
    assert [one.identity[0] for one in before] == ["deploy", "deploy", "deploy-live", "ci"]
    # It may come among the others, and what is said of the others' use has changed.
    there.set_tokens([TOKENS[0], MINE, *({**one, "used": True} for one in TOKENS[1:])])
    tokens.open()
    [made] = tokens.made_since(before, tokens.tokens())
    tokens.revoke(made)
    assert there.did("revoked") == [MINE["id"]]
    assert len(there.did("re-authenticated")) == int("again" in options)
    assert not there.did("pressed")


@pytest.mark.browser
def test_what_is_said_of_a_revoked_token_is_no_refusal(visit: Callable[..., Visit]) -> None:
    """However it is written, aloud, and above a list that is empty then."""
    there = visit("menus", {"tokens": [MINE], "says": "<span role='alert'>Machine Token Revoked</span>"})
    tokens = MachineTokens(there.dashboard)
    tokens.open()
    (listed,) = tokens.tokens()
    tokens.revoke(listed)
    assert there.did("revoked") == [MINE["id"]]
    assert tokens.tokens() == []


SECTIONS = "".join(
    f"<li aria-haspopup=menu aria-expanded=false><a href=/{name} style='display: block'>{name}</a></li>"
    for name in ("home", "team", "support")
)
ELSEWHERE = {
    "/account": "<h1>Personal Settings</h1><a href=/account/tokens>Machine Tokens</a>",
    "/account/tokens": "<h1>Machine Tokens</h1><p>You have no machine tokens.</p>",
}


@pytest.mark.browser
def test_sections_of_the_navigation_are_not_visited_on_the_way(context: BrowserContext) -> None:
    """Each may be said to have a menu below it: it is a link all the same, and the account's menu is none."""
    visited = []

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        visited.append(path)
        body = ELSEWHERE.get(path, "<main><button>Migrate Existing Site</button></main>")
        menu = (
            "<header><button aria-haspopup=menu aria-label='Jo Doe' onclick='items.hidden = false'>JD</button>"
            "<div id=items role=menu hidden><a role=menuitem href=/account>Personal Settings</a></div></header>"
        )
        route.fulfill(body=f"<!doctype html>{menu}<nav><ul>{SECTIONS}</ul></nav>{body}", content_type="text/html")

    context.route("**/*", answer)
    dashboard = Dashboard(context.new_page(), MigrationSettings.load(GIVEN), words=[FLOW.words], say=print)
    tokens = MachineTokens(dashboard)
    tokens.open()
    assert tokens.tokens() == []
    assert [path for path in visited if path != "/favicon.ico"] == ["/", "/account", "/account/tokens"]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "listed", "words"),
    [
        pytest.param({"tokens": [MINE, {**MINE, "id": "twin"}]}, 2, "2 machine tokens are listed .* cannot be told apart", id="twins"),
        pytest.param({"tokens": [MINE, token("staging", 5)], "wrong": True}, 2, 'asks about the machine token "staging"', id="another one's dialogue"),
        pytest.param({"tokens": [MINE], "refuse": "This token could not be revoked."}, 1, "This token could not be revoked", id="refused"),
    ],
)  # fmt: skip
def test_revokes_none(visit: Callable[..., Visit], options: dict[str, Any], listed: int, words: str) -> None:
    """Where the token cannot be told for sure, or the dashboard refuses, none is revoked and the sentence says why."""
    there = visit("menus", options)
    tokens = MachineTokens(there.dashboard)
    tokens.open()
    there_are = tokens.tokens()
    assert len(there_are) == listed
    with pytest.raises(Stuck, match=words):
        tokens.revoke(there_are[0])
    assert not there.did("revoked")


@pytest.mark.browser
def test_a_list_that_stands_there_is_read_at_once(visit: Callable[..., Visit], monkeypatch: pytest.MonkeyPatch) -> None:
    """It has come to rest when it was opened, and a run reads it several times."""
    there = visit("modal", {"tokens": [MINE, TOKENS[0]]})
    tokens = MachineTokens(there.dashboard)
    tokens.open()
    monkeypatch.setattr(there.dashboard.rest, "reached", lambda **_: pytest.fail("waited for"))
    assert len(tokens.tokens()) == len(tokens.tokens()) == 2


SETTINGS_COME = """<h1>Workspace</h1><a href="/migrate">Migrate Existing Site</a><nav></nav><script>
    fetch('/settings').then(() => {
        document.querySelector('nav').innerHTML = '<a href="/tokens">Machine Tokens</a>';
    });
</script>"""
NO_TOKENS = "<h1>Machine Tokens</h1><p>You have no machine tokens.</p>"


@pytest.mark.browser
def test_the_way_to_the_list_may_come_late(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the dashboard has asked its server for may be the way there."""
    monkeypatch.setattr(lists, "QUIET", 0.3)

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/settings":
            page.evaluate("() => new Promise(done => setTimeout(done, 1000))")
        route.fulfill(content_type="text/html", body=NO_TOKENS if path == "/tokens" else SETTINGS_COME)

    page.route("**/*", answer)
    set_default_timeout(page.context, PATIENCE)
    tokens = MachineTokens(Dashboard(page, MigrationSettings.load(GIVEN), words=[FLOW.words], say=print))
    tokens.open()
    assert tokens.tokens() == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(
            {"markup": {"buttons": "role"}, "wording": "other", "delay_ms": 1200}, id="late", marks=pytest.mark.slow
        ),
        pytest.param(
            {"markup": {"buttons": "link"}, "session_ends": "/api/tokens", "login": "two-pages"},
            id="signed out on the way",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_revokes_on_the_stand_in(stand_in: Dashboard, platform: Platform, behaviour: dict[str, Any]) -> None:
    """On the stand-in's dashboard one of two tokens is revoked, once."""
    platform.behave(**behaviour)
    platform.world.make_token(platform.world.account, "deploy")
    tokens = MachineTokens(stand_in)
    tokens.open()
    before = tokens.tokens()
    mine = platform.world.make_token(platform.world.account, "deploy-2")
    tokens.open()
    [made] = tokens.made_since(before, tokens.tokens())
    tokens.revoke(made)
    assert [each["id"] for each in platform.audit()["tokens_revoked"]] == [mine.id]
    with pytest.raises(Stuck, match="is not listed"):
        tokens.revoke(made)


# -- sites ------------------------------------------------------------------------------------------------------------

SITES = ["shop", "blog", "larkfield-pottery", "old-larkfield", "news", "archive", "larkfield"]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize(
    ("dashboard", "options", "absent"),
    [
        pytest.param("menus", {}, "Larkfield", id="a search that repeats what it was asked for"),
        pytest.param("menus", {"deaf": True}, "ghost", id="a search that does nothing, a list of what happened"),
        pytest.param("cards", {}, "ghost", id="cards, a table of what happened"),
        pytest.param("pages", {}, "Larkfield", id="links beside the page"),
        pytest.param("modal", {}, "Larkfield", id="articles"),
    ],
)
def test_finds_a_site_by_its_whole_name(
    visit: Callable[..., Visit], dashboard: str, options: dict[str, Any], absent: str
) -> None:
    """A site counts wherever it is listed; a longer name, what happened to a site, and a search's own words do not."""
    there = visit(dashboard, {**options, "sites": SITES[:-1]}).dashboard
    there.open()
    assert not there.has_site(absent)
    there = visit(dashboard, {**options, "sites": SITES}).dashboard
    there.open()
    there.open_site("Larkfield")
    assert urlsplit(there.page.url).path == "/site/larkfield"


@pytest.mark.slow
@pytest.mark.browser
def test_finds_a_site_on_the_stand_in(stand_in: Dashboard, platform: Platform) -> None:
    """Sites are found on the workspace's page and behind Sites, in the open workspace only."""
    for number in range(6):
        account = platform.world.account
        platform.world.create_site(account, f"Meadow {number}", account.workspaces[0], "")
    stand_in.open()
    assert stand_in.has_site("meadow-5")
    assert not stand_in.has_site("Meadow")
    stand_in.open()
    assert not stand_in.has_site("Quayside Reader")
    with pytest.raises(Stuck, match='has no site "My Workspace"'):
        stand_in.open_site("My Workspace")
    stand_in.open()
    stand_in.open_site("Meadow 0")
    assert urlsplit(stand_in.page.url).path.startswith("/migrate/")
    stand_in.open()
    stand_in.open_site("Allotment Notebook")
    assert urlsplit(stand_in.page.url).path.startswith("/sites/")
