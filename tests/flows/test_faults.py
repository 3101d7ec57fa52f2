"""Each fault of the catalogue ends a run as it is recorded, or does not end it; in short form, and whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.faults import CATALOGUE
from flows.wordpress_migration.pages import dashboard as dashboard_page
from runner.cli.sandboxes import fault_as_row
from tests.faults import (
    ANSWERED,
    IN_VAIN,
    NOT_NEEDED,
    NOT_RECOGNISED,
    OTHER_SETTINGS,
    PARTS,
    QUICKER,
    Short,
    Whole,
    recorded,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from fixtures.sandbox import Sandbox


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for what takes no time here."""
    monkeypatch.setattr(dashboard_page, "CONFIRM_AGAIN", 2.0)
    monkeypatch.setattr("runner.run.WATCH", 3.0)
    monkeypatch.setattr("flows.wordpress_migration.pages.lists.QUIET", 0.2)
    monkeypatch.setattr("flows.wordpress_migration.pages.migration_service.TROUBLE_PAUSE", 1.0)
    monkeypatch.setattr("runner.performance.pause_for", lambda _: None)


TAKEN_UP = {
    *("creation-not-sent", "outage", "wp-wrong-password", "plugin-fatal-error", "migration-fails", "migration-stalls"),
    "multisite",
}
"""Faults after which `make test` takes the run up too, one or two for each way to go on; `make chaos` after all."""


@pytest.mark.sandbox
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault_in_short(name: str, whole_sandbox: Sandbox, tmp_path: Path, browser: Browser, quick: None) -> None:
    """The steps that it has to do with end as the whole run did, with that sentence, and leave the same behind."""
    expected = recorded()[name]
    performed = Short(whole_sandbox, tmp_path, browser).perform(
        CATALOGUE[name], helps="" if name in TAKEN_UP else expected.resume
    )
    assert performed == expected


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    sorted(
        {name for name, one in recorded().items() if one.exit_code and one.resume != ANSWERED}
        - TAKEN_UP
        - NOT_RECOGNISED
    ),
)
def test_resume_helps_as_recorded(
    name: str, whole_sandbox: Sandbox, tmp_path: Path, browser: Browser, quick: None
) -> None:
    """After every other fault that ends a run: it is taken up when what went wrong is put right."""
    assert Short(whole_sandbox, tmp_path, browser).perform(CATALOGUE[name]) == recorded()[name]


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault(name: str, whole_sandbox: Sandbox, tmp_path: Path) -> None:
    """The whole run by the command line ends, and leaves behind, what is recorded."""
    assert Whole(whole_sandbox, tmp_path).perform(CATALOGUE[name]) == recorded()[name]


def test_every_fault_has_an_outcome() -> None:
    """And no outcome is of a fault that is no more; thirty is what there has to be at least."""
    assert len(CATALOGUE) >= 30
    assert list(recorded()) == list(CATALOGUE)
    assert {fault.group for fault in CATALOGUE.values()} == {"network", "dashboard", "source", "migration"}
    assert set(PARTS) - {"network", "dashboard", "source", "migration"} <= set(CATALOGUE)
    assert set(QUICKER) | NOT_RECOGNISED | IN_VAIN <= set(CATALOGUE)
    assert {recorded()[name].resume for name in TAKEN_UP} >= {one.resume for one in recorded().values()} - {
        ANSWERED,
        NOT_NEEDED,
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_recorded_can_be_relied_upon(name: str) -> None:
    """A run that stops says why and ends with an exit code of its own; one that is done needs no resume."""
    outcome, fault = recorded()[name], CATALOGUE[name]
    assert (outcome.state == "done") == (outcome.exit_code == 0) == (outcome.step is None)
    assert (outcome.state == "done") == (outcome.resume == NOT_NEEDED)
    assert outcome.sentence or outcome.state == "done"
    assert outcome.resume != OTHER_SETTINGS or fault.settings
    assert "Page.goto" not in outcome.sentence
    assert "127.0.0.1" not in outcome.sentence
    assert all(fault_as_row(fault, vars(outcome)).values())
