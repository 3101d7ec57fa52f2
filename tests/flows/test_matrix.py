"""The whole guide on each version of WordPress, each language, each kind of dashboard and each edition.

`make test` performs a few steps on one old version, where it has been fetched; `make matrix` (MATRIX=whole) does all of
it, and prints a table.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import ROW
from tests.flows.test_wordpress_migration import titles

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.sandbox import Sandbox
    from tests.flows.conftest import Outcome

pytestmark = pytest.mark.sandbox

VERSIONS = ("6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "7.1")

MARKUPS: dict[str, dict[str, str]] = {
    "tiles, select, button, input": {},
    "radios, combobox, link, text": {"cms": "radios", "workspace": "combobox", "buttons": "link", "token": "text"},
    "list, listbox-button, role, masked": {
        "cms": "list",
        "workspace": "listbox-button",
        "buttons": "role",
        "token": "masked-with-copy",
    },
    "listbox, select, link, copy-only": {"cms": "listbox", "buttons": "link", "token": "copy-only"},
}
"""Each value of each field of `fixtures.world.Markup` at least once."""

LANGUAGES = ("", "ar", "ja", "ru_RU")
"""English, one from right to left, and two that are not written in Latin letters."""

EDITIONS = ("2024", "2025")


def combinations() -> list[Any]:
    """Each version with each markup; so that each version also has each language once and each edition twice."""
    return [
        pytest.param(
            VERSIONS[version],
            LANGUAGES[(version + markup) % len(LANGUAGES)],
            name,
            EDITIONS[(version // 2 + markup) % len(EDITIONS)],
            id=f"{VERSIONS[version]}-{markup}",
        )
        for version, (markup, name) in product(range(len(VERSIONS)), enumerate(MARKUPS))
    ]


@pytest.fixture
def fetched() -> Callable[[str], None]:
    """Skips a test if the sandbox has not got a version of WordPress, and says what gets it."""
    from fixtures.errors import Missing  # noqa: PLC0415 - only where the sandbox is there
    from fixtures.wordpress_versions import find_core  # noqa: PLC0415 - the same

    def check(version: str) -> None:
        try:
            find_core(version)
        except Missing as missing:
            pytest.skip(str(missing))

    return check


def said_in_feed(url: str) -> tuple[str, str]:
    """The version of WordPress that a site says it is, and its language."""
    feed = httpx.get(f"{url}/?feed=rss2", timeout=60).raise_for_status().text
    version = re.search(r"<generator>[^<]*\?v=([^<]+)</generator>", feed)
    language = re.search(r"<language>([^<]+)</language>", feed)
    assert version
    assert language
    return version[1], language[1]


def test_an_old_wordpress_gets_the_plugin(
    migrate: Callable[..., Outcome], fetched: Callable[[str], None], sandbox: Sandbox
) -> None:
    """WordPress 6.2, in a script from right to left: the plugin is found, installed and active."""
    fetched("6.2")
    outcome = migrate(source={"wordpress": "6.2", "language": "ar"}, only_in_second_tab=True, until=3)
    assert outcome.error is None
    page = httpx.get(f"{sandbox.source_url}/wp-login.php", timeout=60).text
    assert 'dir="rtl"' in page
    assert "Log In" not in page
    active = sandbox.source.wp("plugin", "list", "--status=active", "--field=name").split()
    assert "bv-pantheon-migration" in active


@pytest.mark.matrix
@pytest.mark.parametrize(("version", "language", "markup", "edition"), combinations())
def test_the_whole_guide_on_each(
    migrate: Callable[..., Outcome],
    sandbox: Sandbox,
    fetched: Callable[[str], None],
    record_property: Callable[[str, object], None],
    version: str,
    language: str,
    markup: str,
    edition: str,
) -> None:
    """Everything once, and the new site is the same WordPress in the same language, with the same posts."""
    from fixtures import php  # noqa: PLC0415 - only where the sandbox is there

    cells = {
        "WordPress": version,
        "PHP": php.version().split()[1],
        "language": language or "en_US",
        "edition": edition,
        "dashboard": markup,
    }
    record_property(ROW, cells)
    fetched(version)
    outcome = migrate(
        {"PANTHEON_WORKSPACE": "Fernhill Studio", "PAGE_TIMEOUT": "60s"},
        {"edition": edition, "markup": MARKUPS[markup], "migration_seconds": 0.5},
        {"wordpress": version, "language": language},
        edition="",
    )
    assert outcome.error is None
    assert outcome.result
    assert outcome.result.edition == edition
    assert set(outcome.done.values()) == {1}
    (site,) = [site for site in sandbox.world.sites.values() if not site.seeded]
    cells["WordPress"], spoken = said_in_feed(sandbox.source_url)
    assert cells["WordPress"].startswith(version)
    assert spoken == (language.replace("_", "-") or "en-US")
    assert said_in_feed(site.address) == (cells["WordPress"], spoken)
    assert titles(site.address, "posts") == titles(sandbox.source_url, "posts") != []
