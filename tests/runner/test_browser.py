"""A browser that is opened before all is imported that works with it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from runner.browser import open_while_importing
from runner.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
    for name, code in (("is_there", "from time import sleep; sleep(0.1)"), ("is_broken", "1 / 0")):
        (tmp_path / f"{name}.py").write_text(code)
        request.addfinalizer(partial(sys.modules.pop, name, None))
    with open_while_importing(Browsers(), "is_there", "is_broken"):
        assert "is_there" in sys.modules
        assert "is_broken" not in sys.modules
