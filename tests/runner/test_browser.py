"""A browser that is opened before all is imported that works with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from runner import machine
from runner.browser import BrowserSettings, open_browser, open_while_importing
from runner.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "Zq3-abcdefGHIJ0123456789"
"""What opens somebody else's browsers."""

OPENING = threading.Event()
"""That the browser is being opened."""


class Browsers:
    """Counts those that are opened, and knows which are open."""

    def __init__(self) -> None:
        self.opened = 0
        self.open: list[int] = []

    @contextmanager
    def __call__(self) -> Iterator[int]:
        """Open another one: its number."""
        self.opened += 1
        number = self.opened
        self.open.append(number)
        try:
            yield number
        finally:
            self.open.remove(number)


def test_the_first_browser_is_open_before_it_is_asked_for() -> None:
    """It is closed where its work ends, since a run that waits keeps none; who needs another one gets it."""
    browsers = Browsers()
    with open_while_importing(browsers) as browser:
        assert browsers.open == [1]
        with browser() as first:
            assert (first, browsers.open) == (1, [1])
        assert browsers.open == []
        with browser() as second:
            assert (second, browsers.open) == (2, [2])
    assert (browsers.opened, browsers.open) == (2, [])


def test_a_browser_that_nobody_asked_for_is_closed_too() -> None:
    """Something was wrong with the rest of what was said."""
    browsers = Browsers()
    with pytest.raises(Missing), open_while_importing(browsers):
        raise Missing("no ledger")
    assert (browsers.opened, browsers.open) == (1, [])


def test_modules_are_imported_while_the_browser_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """One that cannot be imported hides nothing: it says so where it is used."""
    monkeypatch.syspath_prepend(tmp_path)
    opening = f"from {__name__} import OPENING; assert OPENING.wait(20)"
    for name, code in (("is_there", opening), ("is_broken", "1 / 0")):
        (tmp_path / f"{name}.py").write_text(code)
        request.addfinalizer(partial(sys.modules.pop, name, None))

    @contextmanager
    def browsers() -> Iterator[None]:
        OPENING.set()
        yield

    with open_while_importing(browsers, "is_there", "is_broken"):
        assert "is_there" in sys.modules
        assert "is_broken" not in sys.modules


def test_the_driver_is_kept_compiled_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody has chosen another place; who has no home has none."""
    monkeypatch.setattr("runner.browser.sync_playwright", Browsers())
    for name in ("NODE_COMPILE_CACHE", "GUIDERUNNER_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")  # so that it is as it was afterwards, also where it was not set
        monkeypatch.delenv(name)

    def kept_in() -> str | None:
        with pytest.raises(AttributeError), open_browser(BrowserSettings.load({})):  # what was started is no Playwright
            pass
        return os.environ.get("NODE_COMPILE_CACHE")

    with monkeypatch.context() as homeless:
        homeless.setattr(Path, "expanduser", Mock(side_effect=RuntimeError("no home")))
        assert kept_in() is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kept_in() == str(tmp_path / "guiderunner-node")
    monkeypatch.setenv("NODE_COMPILE_CACHE", "chosen")
    assert kept_in() == "chosen"


PHOTOGRAPHED = """
from runner import screenshots
from runner.browser import BrowserSettings, open_browser
from runner.secrets import Secrets
from runner.settings import environment

screenshots.SETTLE = 0.5
with open_browser(BrowserSettings.load(environment())) as browser:
    page = browser.new_page()
    page.set_default_timeout(3000)
    page.route("**/*", lambda route: None)
    styled = "<style>@font-face { font-family: x; src: url(https://fonts.example/x.woff2) } p { font-family: x }</style>"
    page.set_content(styled + "<p>Words</p>", wait_until="commit")
    print(screenshots.photograph(page, Secrets()).loading)
"""


@pytest.mark.browser
def test_a_font_that_does_not_come_is_not_waited_for_by_the_driver() -> None:
    """Its screenshots would fail; in a process of its own, since one has one driver."""
    done = subprocess.run([sys.executable, "-c", PHOTOGRAPHED], capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("", "a font\n")


def test_a_key_for_browsers_that_are_lent_is_not_shown() -> None:
    """It stands in the address before the host, in its path or behind it; Playwright's own error tells all of it."""

    def look(scheme: str, host: str) -> None:
        settings = BrowserSettings.load({"BROWSER_ENDPOINT": f"{scheme}://{KEY}:x@{host}/{KEY}/?token={KEY}"})
        with (
            pytest.raises(Missing, match=f"BROWSER_ENDPOINT {scheme}://{host}/ does not answer") as caught,
            open_browser(settings),
        ):
            pass
        assert KEY not in str(caught.value)
        assert "501" in str(caught.value)
        assert machine.browser("chromium", settings).look() == f"the one at BROWSER_ENDPOINT {scheme}://{host}/"

    with (
        HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server,
        ThreadPoolExecutor(1) as beside,
        ThreadPoolExecutor(1) as apart,  # another test's Playwright may be at work in this thread
    ):
        beside.submit(server.serve_forever, poll_interval=0.01)
        try:
            for scheme in ("ws", "http"):
                apart.submit(look, scheme, f"127.0.0.1:{server.server_port}").result()
        finally:
            server.shutdown()
