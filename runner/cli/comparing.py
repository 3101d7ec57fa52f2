"""What is compared when a run has ended: its result with its origin (`verify`), its violations with those known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from runner.cli.consoles import err, out
from runner.cli.options import AsJson, EnvFile, RunId, Runs
from runner.cli.recorded import open_ledger
from runner.errors import Differs, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from runner.accessibility import Accessibility
    from runner.flow import Flow
    from runner.ledger import Ledger, Record
    from runner.performance import Result
    from runner.settings import Settings


def verify(run_id: RunId, *, runs: Runs = Path("runs"), env_file: EnvFile = None, as_json: AsJson = False) -> None:
    """Compare what a run has made with its origin: a table of differences, exit code 1 if there are any."""
    from runner.flow import find_flow
    from runner.settings import environment

    record = open_ledger(runs, env_file).find(run_id)
    found = find_flow(record.flow, record.edition)
    settings = found.settings.load_again(environment(env_file), record.settings)
    if record.state != "done":
        raise WrongUsage(f"run {record.id} is {record.state}: there is nothing to verify before it is done")
    compare(found, settings, record, as_json=as_json)


def compare(flow: Flow[Any], settings: Settings, record: Record, *, as_json: bool) -> None:
    """Compare what a run has made with its origin, and print the differences.

    Raises:
        Differs: There are some.
        WrongUsage: The flow has no such comparison.
    """
    from runner.secrets import Secrets

    if flow.compare is None:
        raise WrongUsage(f"{flow.name} has nothing to verify")
    secrets = Secrets()
    for secret in settings.secrets():
        secrets.add(secret)
    found = flow.compare(settings, record.facts, lambda words: err().print(escape(secrets.redact(words))))
    if as_json:
        sys.stdout.write(secrets.redact(json.dumps(found.as_json(), ensure_ascii=False)) + "\n")
    else:
        console = out()
        with console.capture() as shown:
            console.print(found)
        sys.stdout.write(secrets.redact(shown.get()))
    if found.differences:
        raise Differs(f"{len(found.differences)} differences were found")


def compare_all(*comparisons: Callable[[], None]) -> None:
    """Make all comparisons, also those after one that has found differences.

    Raises:
        Differs: There are some; says those of all.
    """
    found = []
    for make in comparisons:
        try:
            make()
        except Differs as differs:
            found.append(str(differs))
    if found:
        raise Differs("\n".join(found))


def looks_for_violations(baseline: Path | None, *, on: bool, accept: bool) -> Accessibility | None:
    """What looks for violations of accessibility during a run; None if nothing does.

    Args:
        baseline: The file that says what is known.
        on: They are looked for also without such a file.
        accept: They are to become known.

    Raises:
        WrongUsage: The file cannot be used.
        Missing: axe is not installed.
    """
    from runner.accessibility import Accessibility, read_baseline

    if accept and baseline is None:
        raise WrongUsage("--accept-accessibility needs the file to write: --accessibility-baseline FILE")
    known = read_baseline(baseline, new=accept) if baseline else None
    return Accessibility(None if accept else known) if on or baseline else None


def compare_accessibility(result: Result, ledger: Ledger, baseline: Path | None, *, accept: bool) -> None:
    """Compare the violations that a run has found with those that are known, or make them known.

    Args:
        result: How the run ended; nothing is compared while it waits.
        ledger: What it has recorded.
        baseline: The file that says what is known; None to compare nothing.
        accept: They are to become known.

    Raises:
        Differs: Some are new.
    """
    from runner.accessibility import accept as make_known
    from runner.accessibility import refuse_new

    if baseline is None or result.state not in ("done", "stopped"):
        return
    entries = ledger.entries(result.id)
    if accept:
        number = make_known(baseline, entries)
        err().print(f"known and accepted in {escape(str(baseline))}: {number} violations of accessibility")
    else:
        refuse_new(baseline, entries)
