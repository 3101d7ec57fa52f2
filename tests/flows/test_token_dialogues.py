"""Dialogues around the machine token: the token's own, the wizard's, others; and what a failure before it leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from flows.wordpress_migration.flow import EDITIONS
from flows.wordpress_migration.run import MigrationRun
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import Stuck, set_default_timeout
from runner.gate import scan
from tests.flows.test_unseen_dashboards import GIVEN
from tests.runs import new_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    Begin = Callable[..., MigrationRun]

pytestmark = pytest.mark.browser

TOKEN = "v3Nq8xTbR1mZ-kYw0cLdUe7JgPa_s5HiFo2XtCVnB4QyE"
SITE_ID = "3f2a9c1b-88d1-4f0e-9a3c-5b7d2e4f6a80"
GENERATE = "<button onclick='generate()'>Generate Machine Token</button>"
NAME_AND_TOKEN = (
    "<label>Pantheon Site Name <input readonly value=writing-widgets></label>"
    f"<label>Your Machine Token <input readonly value={TOKEN}></label>"
)
OVER_ALL = "role=dialog style='position: fixed; inset: 0; background: #fff'"


@pytest.fixture
def begin(page: Page, tmp_path: Path) -> Begin:
    """A run in step 4, on this page."""

    def at(body: str, *, edition: int = 0, path: str = "", **more: str) -> MigrationRun:
        settings = MigrationSettings.load(GIVEN | {"PAGE_TIMEOUT": "3s", "CREATION_TIMEOUT": "3s"} | more)
        run = new_run(MigrationRun, EDITIONS[edition], settings, tmp_path)
        set_default_timeout(page.context, 3)
        html = f"<!doctype html><meta charset=utf-8>{body}"
        page.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
        run.attach(page)
        run.follow(EDITIONS[edition])
        run.dashboard.page.goto(f"https://dashboard.example/{path}")
        return run

    return at


@pytest.mark.parametrize("close", ["", "<button aria-label=Close onclick='this.parentElement.remove()'>x</button>"])
def test_a_wizard_that_is_a_dialogue_is_not_closed_for_the_tokens(begin: Begin, close: str) -> None:
    """All that follows stands in it, on its next page too."""
    run = begin(
        f"<div {OVER_ALL}>{close}<div id=v>{GENERATE}</div></div><script>"
        f"const shown = `{NAME_AND_TOKEN}`;"
        "function generate() { v.innerHTML = shown + '<button onclick=next()>Continue to Migration</button>' }"
        "function next() { v.innerHTML = shown + '<a href=/wp>Go to wp-admin</a>' }</script>",
        edition=1,
    )
    run.make_machine_token()
    assert (run.machine_token.reveal(), run.facts["site_name"]) == (TOKEN, "writing-widgets")
    assert run.dashboard.to_wp_admin.is_visible()


def test_a_dialogue_with_the_token_may_come_on_the_page_that_follows(begin: Begin) -> None:
    """What led there is gone, and is not waited for once more."""
    run = begin(
        f"<div id=v>{GENERATE}</div><script>"
        "function generate() { v.innerHTML = '<button onclick=next()>Continue to Migration</button>' }"
        f"function next() {{ v.innerHTML = `<a href=/wp>Go to wp-admin</a><div {OVER_ALL}>Your machine token is shown once."
        f"{NAME_AND_TOKEN}<button onclick='this.parentElement.remove()'>Done</button></div>` }}</script>",
        edition=1,
    )
    run.make_machine_token()
    assert run.machine_token.reveal() == TOKEN
    assert run.dashboard.page.get_by_role("dialog").count() == 0


def test_code_may_be_coloured(begin: Begin) -> None:
    """The token is in parts then, each in an element of its own."""
    coloured = "".join(f"<i>{part}</i>" for part in re.split("([-_])", TOKEN))
    run = begin(
        f"<div id=v>{GENERATE}</div><script>function generate() {{ v.innerHTML = `<a href=/x>Install on /wp-admin</a>"
        "<p>Pantheon Site Name</p><p>writing-widgets</p><p>Your Machine Token</p>"
        f"<pre><code>{coloured}</code></pre>` }}</script>"
    )
    run.make_machine_token()
    assert run.machine_token.reveal() == TOKEN


def test_a_window_may_ask_for_the_password(begin: Begin) -> None:
    """It closes when it has that, and the page goes on."""
    run = begin(
        f"<div id=v>{GENERATE}</div><script>"
        "if (location.pathname === '/again') document.body.innerHTML = `<form onsubmit='opener.postMessage(p.value); window.close();"
        " return false'><label>Password <input id=p type=password></label><button>Continue</button></form>`;"
        "let given = 0; onmessage = event => { if (event.data === 'correct horse battery') { given++;"
        f" v.innerHTML = `{NAME_AND_TOKEN}<a href=/x>Install on /wp-admin</a><i>${{given}}</i>`; }} }};"
        "function generate() { open('/again', 'again', 'width=500,height=600') }</script>"
    )
    page = run.dashboard.page
    page.unroute_all()
    html = page.content()
    page.context.route("**/*", lambda route: route.fulfill(body=html, content_type="text/html"))
    run.make_machine_token()
    assert run.machine_token.reveal() == TOKEN
    assert page.locator("i").inner_text() == "1"
    assert page.context.pages == [page]


@pytest.mark.parametrize(
    "words",
    ["Machine token. It is shown once.", "Keep this token safe.", "Token: you will not be able to view it again."],
)
def test_a_dialogue_that_hides_the_token_is_no_interruption(begin: Begin, words: str) -> None:
    """Closed, it would have taken the token along."""
    run = begin(
        f"{GENERATE}<div id=v></div><script>function generate() {{ v.innerHTML = `<a href=/x>Install on /wp-admin</a>"
        f"<div {OVER_ALL}>{words}<i>••••</i><button>Reveal</button><button onclick='this.parentElement.remove()'>Done</button>"
        "</div>` }</script>"
    )
    run.dashboard.press_generate_machine_token()
    run.dashboard.page.get_by_role("button", name="Reveal").click()
    assert run.dashboard.page.get_by_role("dialog").is_visible()


DOTS = "\u2022" * 12
HIDDEN = (
    "<p>Pantheon Site Name</p><p>writing-widgets</p><p>What a machine token is <button onclick='pressed++'>Show</button></p>"
    "<p>Your Machine Token</p>{}<button onclick=next()>Continue to Migration</button><a href=/x>Install on /wp-admin</a>"
)
SCRIPT = (
    f"<div id=v>{GENERATE}</div><script>const token = '{{}}'; let pressed = 0;"
    "function generate() {{ v.innerHTML = document.querySelector('template').innerHTML }}"
    "function next() {{ v.innerHTML = '<a href=/x>Go to wp-admin</a>' }}</script><template>{}</template>"
)


@pytest.mark.parametrize("edition", [0, 1])
@pytest.mark.parametrize(
    "hidden",
    [
        f"<code id=t>{DOTS}</code><button onclick='t.textContent = token'>Show token</button>",
        f"<code id=t>{DOTS}</code><button onclick='t.textContent = token' aria-label=Reveal>Reveal</button>",
        "<code id=t>********</code><a href='#' onclick='t.innerHTML = `<input readonly value=${token}>`'>View</a>",
        f"<i id=t>{DOTS}</i><button onclick='setTimeout(() => t.textContent = token, 400)'>Show your machine token</button>",
    ],
    ids=["by its name", "beside it", "in a field", "later"],
)
def test_a_token_that_is_hidden_at_first_is_shown(begin: Begin, hidden: str, edition: int) -> None:
    """A reader who finds nothing to copy presses what shows it, and nothing else that shows something."""
    run = begin(SCRIPT.format(TOKEN, HIDDEN.format(hidden)), edition=edition)
    run.make_machine_token()
    assert (run.machine_token.reveal(), run.facts["site_name"]) == (TOKEN, "writing-widgets")
    assert run.dashboard.page.evaluate("() => pressed") == 0


def test_what_shows_something_else_than_a_hidden_token_is_not_pressed(begin: Begin) -> None:
    """In this edition the token may be shown on the next page only."""
    there = "<p>Your machine token was made.</p><button onclick='pressed++'>View token</button>"
    run = begin(
        SCRIPT.format(TOKEN, f"{there}<button onclick=next()>Continue to Migration</button>").replace(
            "<a href=/x>Go to", f"{NAME_AND_TOKEN}<a href=/x>Go to"
        ),
        edition=1,
    )
    run.make_machine_token()
    assert run.machine_token.reveal() == TOKEN
    assert run.dashboard.page.evaluate("() => pressed") == 0


@pytest.mark.parametrize(
    "odd", ["v3Nq 8xTb R1mZ kYw0 cLdU e7Jg", "v3Nq8xTbR1m.ZkYw0cLdUe7Jg.Pa5HiFo2XtC", "v3Nq8xTbR1mZ+kYw0=="]
)
def test_what_was_shown_is_a_secret_in_whatever_form(begin: Begin, odd: str) -> None:
    """It is not known for a token, and the failure's page is recorded."""
    hidden = f"<code id=t>{DOTS}</code><button onclick='t.textContent = token'>Show token</button>"
    address = "<label>Address <input readonly value=https://dev-writing-widgets.pantheonsite.io></label>"
    run = begin(SCRIPT.format(odd, HIDDEN.format(hidden + address)))
    with pytest.raises(Stuck, match="the machine token is not to be found"):
        run.make_machine_token()
    said = run.dashboard.page.inner_text("body")
    assert odd in said
    assert odd not in run.secrets.redact(said)
    assert [secret.reveal() for secret in run.secrets if "pantheonsite" in secret.reveal()] == []


def test_a_dialogue_that_was_open_before_is_not_the_tokens(begin: Begin) -> None:
    """Help speaks of machine tokens and has something to copy; the password that is asked for is given all the same."""
    run = begin(
        "<div role=dialog aria-label=Help>Sign in: <code>terminus auth:login --machine-token=TOKEN</code><button>Copy</button>"
        f"</div><div id=v>{GENERATE}</div><script>"
        "function generate() { v.innerHTML = `<form onsubmit='made(); return false'><label>Password <input type=password>"
        "</label><button>Log in</button></form>` }"
        f"function made() {{ v.innerHTML = `{NAME_AND_TOKEN}<a href=/x>Install on /wp-admin</a>` }}</script>"
    )
    run.make_machine_token()
    assert run.machine_token.reveal() == TOKEN


@pytest.mark.parametrize(
    "news",
    [
        "<h2>What's new</h2>Sign in with a passkey and never type a token again.",
        "<h2>What's new</h2>Token permissions: save time with the new API token page.",
        "<h2>Introducing the new CLI</h2>Create a token once, and use it everywhere.",
    ],
)
def test_news_that_speak_of_a_token_are_closed(begin: Begin, news: str) -> None:
    """They show none, and lie over all."""
    run = begin(
        f"<div {OVER_ALL}>{news}<button onclick='this.parentElement.remove()'>Got it</button></div>"
        "<button onclick='document.title = 1'>Migrate Existing Site</button>"
    )
    run.dashboard.migrate_existing_site.click()
    assert run.dashboard.page.title() == "1"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"sites/{SITE_ID}", f"Reference: site_{SITE_ID}_1732665"),
        (
            "sites/muellers-grosse-baeckerei-und-konditorei-am-markt",
            "Request failed for dev-muellers-grosse-baeckerei-und-konditorei-am-markt.pantheonsite.io",
        ),
        ("sites/1", "See https://docs.example.com/guides/wordpress-migration-troubleshooting-and-support"),
    ],
)
def test_what_a_failure_says_beside_no_token_is_no_secret(begin: Begin, path: str, said: str) -> None:
    """It would be taken out of facts, and the run's files be deleted for what stands in them."""
    run = begin(f"{GENERATE}<p id=t></p><script>function generate() {{ t.textContent = `{said}` }}</script>", path=path)
    run.facts["site_page"] = run.dashboard.page.url
    with pytest.raises(Stuck):
        run.make_machine_token()
    for plain in (run.facts["site_page"], "flow wordpress-migration", said):
        assert run.secrets.redact_deep(plain) == plain
    assert scan(run.folder, run.secrets) == []
