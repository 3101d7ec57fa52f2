"""The command `report`: the report of a run or of a fleet, written anew."""

from __future__ import annotations

import sys
import webbrowser
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from runner.cli.consoles import out
from runner.cli.options import EnvFile, Runs
from runner.cli.recorded import open_ledger
from runner.errors import Missing, WrongUsage

if TYPE_CHECKING:
    from runner.junit import Suite
    from runner.ledger import Ledger


def report(
    run_id: Annotated[
        str | None, typer.Argument(metavar="RUN", help="The run's id, or how it begins or ends.", show_default=False)
    ] = None,
    *,
    fleet: Annotated[str | None, typer.Option(help="The fleet of this name (its file's) instead.")] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in this system's browser.")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file as well.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of result.json instead.")] = False,
    runs: Runs = Path("runs"),
    env_file: EnvFile = None,
) -> None:
    """Write the report of a run or of a fleet anew, from the ledger, and print where it is."""
    if [bool(run_id), bool(fleet), schema].count(True) != 1:
        raise WrongUsage('name a run, or --fleet NAME, or --schema; "guiderunner runs" lists the runs')
    if schema and (open_it or junit):
        raise WrongUsage("--schema goes with neither --open nor --junit")
    if schema:
        sys.stdout.write(resources.files("runner").joinpath("result.schema.json").read_text(encoding="utf-8"))
        return
    ledger = open_ledger(runs, env_file)
    path = report_fleet(ledger, fleet, runs, junit) if fleet else report_run(ledger, run_id or "", junit)
    out().print(escape(str(path)))
    if open_it and not webbrowser.open(path.absolute().as_uri()):
        raise Missing("--open: this system has no browser that could be started")


def report_run(ledger: Ledger, run_id: str, junit: Path | None) -> Path:
    """Write the report of a run.

    Raises:
        WrongUsage: There is no such run, or its evidence is on another machine.
    """
    from runner.evidence import read_entries
    from runner.flow import find_flow
    from runner.junit import suite_of_run
    from runner.report import write_report
    from runner.timing import earlier, usual

    record = ledger.find(run_id)
    if not record.folder.is_dir():
        raise WrongUsage(f"the evidence of run {record.id} is not here: {record.folder} on {record.machine}")
    found, entries = find_flow(record.flow, record.edition), ledger.entries(record.id)
    state = ledger.state_of(record) if record.state == "running" else ""
    if junit:
        write_xml(junit, suite_of_run(read_entries(found, entries, state), record))
    before = usual([past.steps for past in earlier(ledger, record, entries)])
    return write_report(found, record, entries, state=state, usual=before)


def report_fleet(ledger: Ledger, name: str, runs: Path, junit: Path | None) -> Path:
    """Write the report of a fleet, to a folder of its own.

    Raises:
        WrongUsage: There is no such fleet.
    """
    from runner.junit import suite_of_fleet
    from runner.roster import Roster
    from runner.summary import with_steps, write_summary

    entries = with_steps(ledger, Roster(ledger).all(name))
    if not entries:
        raise WrongUsage(f'--fleet: no site is of a fleet named "{name}"; "guiderunner fleet status" lists all sites')
    folder = fleet_folder(runs, name)
    sites = write_summary(folder, name, entries, ledger)
    if junit:
        write_xml(junit, suite_of_fleet(name, sites))
    return folder / "summary.html"


def fleet_folder(runs: Path, name: str) -> Path:
    """A new folder for the report of a fleet."""
    return runs / f"fleet-{name}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}"


def write_xml(path: Path, suite: Suite) -> None:
    """Write JUnit XML where the user says.

    Raises:
        WrongUsage: It cannot be written there.
    """
    from runner.junit import write_junit

    try:
        write_junit(path, suite)
    except OSError as error:
        raise WrongUsage(f"--junit: {path} cannot be written: {error.strerror}") from None
