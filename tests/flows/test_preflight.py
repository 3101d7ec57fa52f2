"""What is checked before anything is created: the new name, the address, the existing site, its administrator."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, create_autospec
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from flows.wordpress_migration.migration import check_workspace
from flows.wordpress_migration.pages import source as source_page
from flows.wordpress_migration.pages.source import Source
from flows.wordpress_migration.pages.wp_admin import WpAdmin
from flows.wordpress_migration.settings import MigrationSettings
from runner.controls import default_timeout, set_default_timeout
from runner.errors import Stuck, WrongSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from playwright.sync_api import Browser, Route

    from fixtures.sandbox import Sandbox

SETTINGS = {
    "PANTHEON_EMAIL": "jo@example.com",
    "PANTHEON_PASSWORD": "never asked for here",
    "SOURCE_SITE_URL": "http://source.example",
    "WP_ADMIN_USERNAME": "admin",
    "WP_ADMIN_PASSWORD": "never asked for here either",
    "NEW_SITE_NAME": "Writing Widgets",
    "PAGE_TIMEOUT": "2s",
}


def settings(**changes: str) -> MigrationSettings:
    """The settings with these changes, by their names in the environment."""
    return MigrationSettings.load({**SETTINGS, **changes})


def unopened(**changes: str) -> Source:
    """A source that has no browser: any use of its tab beyond listening fails the test."""
    page = create_autospec(Page, instance=True, spec_set=True)
    return Source(page, create_autospec(WpAdmin, instance=True), settings(**changes), say=lambda _: None)


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every name be at these addresses; none: it cannot be resolved. No proxy is set."""
    for name in source_page.PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def answer(*addresses: str) -> None:
        def getaddrinfo(host: str, port: None, **_: Any) -> list[Any]:
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return answer


# -- the new name -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Writing Widgets", "7", "été & fils", "--a--", "x" * 51, f"  {'x' * 51}!"])
def test_a_name_that_a_site_can_have(name: str) -> None:
    """One letter or digit is enough, fifty-one characters are not too many."""
    unopened(NEW_SITE_NAME=name).check_name()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("???", "no letter from a to z"),
        ("陶器", "no letter from a to z"),
        ("x" * 52, "52 characters; Pantheon allows 51"),
    ],
)
def test_a_name_that_no_site_can_have(name: str, sentence: str) -> None:
    """The setting is named, and what is wrong with it."""
    with pytest.raises(Stuck, match=f'NEW_SITE_NAME "{name.replace("?", r".")}" .*{sentence}'):
        unopened(NEW_SITE_NAME=name).check_name()


# -- the address --------------------------------------------------------------------------------------------------

LOCAL = {
    "loopback": ["127.0.0.1"],
    "loopback, IPv6": ["::1"],
    "loopback, IPv4 in IPv6": ["::ffff:127.0.0.1"],
    "private": ["10.1.2.3", "192.168.1.10", "172.16.0.1"],
    "private, IPv6": ["fd00::12"],
    "link-local": ["169.254.10.1", "fe80::1%2"],
    "reserved": ["240.0.0.1"],
    "unspecified": ["0.0.0.0"],  # noqa: S104 - an answer of DNS, bound to by nobody
}


@pytest.mark.parametrize("addresses", LOCAL.values(), ids=LOCAL.keys())
def test_a_local_address_is_refused(dns: Callable[..., None], addresses: list[str]) -> None:
    """The sentence names host and address, and how to allow it in a test environment."""
    dns(*addresses)
    with pytest.raises(Stuck, match=rf"source\.example is at .*{addresses[0]}.*ALLOW_LOCAL_SOURCE=1"):
        unopened().check_address()
    unopened(ALLOW_LOCAL_SOURCE="1").check_address()


@pytest.mark.parametrize(
    "addresses",
    [["93.184.215.14"], ["2606:4700::6810:84e5"], ["10.0.0.7", "8.8.8.8"], ["198.18.0.9"], ["::ffff:8.8.8.8"]],
)
def test_a_public_address_passes(dns: Callable[..., None], addresses: list[str]) -> None:
    """One public address among others is enough, and a VPN's stand-in for a real one is not taken for private."""
    dns(*addresses)
    unopened().check_address()


@pytest.mark.parametrize("host", ["localhost", "shop.localhost", "site.local", "my.test", "wiki.internal", "x.invalid"])
def test_a_name_for_local_use_is_refused_without_asking_anybody(dns: Callable[..., None], host: str) -> None:
    """Whatever a resolver says of it; a name that only ends alike is no such name."""
    dns("8.8.8.8")
    with pytest.raises(Stuck, match=f"{host} is a name for local use"):
        unopened(SOURCE_SITE_URL=f"http://{host}:8080/blog").check_address()
    unopened(SOURCE_SITE_URL=f"https://{host.replace('.', '-')}.example").check_address()


def test_an_unknown_name_is_left_to_the_browser_behind_a_proxy(
    dns: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without one it has a sentence of its own."""
    dns()
    with pytest.raises(Stuck, match=r"source\.example cannot be resolved \(Name or service not known\)"):
        unopened().check_address()
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    unopened().check_address()


def test_wordpress_com_is_refused_by_its_name(dns: Callable[..., None]) -> None:
    """Also where local addresses are allowed; a host with the word in it is another one."""
    dns("8.8.8.8")
    with pytest.raises(Stuck, match=r"hosted by WordPress\.com"):
        unopened(SOURCE_SITE_URL="https://jo.wordpress.com", ALLOW_LOCAL_SOURCE="1").check_address()
    unopened(SOURCE_SITE_URL="https://notwordpress.com").check_address()


def test_what_needs_no_browser_is_said_together(dns: Callable[..., None]) -> None:
    """Name and address are wrong: one sentence names both, and the tab was not used."""
    dns("127.0.0.1")
    with pytest.raises(Stuck, match=r"NEW_SITE_NAME .*; SOURCE_SITE_URL: source\.example is at 127\.0\.0\.1"):
        unopened(NEW_SITE_NAME="?").check()


def test_local_addresses_are_allowed_by_a_clear_word_only() -> None:
    """A word that is neither yes nor no is said with the setting's name, and no setting means no."""
    with pytest.raises(WrongSettings, match='ALLOW_LOCAL_SOURCE: "maybe" is neither yes nor no'):
        settings(ALLOW_LOCAL_SOURCE="maybe")
    assert settings().allow_local_source is False


# -- oddly built sites --------------------------------------------------------------------------------------------

Answer = dict[str, Any]
LOGIN = "<form id=loginform><input id=user_login><input id=user_pass type=password><button id=wp-submit>Log In</button></form>"
WORDPRESS = (
    "<link rel='https://api.w.org/' href='/wp-json/'><link rel=EditURI href='/xmlrpc.php?rsd'>"
    "<script src='/wp-includes/js/x.js'></script><h1>Widgets</h1>"
)


def page_of(html: str, status: int = 200, **headers: str) -> Answer:
    """An answer with this page; headers with _ for -."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"status": status, "body": f"<!doctype html>{html}", "headers": {"content-type": "text/html", **sent}}


def leads_to(url: str) -> Answer:
    """An answer that redirects."""
    return {"status": 302, "headers": {"location": url}, "body": ""}


GONE = page_of("<h1>Not found</h1>", 404)
SIGN_IN = page_of(LOGIN)


class Internet(ThreadingHTTPServer):
    """All hosts of a test at once: a proxy that answers itself, by method, host and path; else with 404."""

    answers: Mapping[str, Answer | list[Answer]]

    def answer(self, method: str, url: str) -> Answer:
        """What is answered: of several the next, and the last of them for ever."""
        parts = urlsplit(url)
        where = parts.path if parts.netloc == "source.example" else f"//{parts.netloc}{parts.path}"
        asked = f"{method} {where}?" if parts.query else f"{method} {where}"
        given = next((self.answers[key] for key in (asked, f"{method} {where}", where) if key in self.answers), GONE)
        return (given.pop(0) if len(given) > 1 else given[0]) if isinstance(given, list) else given


class Answering(BaseHTTPRequestHandler):
    """Sends what the internet of the test answers."""

    server: Internet

    def do_GET(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answer(self.command, self.path)
        body = str(answer["body"]).encode()
        self.send_response(answer["status"])
        for name, value in {**answer["headers"], "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the name that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is inherited
        """Say nothing."""


@pytest.fixture
def internet() -> Iterator[Internet]:
    """An internet without a site, until a test says what is answered."""
    with Internet(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def tab(browser: Browser, internet: Internet) -> Iterator[Page]:
    """A tab that reaches that internet only."""
    before = default_timeout()
    context = browser.new_context(proxy={"server": f"http://127.0.0.1:{internet.server_port}"})
    yield context.new_page()
    set_default_timeout(context, before)
    context.close()


@pytest.fixture
def look(tab: Page, internet: Internet) -> Callable[..., list[str]]:
    """Check a site that answers like this, by method and path, in so many seconds for a page; returns what was said."""

    def run(answers: Mapping[str, Answer | list[Answer]], seconds: float) -> list[str]:
        # Lists are used up.
        internet.answers = {key: list(value) if isinstance(value, list) else value for key, value in answers.items()}
        set_default_timeout(tab.context, seconds)
        said: list[str] = []
        chosen = settings(PAGE_TIMEOUT=f"{seconds}s")
        Source(tab, WpAdmin(tab, chosen, say=said.append), chosen, say=said.append).check_site()
        return said

    return run


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at once."""
    monkeypatch.setattr(source_page, "TROUBLE_PAUSE", 0.1)
    monkeypatch.setattr(source_page, "ELSEWHERE", 0.3)


PASSES = {
    "a usual one": {"/": page_of(WORDPRESS), "/wp-admin/": SIGN_IN},
    "no sign at its front page": {"/": page_of("<h1>Widgets</h1>"), "/wp-admin/": SIGN_IN},
    "no front page at all": {"/": GONE, "POST /": page_of("", 403), "/wp-admin/": SIGN_IN},
    "a front page in a language": {"/": leads_to("/en/"), "/en/": page_of(WORDPRESS), "/wp-admin/": SIGN_IN},
    "at www": {
        "/": leads_to("http://www.source.example/"),
        "//www.source.example/": page_of(WORDPRESS),
        "/wp-admin/": leads_to("http://www.source.example/wp-login.php"),
        "//www.source.example/wp-login.php": SIGN_IN,
    },
    "a front page at another host of its own": {
        "/": leads_to("http://en.source.example/"),
        "//en.source.example/": page_of(WORDPRESS),
        "/wp-admin/": SIGN_IN,
    },
    "briefly not there": {"/": [page_of("Busy", 503), page_of(WORDPRESS)], "/wp-admin/": [page_of("", 502), SIGN_IN]},
    "with Jetpack": {
        "/": page_of(f"{WORDPRESS}<script src='https://stats.wp.com/e.js'></script>"),
        "/wp-admin/": SIGN_IN,
    },
    "at WordPress VIP": {
        "/": page_of(WORDPRESS, x_powered_by="WordPress.com VIP <https://wpvip.com>", host_header="WordPress.com"),
        "/wp-admin/": SIGN_IN,
    },
    "a front page that is a file, and takes POST with a query only": {
        "/": page_of(WORDPRESS),
        "POST /": page_of("Not Allowed", 405),
        "POST /?": page_of("Widgets"),
        "/wp-admin/": SIGN_IN,
    },
    "nothing told about POST": {
        "/": page_of(WORDPRESS, content_security_policy="connect-src 'none'"),
        "POST /": page_of("", 403),
        "/wp-admin/": SIGN_IN,
    },
    "a check of the browser that lets it through": {
        "/": [
            page_of("<title>Just a moment...</title><script>setTimeout(() => location.reload(), 300)</script>", 403),
            page_of(WORDPRESS),
        ],
        "/wp-admin/": SIGN_IN,
    },
}


@pytest.mark.browser
@pytest.mark.parametrize("answers", PASSES.values(), ids=PASSES.keys())
def test_a_site_that_can_be_migrated_passes(look: Callable[..., list[str]], tab: Page, answers: Any) -> None:
    """However it is built; the tab stands before wp-admin then."""
    look(answers, 10)
    expect(tab.locator("#loginform")).to_be_visible()


@pytest.mark.browser
def test_a_short_name_is_the_same_site_with_and_without_www(tab: Page, internet: Internet) -> None:
    """Such as bmw.de, which is somebody's own, as co.uk is not."""
    internet.answers = {
        "//www.bmw.de/": leads_to("http://bmw.de/"),
        "//bmw.de/": page_of(WORDPRESS),
        "//www.bmw.de/wp-admin/": leads_to("http://bmw.de/wp-admin/"),
        "//bmw.de/wp-admin/": SIGN_IN,
    }
    chosen = settings(SOURCE_SITE_URL="http://www.bmw.de", PAGE_TIMEOUT="10s")
    Source(tab, WpAdmin(tab, chosen, say=lambda _: None), chosen, say=lambda _: None).check_site()
    expect(tab.locator("#loginform")).to_be_visible()


@pytest.mark.browser
def test_wordpress_in_a_folder_of_the_site_is_found(look: Callable[..., list[str]], tab: Page) -> None:
    """The front page's own scripts tell the folder; one that a CDN delivers tells nothing."""
    scripts = "<script src='http://cdn.example/wp-includes/a.js'></script><script src='/cms/wp-includes/b.js'></script>"
    said = look({"/": page_of(scripts), "/cms/wp-admin/": SIGN_IN, "//cdn.example/wp-admin/": SIGN_IN}, 10)
    assert tab.url == "http://source.example/cms/wp-admin/"
    assert "WordPress is at http://source.example/cms" in said


BLOCKED = page_of("<title>Just a moment...</title>", 403, cf_mitigated="challenge")
REFUSED = {
    "another CMS": ({"/": page_of("<h1>Drupal</h1>")}, r"is not WordPress: .* no sign .*/wp-admin/ answered 404"),
    "a page for every address": (
        {"/": page_of("<h1>App</h1>"), "/wp-admin/": page_of("<h1>App</h1>")},
        r"is not WordPress: .* neither wp-admin nor",
    ),
    "nothing there": (
        {},
        r"http://source\.example answered 404, and .*/wp-admin/ answered 404\. Check SOURCE_SITE_URL",
    ),
    "a hidden sign-in form": ({"/": page_of(WORDPRESS)}, r"is WordPress, but .*/wp-admin/ answered 404: .*hides"),
    "another host": (
        {"/": leads_to("http://www.other.net/new"), "//www.other.net/new": page_of(WORDPRESS)},
        r"from source\.example to www\.other\.net: set SOURCE_SITE_URL",
    ),
    "wp-admin at another host": (
        {
            "/": page_of(WORDPRESS),
            "/wp-admin/": leads_to("http://cms.source.example/wp-login.php"),
            "//cms.source.example/wp-login.php": SIGN_IN,
        },
        r"/wp-admin/ leads to http://cms\.source\.example/wp-login\.php, which is not on",
    ),
    "WordPress.com by its header": ({"/": page_of(WORDPRESS, host_header="WordPress.com")}, "hosted by WordPress.com"),
    "WordPress.com by a redirect": (
        {"/": leads_to("http://jo.wordpress.com/"), "//jo.wordpress.com/": page_of(WORDPRESS)},
        r"jo\.wordpress\.com is hosted by WordPress.com",
    ),
    "down": ({"/": page_of("Down", 503)}, r"went on to answer 503 for 3 seconds"),
    "down, without a word": ({"/": {"status": 500, "body": "", "headers": {}}}, "went on to answer 500"),
    "a check of the browser": ({"/": BLOCKED}, r'asks for a human \("Just a moment\.\.\."\)'),
    "a check of the browser at wp-admin": ({"/": page_of(WORDPRESS), "/wp-admin/": BLOCKED}, "asks for a human"),
    "private": ({"/": page_of("Private", 401)}, "^the existing site is behind HTTP basic auth"),
    "POST forbidden": ({"/": page_of(WORDPRESS), "POST /": page_of("", 403)}, r"refuses POST: .* with 403"),
    "POST not allowed": ({"/": page_of(WORDPRESS), "POST /": page_of("", 405)}, r"refuses POST: .* with 405"),
    "a database of before an update": (
        {
            "/": page_of("<h1>Widgets</h1>"),
            "/wp-admin/": leads_to("/wp-admin/upgrade.php"),
            "/wp-admin/upgrade.php": page_of("<h1>Database Update Required</h1>"),
        },
        "^WordPress asks to have its database updated first",
    ),
}


@pytest.mark.browser
@pytest.mark.parametrize(("answers", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_site_that_cannot_be_migrated_is_refused(look: Callable[..., list[str]], answers: Any, sentence: str) -> None:
    """Each with a sentence of its own."""
    with pytest.raises(Stuck, match=sentence):
        look(answers, 3)


ANSWERS_TO_SIGN_IN = {
    "something before WordPress": ("<h1>Forbidden</h1>", "refuses POST: the sign-in form answered it with 403"),
    "WordPress itself": ("<body id=error-page>Too many attempts.", '^WordPress says "Too many attempts"'),
}


@pytest.mark.browser
@pytest.mark.parametrize(("html", "sentence"), ANSWERS_TO_SIGN_IN.values(), ids=ANSWERS_TO_SIGN_IN.keys())
def test_who_refuses_the_sign_in_is_told_apart(tab: Page, internet: Internet, html: str, sentence: str) -> None:
    """A form that cannot even be sent is a refused POST; what WordPress says of it is repeated."""
    form = page_of(LOGIN.replace("<form", "<form method=post action=/wp-login.php"))
    internet.answers = {"/wp-login.php": form, "POST /wp-login.php": page_of(html, 403)}
    set_default_timeout(tab.context, 3)
    chosen = settings()
    source = Source(tab, WpAdmin(tab, chosen, say=lambda _: None), chosen, say=lambda _: None)
    tab.goto("http://source.example/wp-login.php")
    with pytest.raises(Stuck, match=sentence):
        source.check_administrator()


@pytest.mark.browser
def test_a_server_that_is_not_there_is_said(page: Page) -> None:
    """What the browser says, and in words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        chosen = settings(SOURCE_SITE_URL=f"http://127.0.0.1:{taken.getsockname()[1]}", ALLOW_LOCAL_SOURCE="1")
        wp_admin = WpAdmin(page, chosen, say=lambda _: None)
        with pytest.raises(Stuck, match=r"did not open: it refuses the connection \(net::ERR_CONNECTION_REFUSED"):
            Source(page, wp_admin, chosen, say=lambda _: None).check()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("net::ERR_CERT_AUTHORITY_INVALID at https://source.example/", "does not accept its certificate"),
        ("net::ERR_NAME_NOT_RESOLVED at https://certificates.example/", "cannot be resolved"),
        ("net::ERR_UNKNOWN_URL_SCHEME at https://TLS.example/", r"did not open: net::ERR_UNKNOWN_URL_SCHEME"),
        ("net::ERR_TOO_MANY_REDIRECTS at https://source.example/", "redirects in a circle"),
        ("Timeout 2000ms exceeded.", "does not answer in time"),
        ("net::ERR_INVALID_AUTH_CREDENTIALS at https://source.example/", "is behind HTTP basic auth"),
    ],
)
def test_why_a_page_did_not_open(said: str, words: str) -> None:
    """The browser's word is explained where it is known, and never taken from the host's name."""
    page = create_autospec(Page, instance=True)
    page.goto.side_effect = PlaywrightError(f"Page.goto: {said}\nCall log: navigating")
    chosen = settings()
    with pytest.raises(Stuck, match=words):
        Source(page, create_autospec(WpAdmin, instance=True), chosen, say=lambda _: None).check_site()


@pytest.mark.browser
def test_a_dropped_connection_is_no_reason_to_stop(page: Page) -> None:
    """The front page and a page of wp-admin each come when they are loaded again, and it is said; unless they never do."""
    drops = {"/": 1, "/wp-admin/plugins.php": 1, "/gone": 99}

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        drops[path] = drops.get(path, 0) - 1
        if drops[path] >= 0:
            route.abort("connectionreset")
        else:
            body = "<body class=wp-admin><h1>Plugins</h1>" if "plugins" in path else f"<head>{WORDPRESS}</head>{LOGIN}"
            route.fulfill(content_type="text/html", body=f"<!doctype html>{body}")

    page.route("**/*", answer)
    said: list[str] = []
    chosen = settings(PAGE_TIMEOUT="3s")
    set_default_timeout(page.context, 3)
    wp_admin = WpAdmin(page, chosen, say=said.append)
    Source(page, wp_admin, chosen, say=said.append).check_site()
    wp_admin.visit("plugins.php")
    front, inside = (words for words in said if "loading it again" in words)
    assert front == "http://source.example did not open; loading it again"
    assert "the connection dropped (net::ERR_CONNECTION_RESET at http://source.example/wp-admin/plugins.php)" in inside
    with pytest.raises(Stuck, match=r"existing site did not open: the connection dropped .* Check SOURCE_SITE_URL"):
        wp_admin.visit("../gone")


# -- a real WordPress ---------------------------------------------------------------------------------------------


@pytest.fixture
def check(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., Page]]:
    """Check a real WordPress with these options; returns the tab."""
    from fixtures.wordpress import SourceOptions  # noqa: PLC0415 - only where the sandbox is there
    from flows.wordpress_migration.run import MigrationRun  # noqa: PLC0415 - as above

    context = None

    def run(**options: Any) -> Page:
        nonlocal context
        sandbox.fresh_source(SourceOptions(**options))
        chosen = MigrationSettings.load({**sandbox.settings(), "PAGE_TIMEOUT": "20s"})
        credentials = create_autospec(MigrationRun, instance=True)
        credentials.settings = chosen
        context = browser.new_context(**MigrationRun.context_options(credentials))
        page = context.new_page()
        Source(page, WpAdmin(page, chosen, say=lambda _: None), chosen, say=lambda _: None).check()
        return page

    yield run
    if context:
        context.close()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"basic_auth": ("guest", "let me in"), "language": "de_DE"}, id="basic auth, German"),
        pytest.param({"email_check": True}, id="a question after the sign-in", marks=pytest.mark.slow),
        pytest.param(
            {"file_mods": False, "plugin": "installed"}, id="no way to install, but installed", marks=pytest.mark.slow
        ),
    ],
)
def test_a_real_wordpress_passes(check: Callable[..., Page], options: dict[str, Any]) -> None:
    """The administrator is signed in and where plugins are; nothing was installed."""
    page = check(**options)
    assert page.locator("body.wp-admin.plugin-install-php, body.wp-admin.plugins-php").count() == 1


@pytest.mark.sandbox
def test_a_refused_post_is_seen_behind_basic_auth(check: Callable[..., Page]) -> None:
    """What else a real WordPress is refused for stands in the catalogue of faults."""
    with pytest.raises(Stuck, match=r"refuses POST: http://127\.0\.0\.1:\d+/ answered it with 403"):
        check(basic_auth=("guest", "let me in"), refuse_post=True)


@pytest.mark.parametrize("opened", [True, False])
def test_a_workspace_that_was_not_opened_is_said_beforehand(opened: bool) -> None:
    """It may be misspelt; or it is chosen in step 3 only, so nothing is refused. One that was opened is no news."""
    run = MagicMock(settings=settings(PANTHEON_WORKSPACE="Widgets"), facts={})
    run.dashboard_in.return_value.has_site.return_value = False
    run.dashboard_in.return_value.is_in_workspace = opened
    check_workspace(run)
    assert run.facts == ({"name_was_free": "yes"} if opened else {})
    said = [call.args[0] for call in run.say.call_args_list]
    assert [sentence.split(":")[0] for sentence in said] == (
        [] if opened else ['the dashboard did not open the workspace "Widgets"']
    )
