"""Makes runs for tests that perform their steps by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from runner.ledger import Ledger, Record, RunLedger
from runner.run import Reporter, Run
from runner.secrets import Secrets

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from runner.flow import Flow
    from runner.settings import Settings

R = TypeVar("R", bound="Run[Any]")


def new_run(kind: type[R], flow: Flow[Any], settings: Settings, runs: Path) -> R:
    """A run that has begun, with a folder and a ledger, and without a browser.

    Args:
        kind: The class of the run.
        flow: Its flow.
        settings: What it works with.
        runs: Where its folder and the ledger go.
    """
    ledger, secrets = Ledger.beside(runs), Secrets()
    number = len(ledger.runs()) + 1
    folder = runs / f"run-{number}"
    folder.mkdir(parents=True)
    ledger.begin(
        Record(
            id=folder.name, flow=flow.name, edition=flow.edition, subject=folder.name, site=settings.site, folder=folder
        )
    )
    run_ledger = RunLedger(ledger, folder.name, secrets, folder / "ledger.jsonl")
    return kind(settings, run_ledger, folder=folder, secrets=secrets, reporter=Reporter())
