"""Opens pages as a reader does, who loads one again when the connection drops, and says why one did not open."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.controls import Stuck, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Response

FIRST_SERVER_ERROR = 500
"""HTTP's first status for an error that is the server's own; 503 is WordPress's maintenance mode."""

_REASONS = (
    ("NAME_NOT_RESOLVED|UNKNOWN_HOST|resolve host", "its name cannot be resolved"),
    ("CERT|SSL|SEC_ERROR|PKIX|TLS|certificate", "the browser does not accept its certificate"),
    ("REFUSED|connect to server", "it refuses the connection"),
    ("TOO_MANY_REDIRECTS|REDIRECT_LOOP", "it redirects in a circle"),
    ("TIMED_OUT|TIMEOUT|Timeout", "it does not answer in time"),
    (
        "EMPTY_RESPONSE|CONNECTION_(RESET|CLOSED|ABORTED)|NET_(RESET|INTERRUPT)|NETWORK_(CHANGED|IO_SUSPENDED)|lost",
        "the connection dropped",
    ),
    ("INTERNET_DISCONNECTED|ADDRESS_UNREACHABLE|NETWORK_ACCESS", "there is no connection to it"),
)
"""What browsers say, and what that means; the last two pass."""

_PASSING = {meaning for _, meaning in _REASONS[-2:]}

_OF_LOADING = re.compile(r"net::|NS_ERROR|NS_BINDING|Timeout|connect|resolve host|certificate")
"""What an error of loading a page says, beside one of a browser that has gone."""

WHOLE = 5.0
"""Seconds that a page's pictures, styles and frames may take beside what it says."""

AGAIN = 1.0
"""Seconds after which a page is loaded again whose connection has dropped."""


def host_and_port(url: str) -> str:
    """Host and port of an address."""
    return urlsplit(url).netloc.rpartition("@")[2]


def leads_to(address: str, landed: str) -> bool:
    """Whether a page that an address has led to is the one that it names: what a dashboard adds may be left out.

    Args:
        address: Such as `/workspaces/1/overview?welcome=1`.
        landed: Such as `/workspaces/1`, which is the same workspace's.
    """
    one, other = urlsplit(address), urlsplit(landed)
    shorter, longer = sorted((one.path.rstrip("/"), other.path.rstrip("/")), key=len)
    below = shorter == longer or (shorter.count("/") > 1 and longer.startswith(f"{shorter}/"))
    more = set(parse_qsl(other.query)) - set(parse_qsl(one.query))
    return (one.netloc, one.fragment) == (other.netloc, other.fragment) and below and not more


@dataclass(frozen=True)
class NotOpened:
    """Why a page did not open.

    Attributes:
        because: In words, with what the browser says.
        passing: Whether it may open in a moment, as when a connection dropped.
    """

    because: str
    passing: bool


def not_opened(error: PlaywrightError) -> NotOpened:
    """What the browser says of a page that it could not open.

    Args:
        error: What Playwright raised.
    """
    said = error.message.splitlines()[0].removeprefix("Page.goto: ")
    what = said.partition(" at http")[0]  # a host's name may hold any of the words
    reason = next((words for pattern, words in _REASONS if re.search(pattern, what)), "")
    return NotOpened(f"{reason} ({said})" if reason else said, reason in _PASSING)


def go_to(page: Page, url: str) -> Response | None:
    """Go to an address, and give what its page is made of some time to come: a reader goes on without what hangs.

    Such as an icon of a host that this machine may not reach. What is needed of the page is waited for where it is.

    Raises:
        PlaywrightError: It does not open.
    """
    answer = page.goto(url, wait_until="domcontentloaded")
    with suppress(PlaywrightTimeout):
        page.wait_for_load_state("load", timeout=WHOLE * 1000)
    return answer


def load(
    page: Page, url: str, *, what: str, check: str, patience: float, say: Callable[[str], None]
) -> Response | None:
    """Load a page, again while the connection to it drops.

    Args:
        page: The tab.
        url: The page's address.
        what: What is there, such as the dashboard.
        check: The setting that says where it is, and its value.
        patience: Seconds after which it is not loaded again.
        say: Told when it is loaded again.

    Returns:
        The answer, as Playwright's `goto` gives it.

    Raises:
        Stuck: It does not open; the sentence says why.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return go_to(page, url)
        except PlaywrightError as error:
            if not _OF_LOADING.search(error.message) or "closed" in error.message.lower():
                raise
            why = not_opened(error)
            if not why.passing or time.monotonic() >= deadline:
                raise Stuck(
                    f"{what} did not open: {why.because}. Check {check}, and whether it opens in a browser on this "
                    "machine",
                    looked_for=what,
                ) from None
        say(f"{what} did not open: {why.because}; loading it again")
        until(page, lambda: None, timeout=AGAIN)
