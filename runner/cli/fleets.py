"""The commands `fleet ...` and `worker`: a flow for many sites."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from runner.cli.consoles import err, out, print_table
from runner.cli.options import BrowserOption, EachAsJson, EditionOption, EnvFile, Runs
from runner.cli.performing import deliver, kept_sign_ins, notify
from runner.cli.recorded import open_ledger
from runner.cli.reporting import fleet_folder
from runner.errors import Missing, SitesLeft, WrongUsage

PROGRAM = [sys.executable, "-m", "runner.cli"]
"""What starts a command of ours as a process of its own."""


class FleetGroup(TyperGroup):
    """A group whose command `run` may be left out: `fleet sites.csv`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer's context
        """Put the command in where there is a file or an option of it instead."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["run", *args]
        return super().parse_args(ctx, args)


fleet_app = typer.Typer(
    name="fleet",
    cls=FleetGroup,
    help='Perform a flow for many sites: "fleet sites.csv" is short for "fleet run sites.csv".',
    no_args_is_help=True,
    subcommand_metavar="SITES | COMMAND [ARGS]...",
    rich_markup_mode=None,
)
Sites = Annotated[
    Path,
    typer.Argument(
        metavar="SITES",
        help="CSV file. A column for a secret holds the name of an environment variable, never the secret; settings "
        "without a column come from the environment.",
    ),
]


def phase_command(runs: Path, browser: str, env_file: Path | None) -> list[str]:
    """What starts one phase of a site."""
    more = ["--env-file", str(env_file)] if env_file else []
    return [*PROGRAM, "phase", "--runs", str(runs), "--browser", browser, *more]


def fleet_engine() -> Any:  # noqa: ANN401 - a module
    """The module for fleets.

    Raises:
        Missing: What it needs is not installed.
    """
    try:
        from runner import fleet
    except ModuleNotFoundError as error:
        raise Missing(f'fleets need the package "{error.name}": pip install "guiderunner[fleet]"') from None
    return fleet


@fleet_app.command("run")
def run_fleet(
    sites: Sites,
    *,
    flow: Annotated[str, typer.Option(help="The flow that is performed for each site.")] = "wordpress-migration",
    edition: EditionOption = None,
    concurrency: Annotated[int, typer.Option(help="Browsers at once on each machine.", min=1)] = 2,
    per_account: Annotated[str, typer.Option(help="How often each account's browsers may be opened.")] = "6/min",
    env_file: EnvFile = None,
    browser: BrowserOption = "chromium",
    runs: Runs = Path("runs"),
) -> None:
    """Perform a flow for each site of a CSV file; the same command goes on where an earlier one ended.

    What is done stays done, what failed or asked is taken up again. Exit code 0 only if all sites are done.
    """
    from runner.browser import BrowserSettings
    from runner.flow import find_flow
    from runner.ledger import Ledger, LedgerSettings
    from runner.notices import Notice, NoticeSettings
    from runner.roster import FleetSettings
    from runner.settings import environment
    from runner.sites import read_sites
    from runner.summary import Board, write_summary
    from runner.summary import counted as counted_states

    engine = fleet_engine()
    env = environment(env_file)
    BrowserSettings.load(env)
    rate = engine.Rate.of(per_account)
    settings = FleetSettings.load(env)
    notices = NoticeSettings.load(env)
    found = read_sites(sites, find_flow(flow, edition), env)
    ledger = Ledger.beside(runs, LedgerSettings.load(env))
    fleets = engine.Fleets(ledger)
    subjects = [site.subject for site in found]
    fleets.begin(found, sites.stem, concurrency=concurrency, per_account=rate)
    were_done = all(entry.state == "done" for entry in fleets.roster.find(subjects))
    worker = engine.Worker(ledger, settings, phase_command(runs, browser, env_file))
    with Board(err(), ledger, fleets.roster) as board:
        entries = engine.follow(fleets, subjects, worker, board.show)
    folder = fleet_folder(runs, sites.stem)
    write_summary(folder, sites.stem, entries, ledger)
    out().print(f"{counted_states(entries)}\nsummary: {escape(str(folder / 'summary.html'))}")
    left = [entry for entry in entries if entry.state != "done"]
    if not were_done:
        asks = any(entry.state == "asks" for entry in left)
        deliver(
            notices,
            Notice(
                run_id="",
                flow=flow,
                state="person needed" if asks else "failed" if left else "done",
                sentence=counted_states(entries),
                site=f"the fleet {sites.stem}",
                folder=str(folder),
            ),
        )
    if left:
        raise SitesLeft(
            f"{len(left)} of {len(entries)} sites are not done:\n"
            + "\n".join(f"  {entry.site}: {entry.state}: {entry.sentence}" for entry in left)
        )


@fleet_app.command("status")
def fleet_status(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Only the fleet of this name (its file's).")] = "",
    *,
    runs: Runs = Path("runs"),
    env_file: EnvFile = None,
    as_json: EachAsJson = False,
) -> None:
    """Show how far all sites are, and which machines work; from any machine with the same LEDGER_URL."""
    from runner.roster import Roster
    from runner.summary import counted as counted_states
    from runner.summary import lost, rows, with_steps

    ledger = open_ledger(runs, env_file)
    roster = Roster(ledger)
    entries = with_steps(ledger, roster.all(name))
    if as_json:
        for entry in entries:
            sys.stdout.write(json.dumps(vars(entry), ensure_ascii=False) + "\n")
        return
    console = out()
    print_table(rows(entries))
    console.print(counted_states(entries))
    for machine, silent in roster.machines().items():
        console.print(f"machine {escape(machine)}: gave a sign of life {silent:.0f} seconds ago")
    for sentence in lost(roster, entries):
        console.print(escape(sentence))


@fleet_app.command("recover")
def recover_machine(
    *,
    machine: Annotated[str, typer.Option(help="Name of the lost machine.")],
    runs: Runs = Path("runs"),
    env_file: EnvFile = None,
) -> None:
    """Put back what a lost machine was doing, so that another one takes it up. Refused while it gives signs of life."""
    engine = fleet_engine()
    number = engine.Fleets(open_ledger(runs, env_file)).recover(machine)
    out().print(f"{number} sites of machine {escape(machine)} are queued again")


def worker(*, env_file: EnvFile = None, browser: BrowserOption = "chromium", runs: Runs = Path("runs")) -> None:
    """Work on the sites of all fleets of the same LEDGER_URL, until it is interrupted.

    Each machine has its own name (GUIDERUNNER_MACHINE, or its host name) and the secrets in its own environment.
    """
    from runner.browser import BrowserSettings
    from runner.ledger import Ledger, LedgerSettings
    from runner.roster import FleetSettings
    from runner.settings import environment

    engine = fleet_engine()
    env = environment(env_file)
    BrowserSettings.load(env)
    settings = FleetSettings.load(env)
    ledger = Ledger.beside(runs, LedgerSettings.load(env))
    with engine.Worker(ledger, settings, phase_command(runs, browser, env_file)).working() as working:
        if not working:
            raise WrongUsage(
                f"a worker of machine {settings.machine} is at work already; another machine needs another name: "
                "GUIDERUNNER_MACHINE"
            )
        err().print(f"machine {escape(settings.machine)} works; Ctrl-C ends it")
        engine.Worker.here().wait()


def phase(*, runs: Runs = Path("runs"), browser: BrowserOption = "chromium", env_file: EnvFile = None) -> None:
    """Perform one phase of a site that stdin names; fleets start it."""
    from runner.ledger import Ledger, LedgerSettings
    from runner.notices import NoticeSettings
    from runner.phase import main as perform_phase
    from runner.settings import environment

    env = environment(env_file)
    outcome = perform_phase(
        env, runs=runs, browser=browser, signed_in=lambda flow, settings: kept_sign_ins(flow, settings, env)
    )
    if outcome["state"] == "asks":
        notify(NoticeSettings.load(env), Ledger.beside(runs, LedgerSettings.load(env)).find(outcome["run"]).folder)
