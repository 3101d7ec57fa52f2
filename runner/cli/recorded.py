"""The commands `runs ...`: what runs have recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from runner.cli.consoles import out, print_table
from runner.cli.options import AsJson, EachAsJson, EnvFile, RunId, Runs
from runner.errors import Differs, WrongUsage

if TYPE_CHECKING:
    from runner.ledger import Ledger


runs_app = typer.Typer(
    name="runs",
    help="List the runs, show, compare or give up one, or tell their times.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


def open_ledger(runs: Path, env_file: Path | None) -> Ledger:
    """The ledger that is there; a command that only looks makes none.

    Raises:
        WrongUsage: There is none.
    """
    from runner.ledger import Ledger, LedgerSettings
    from runner.settings import environment

    settings = LedgerSettings.load(environment(env_file))
    ledger = Ledger.beside(runs, settings)
    if not ledger.is_there and settings.url:
        raise WrongUsage("LEDGER_URL: there is no such file: correct it, or begin a run")
    if not ledger.is_there:
        raise WrongUsage(f"there are no runs in {runs}: begin one, or name their folder with --runs")
    return ledger


@runs_app.callback()
def list_runs(
    context: typer.Context, *, runs: Runs = Path("runs"), env_file: EnvFile = None, as_json: EachAsJson = False
) -> None:
    """List the runs: state, step, site, since when."""
    if context.invoked_subcommand:
        return
    ledger = open_ledger(runs, env_file)
    records = [(record, ledger.state_of(record)) for record in ledger.runs()]
    if as_json:
        for record, state in records:
            sys.stdout.write(json.dumps({**record.values(), "state": state}, ensure_ascii=False) + "\n")
        return
    rows = [("run", "state", "step", "since (UTC)", "site")]
    for record, state in records:
        since = record.since[:16].replace("T", " ")
        rows.append((record.id, state, "" if record.step is None else str(record.step), since, record.site))
    print_table(rows)


@runs_app.command("show")
def show_run(run_id: RunId, *, runs: Runs = Path("runs"), env_file: EnvFile = None, as_json: AsJson = False) -> None:
    """Show what a run has recorded."""
    ledger = open_ledger(runs, env_file)
    record = ledger.find(run_id)
    entries = ledger.entries(record.id)
    state = ledger.state_of(record)
    if as_json:
        told = {
            **record.values(),
            "settings": record.settings,
            "facts": record.facts,
            "state": state,
            "entries": entries,
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    console = out()
    console.print(f"{escape(record.id)}: {state} since {record.since[:19].replace('T', ' ')} UTC, on {record.machine}")
    console.print(f"{escape(record.site)}; evidence in {escape(str(record.folder))}")
    for name, value in record.facts.items():
        console.print(f"{name.replace('_', ' ')}: {escape(value)}")
    for entry in entries:
        step = f"step {entry['step']}" if entry.get("step") is not None else ""
        words = next(
            (str(entry[name]) for name in ("sentence", "words", "name", "says", "state") if entry.get(name)), ""
        )
        console.print(f"{entry['at'][11:19]}  {step:8}{entry['event']:15}{escape(words)}")


FAIL_ON = ("slower", "requests")


@runs_app.command("compare")
def compare_two_runs(
    first: Annotated[str, typer.Argument(metavar="A", help="The run to compare with, as for RUN elsewhere.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The run that is compared with it.")],
    *,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            help="End with exit code 1 if a step became slower (slower), asks otherwise (requests), or both (a comma).",
            show_default=False,
        ),
    ] = None,
    runs: Runs = Path("runs"),
    env_file: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Say which steps became slower or faster from run A to run B, and which ask servers otherwise."""
    from runner.comparison import compare_runs

    kinds = [kind.strip() for value in fail_on or [] for kind in value.split(",")]
    for kind in kinds:
        if kind not in FAIL_ON:
            raise WrongUsage(f'--fail-on: "{kind}" is none of {", ".join(FAIL_ON)}')
    compared = compare_runs(open_ledger(runs, env_file), first, second)
    if "requests" in kinds and compared.requests is None:
        raise WrongUsage("--fail-on requests: " + next(line for line in compared.lines() if "cannot be" in line))
    if as_json:
        sys.stdout.write(json.dumps(compared.as_json(), ensure_ascii=False) + "\n")
    else:
        print_table(
            [("step", "A", "B", "", "usual", "waited outside"), *(pace.row() for pace in compared.paces)],
        )
        for line in compared.lines():
            out().print(escape(line))
    if found := compared.found(*dict.fromkeys(kinds)):
        raise Differs(f"{', '.join(found)} from {compared.a.record.id} to {compared.b.record.id}")


@runs_app.command("times")
def show_times(
    *,
    flow: Annotated[str | None, typer.Option("--flow", help="Only runs of this flow.", show_default=False)] = None,
    edition: Annotated[
        str | None, typer.Option("--edition", help="Only runs of this edition.", show_default=False)
    ] = None,
    last: Annotated[int, typer.Option(help="So many runs that are alike, the latest.", min=1)] = 20,
    runs: Runs = Path("runs"),
    env_file: EnvFile = None,
    as_json: AsJson = False,
) -> None:
    """Show how long the steps took in the runs that are done: their acts, without screenshots and waiting."""
    from runner.pages import duration
    from runner.timing import times

    refuse_unknown(flow, edition)
    found = times(open_ledger(runs, env_file), flow=flow, edition=edition, last=last)
    if as_json:
        told = [{**kind._asdict(), "steps": [step.as_json() for step in steps]} for kind, steps in found.items()]
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    if not found:
        out().print('no such run is done; "guiderunner runs" lists all')
    for kind, steps in found.items():
        out().print(escape(str(kind)))
        rows: list[tuple[str, ...]] = [("  step", "runs", "min", "median", "spread", "last", "waited outside (median)")]
        for step in steps:
            worked = step.worked
            told_times = (min(worked.seconds), worked.median, worked.spread, worked.seconds[0])
            waited = duration(step.waited.median) if step.waited else ""
            rows.append((f"  {step.label}", str(len(worked.seconds)), *map(duration, told_times), waited))
        print_table(rows)


def refuse_unknown(flow: str | None, edition: str | None) -> None:
    """Refuse names of which there can be no run.

    Args:
        flow: A flow's name; None for any.
        edition: One of its editions, or of any flow's; None for any.

    Raises:
        WrongUsage: There is no such flow, or no such edition.
    """
    from runner.flow import find_flow, load_flows

    if flow:
        find_flow(flow, edition)
    elif edition:
        there = [one.edition for any_edition in load_flows().values() for one in any_edition.editions]
        if edition not in there:
            raise WrongUsage(f'--edition: no flow has an edition "{edition}"; there are: {", ".join(sorted(there))}')


@runs_app.command("give-up")
def give_up(run_id: RunId, *, runs: Runs = Path("runs"), env_file: EnvFile = None) -> None:
    """Give a run up: another one may begin the same anew. Look first what this one has done."""
    ledger = open_ledger(runs, env_file)
    record = ledger.give_up(ledger.find(run_id))
    console = out()
    console.print(f"{escape(record.id)} is given up. What it has done stays: {escape(record.site)}")
    for entry in ledger.entries(record.id):
        if entry["event"] == "about to":
            console.print(f"  {entry['at'][:19].replace('T', ' ')}  {escape(entry['words'])}")
