"""The command line; the only module that knows the flows and the sandbox, prints errors and sets exit codes."""

from __future__ import annotations

import json
import signal
import sys
import webbrowser
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperGroup

from runner.errors import (
    Differs,
    GuideDiffers,
    GuiderunnerError,
    ImagesDiffer,
    Missing,
    SitesLeft,
    StepFailed,
    WrongUsage,
)
from runner.interruptions import interruptible, is_interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from fixtures.faults import Fault
    from fixtures.sandbox import Sandbox
    from runner.accessibility import Accessibility
    from runner.drift import Comparison, Difference
    from runner.flow import Flow
    from runner.guide import Guide
    from runner.junit import Suite
    from runner.ledger import Ledger, Record
    from runner.machine import Need
    from runner.notices import NoticeSettings
    from runner.performance import Result
    from runner.regenerate import Decision
    from runner.settings import Settings

# Heavy modules (Playwright, Pillow, the stand-ins) are imported by the commands that use them: `--help` stays quick.

app = typer.Typer(
    name="guiderunner",
    help="Performs a written guide in a real browser, step by step, and photographs each step.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
    pretty_exceptions_enable=False,
)


def say_version(asked: bool) -> None:
    """Say which versions these are, for a report of a mistake, and end; nothing if it was not asked."""
    if asked:
        import platform
        from importlib import metadata

        versions = [f"{name} {metadata.version(name)}" for name in ("guiderunner", "playwright")]
        sys.stdout.write(", ".join([*versions, f"Python {platform.python_version()}"]) + "\n")
        raise typer.Exit


@app.callback()
def before_any_command(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=say_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Performs a written guide in a real browser, step by step, and photographs each step."""


BrowserName = Literal["chromium", "firefox", "webkit"]

EnvFile = Annotated[
    Path | None, typer.Option(help="File with the settings; the environment comes before it. Default: .env")
]
BrowserOption = Annotated[BrowserName, typer.Option("--browser", help="Which browser.")]
Headed = Annotated[bool, typer.Option("--headed", help="Show the browser.")]
SlowMo = Annotated[float, typer.Option(help="Milliseconds between the browser's acts.", min=0)]
NoPreflight = Annotated[
    bool, typer.Option("--no-preflight", help="Begin without checking beforehand that it can be done.")
]
Trace = Annotated[
    Literal["on", "off", "retain-on-failure"],
    typer.Option(help='Keep a Playwright trace, without secrets; that of "on" has a film strip.'),
]
Video = Annotated[bool, typer.Option("--video", help="Record each tab; secrets on it are covered.")]
Until = Annotated[int | None, typer.Option(help="Stop after this step.", min=1)]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help='End when there is only something to wait for; "resume" looks again.')
]
AccessibilityOption = Annotated[
    bool, typer.Option("--accessibility", help="Look for violations with axe on the page of each screenshot.")
]
Baseline = Annotated[
    Path | None,
    typer.Option(
        "--accessibility-baseline",
        help="The same, and end with exit code 1 if there are any that this JSON file does not know.",
    ),
]
Accept = Annotated[
    bool, typer.Option("--accept-accessibility", help="Write what is found to that file instead, as known.")
]
Runs = Annotated[Path, typer.Option(help="Folder in which each run gets its own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
FlowOption = Annotated[str, typer.Option("--flow", help="The flow that it is for.")]
EditionOption = Annotated[
    str | None,
    typer.Option("--edition", help="Edition of the guide. Default: the one that is recognised after its first step."),
]
WordPressOption = Annotated[
    str | None,
    typer.Option("--wordpress", help="Version of the sandbox's WordPress, such as 6.4; setup gets it. Default: 7.1."),
]
LanguageOption = Annotated[
    str | None,
    typer.Option("--language", help="Language of the sandbox's WordPress, such as de_DE, ar or ja. Default: English."),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id, or how it begins or ends.")]


def out() -> Console:
    """The console for results."""
    return Console(highlight=False, soft_wrap=True, emoji=False)


def err() -> Console:
    """The console for progress and errors."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


# -- run ----------------------------------------------------------------------------------------------------------


@app.command()
def run(
    flow: Annotated[str, typer.Argument(help='The flow, such as wordpress-migration; see "guiderunner list".')],
    *,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Perform it on the sandbox, with the sandbox's settings; needs no account."),
    ] = False,
    wordpress: WordPressOption = None,
    language: LanguageOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check only that it can be done, and say what would be done.")
    ] = False,
    no_preflight: NoPreflight = False,
    again: Annotated[bool, typer.Option("--again", help="Begin although an earlier run for this is done.")] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            help='What goes wrong with the sandbox, as NAME or NAME@STEP; again for more. "faults" lists them.',
            show_default=False,
        ),
    ] = None,
    edition: EditionOption = None,
    env_file: EnvFile = None,
    headed: Headed = False,
    slow_mo: SlowMo = 0,
    browser: BrowserOption = "chromium",
    trace: Trace = "retain-on-failure",
    video: Video = False,
    until: Until = None,
    no_wait: NoWait = False,
    verify: Annotated[bool, typer.Option("--verify", help="Compare the result with its origin at the end.")] = False,
    accessibility: AccessibilityOption = False,
    accessibility_baseline: Baseline = None,
    accept_accessibility: Accept = False,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Perform a flow, from the first step of its guide to the last."""
    from runner.browser import BrowserSettings, open_browser, open_while_importing
    from runner.flow import find_flow
    from runner.notices import NoticeSettings
    from runner.settings import environment

    found = find_flow(flow, edition)
    found.order(until=until)
    refuse_without_sandbox(sandbox, wordpress=wordpress, language=language)
    faults = find_faults(fault or [], found, sandbox=sandbox)
    if no_wait and sandbox:
        raise WrongUsage("--no-wait: the sandbox ends with the command, so there would be nothing to resume")
    if dry_run and (until or no_wait or verify or no_preflight or accessibility or accessibility_baseline):
        raise WrongUsage(
            "--dry-run is the preflight: it goes with none of --until, --no-wait, --verify, --no-preflight, "
            "--accessibility"
        )
    if verify and (until or no_wait):
        raise WrongUsage(
            '--verify needs the whole flow: it goes with neither --until nor --no-wait; "verify" can follow'
        )
    looks = looks_for_violations(accessibility_baseline, on=accessibility, accept=accept_accessibility)
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    settings = None if sandbox else found.settings.load(env)
    signed_in = kept_sign_ins(found, settings, env) if settings else None
    notices = NoticeSettings.load({} if sandbox or dry_run else env)
    with ExitStack() as stack:
        box = stack.enter_context(open_sandbox(edition, wordpress, language, faults)) if sandbox else None
        browsers = stack.enter_context(
            open_while_importing(
                lambda: open_browser(browser_settings, name=browser, headed=headed, slow_mo=slow_mo),
                *("runner.ledger", "runner.performance", "runner.progress"),
            )
        )
        from runner.ledger import Ledger, LedgerSettings, this_machine
        from runner.performance import Options, perform
        from runner.progress import Progress

        ledger = Ledger.beside(runs, LedgerSettings.load({} if sandbox else env))
        options = Options(
            until=until,
            trace=trace,
            video=video,
            wait=not no_wait,
            preflight=not no_preflight,
            again=again,
            resumable=not sandbox,
            signed_in=signed_in,
            only_preflight=dry_run,
            accessibility=looks,
            machine=this_machine(env),
            how=in_words(
                headed=headed,
                slow_mo=slow_mo and f"{slow_mo:g}",
                wordpress=wordpress,
                language=language,
                fault=",".join(sorted(fault or [])),
            ),
        )
        progress = stack.enter_context(Progress(err(), bringer(box, faults)))
        settings = settings or found.settings.load(box.settings() if box else env)
        try:
            result = perform(
                found,
                settings,
                browsers,
                runs=runs,
                ledger=ledger,
                reporter=progress,
                options=options,
                subject="" if sandbox else None,
            )
        finally:
            progress.stop()
            if progress.folder:
                tell(progress.folder, box.audit() if box else None, as_json=as_json)
                notify(notices, progress.folder)
        if dry_run and not as_json:
            for one in [found] if found.edition else found.editions:
                if one is not found:
                    out().print(f"if it turns out to be edition {escape(one.edition)}:")
                for step in one.steps:
                    out().print(f"would do step {step.number}: {escape(step.title)}")
        comparisons = [
            lambda: compare_accessibility(result, ledger, accessibility_baseline, accept=accept_accessibility)
        ]
        if verify:
            comparisons.append(lambda: compare(found, settings, ledger.find(result.id), as_json=as_json))
        compare_all(*comparisons)


def in_words(**options: object) -> tuple[str, ...]:
    """Options that make a run faster or slower, as its `runner.performance.Options.how`: those that are given."""
    named = {name.replace("_", "-"): value for name, value in options.items() if value}
    return tuple(name if value is True else f"{name} {value}" for name, value in named.items())


def refuse_without_sandbox(sandbox: bool, **given: str | None) -> None:
    """Refuse what is about the sandbox where a run is not performed on it.

    Args:
        sandbox: It is.
        given: The options by name.

    Raises:
        WrongUsage: One is given all the same.
    """
    for name, value in given.items():
        if value and not sandbox:
            raise WrongUsage(f"--{name} is about the sandbox: it goes with --sandbox only")


@app.command()
def resume(
    run_id: RunId,
    *,
    answer: Annotated[
        str | None, typer.Option(help="Answer to the question that the run stopped with: yes, no, or what it asks for.")
    ] = None,
    env_file: EnvFile = None,
    headed: Headed = False,
    slow_mo: SlowMo = 0,
    browser: BrowserOption = "chromium",
    trace: Trace = "retain-on-failure",
    video: Video = False,
    until: Until = None,
    no_wait: NoWait = False,
    accessibility: AccessibilityOption = False,
    accessibility_baseline: Baseline = None,
    accept_accessibility: Accept = False,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Take up a run where it was left: what is done is not done again.

    Passwords and all that can change is read from the settings as they are now; what the run is about stays.
    """
    from runner.browser import BrowserSettings, open_browser
    from runner.flow import find_flow
    from runner.ledger import Ledger, LedgerSettings, this_machine
    from runner.notices import NoticeSettings
    from runner.performance import Options, refuse_ended
    from runner.performance import resume as take_up
    from runner.progress import Progress
    from runner.settings import environment

    looks = looks_for_violations(accessibility_baseline, on=accessibility, accept=accept_accessibility)
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    ledger = Ledger.beside(runs, LedgerSettings.load(env))
    record = ledger.find(run_id)
    refuse_ended(record)
    found = find_flow(record.flow, record.edition)
    settings = found.settings.load_again(env, record.settings)
    notices = NoticeSettings.load(env)
    options = Options(
        until=until,
        trace=trace,
        video=video,
        wait=not no_wait,
        signed_in=kept_sign_ins(found, settings, env),
        accessibility=looks,
        machine=this_machine(env),
        how=in_words(headed=headed, slow_mo=slow_mo and f"{slow_mo:g}"),
    )
    with Progress(err()) as progress:
        try:
            result = take_up(
                found,
                settings,
                lambda: open_browser(browser_settings, name=browser, headed=headed, slow_mo=slow_mo),
                record=record,
                ledger=ledger,
                runs=runs,
                reporter=progress,
                options=options,
                answer=answer,
            )
        finally:
            progress.stop()
            if progress.folder:
                tell(progress.folder, None, as_json=as_json)
                notify(notices, progress.folder)
        compare_accessibility(result, ledger, accessibility_baseline, accept=accept_accessibility)


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


def kept_sign_ins(flow: Flow[Any], settings: Settings, env: Mapping[str, str]) -> dict[str, Any] | None:
    """What "login" has kept for this flow with these settings, as one state; None if nothing is kept."""
    from runner.sign_ins import kept_for

    return kept_for(flow, settings, env)


def notify(notices: NoticeSettings, folder: Path) -> None:
    """Tell people elsewhere how a run ended, or that it needs one of them, where that is set; waiting is no news."""
    from runner.notices import Notice, send
    from runner.secrets import Secrets

    if not (folder / "result.json").is_file():
        return  # it held a secret and was deleted, or could not be written; the error says so
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if result["state"] in ("waiting", "dry run"):
        return
    failure = result["failure"] or {}
    notice = Notice(
        run_id=result["id"],
        flow=result["flow"],
        state="person needed" if failure.get("needs_person") else result["state"],
        sentence=". ".join(filter(None, (failure.get("sentence"), failure.get("resume")))),
        step=failure.get("step"),
        site=result["site"],
        folder=result["folder"],
    )
    for sentence in send(notices, notice, Secrets()):
        err().print(f"[yellow]{escape(sentence)}[/]")


@app.command()
def login(
    place: Annotated[str, typer.Argument(help="Where, such as dashboard or wp-admin.")],
    *,
    flow: FlowOption = "wordpress-migration",
    env_file: EnvFile = None,
    browser: BrowserOption = "chromium",
    patience: Annotated[float, typer.Option(help="Seconds that you may take.", min=1)] = 600,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what is kept instead.")] = False,
) -> None:
    """Sign in by hand in a browser that opens, where a password is not enough; runs use it until it ends."""
    from runner.browser import BrowserSettings, context_options, open_browser
    from runner.flow import find_flow
    from runner.settings import environment
    from runner.sign_ins import SignIns, SignInSettings, by_hand

    env = environment(env_file)
    found = find_flow(flow)
    places = {one.called: one for one in found.logins(found.settings.load(env))}
    if place not in places:
        raise WrongUsage(f'there is no "{place}" to log in to; there are: {", ".join(places)}')
    kept = SignIns(SignInSettings.load(env))
    if forget:
        kept.forget(places[place].name)
        out().print(f"nothing is kept of {escape(place)} any more")
        return
    kept.check()
    with open_browser(BrowserSettings.load(env), name=browser, headed=True) as opened:
        out().print(f"sign in to {escape(places[place].address)} in the browser that has opened")
        state = by_hand(opened, places[place], patience=patience, **context_options())
    kept.keep(places[place].name, state)
    out().print(f"the sign-in to {escape(place)} is kept, encrypted; runs use it until it ends")


@app.command()
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


# -- runs ---------------------------------------------------------------------------------------------------------

runs_app = typer.Typer(
    name="runs",
    help="List the runs, show, compare or give up one, or tell their times.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
app.add_typer(runs_app)


def open_ledger(runs: Path, env_file: Path | None) -> Ledger:
    """The ledger that is there; a command that only looks makes none.

    Raises:
        WrongUsage: There is none.
    """
    from runner.ledger import Ledger, LedgerSettings
    from runner.settings import environment

    settings = LedgerSettings.load(environment(env_file))
    if settings.url is None and not (runs / "ledger.db").is_file():
        raise WrongUsage(f"there are no runs in {runs}: begin one, or name their folder with --runs")
    return Ledger.beside(runs, settings)


@runs_app.callback()
def list_runs(
    context: typer.Context, *, runs: Runs = Path("runs"), env_file: EnvFile = None, as_json: AsJson = False
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


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows, the first of them the columns' names, one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        out().print(escape("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()))


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


@app.command()
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


def tell(folder: Path, audit: dict[str, Any] | None, *, as_json: bool) -> None:
    """Print how a run ended, from what it has written to its folder.

    Args:
        folder: `runs/<id>`.
        audit: What the sandbox saw, if the run was performed on it.
        as_json: One JSON object instead of lines for a person.
    """
    if not (folder / "result.json").is_file():
        return  # it held a secret and was deleted; the error says so
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if as_json:
        sys.stdout.write(json.dumps(result | ({"sandbox": audit} if audit else {}), ensure_ascii=False) + "\n")
        return
    console = out()
    console.print(f"{result['state']}: {result['steps_done']} steps in {result['seconds']:.0f} s")
    if result["state"] in ("waiting", "stopped") and audit is None:
        console.print(f"go on with: guiderunner resume {escape(result['id'])}")
    for name, value in result["facts"].items():
        console.print(f"{name.replace('_', ' ')}: {escape(value)}")
    if audit:
        console.print(f"the sandbox saw: {escape(counted(audit))}")
    for name in ("trace", "videos"):
        if result[name]:
            console.print(f"{name}: {escape(str(folder / result[name] if name == 'trace' else folder / name))}")
    pictures = folder / "screenshots"
    if result["screenshots"]:
        console.print(f"pictures: {len(result['screenshots'])} in {escape(str(pictures))}")


def counted(audit: dict[str, Any]) -> str:
    """The sandbox's audit in one line."""
    numbers = {name: len(value) if isinstance(value, list) else value for name, value in audit.items()}
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in numbers.items() if number) or "nothing"


def find_faults(names: Sequence[str], flow: Flow[Any], *, sandbox: bool) -> list[Fault]:
    """The faults of these names, each as NAME or NAME@STEP.

    Args:
        names: What was typed.
        flow: The flow whose steps they are to happen at.
        sandbox: It is performed on the sandbox.

    Raises:
        WrongUsage: There is no such fault, it cannot happen at that step, or there is no sandbox.
    """
    if not names:
        return []
    if not sandbox:
        raise WrongUsage("--fault: it is the sandbox that something goes wrong with: add --sandbox")
    from fixtures.faults import UnknownFault, WrongMoment, find

    try:
        faults = [find(name) for name in names]
    except (UnknownFault, WrongMoment) as error:
        raise WrongUsage(f"--fault: {error}") from None
    most = max(len(one.steps) for one in ([flow] if flow.edition else flow.editions))
    for fault in faults:
        if fault.step is not None and not 1 <= fault.step <= most:
            raise WrongUsage(f"--fault: {fault.name}@{fault.step}: {flow.name} has steps 1 to {most}")
    return faults


def bringer(box: Sandbox | None, faults: Sequence[Fault]) -> Callable[[int], None]:
    """What brings faults about when a step begins for the first time.

    Args:
        box: The sandbox; None where there is none, and no faults.
        faults: Those that have a step are brought about; the others are there from the start.
    """
    coming = [fault for fault in faults if fault.step is not None]

    def bring(step: int) -> None:
        for fault in [fault for fault in coming if fault.step == step]:
            coming.remove(fault)
            if box:
                box.cause(fault)

    return bring


@contextmanager
def open_sandbox(
    edition: str | None = None,
    wordpress: str | None = None,
    language: str | None = None,
    faults: Sequence[Fault] = (),
) -> Iterator[Sandbox]:
    """Start the sandbox, and stop it at the end.

    Args:
        edition: The edition of the guide that its dashboard follows; None for the one that it follows usually.
        wordpress: The version of its WordPress; None for the latest one that it has.
        language: That WordPress's language; None for English.
        faults: What goes wrong with it.

    Raises:
        Missing: Something that it needs is not on this machine.
        WrongUsage: Its dashboard does not know this edition, or it has no such WordPress.
    """
    try:
        from fixtures.errors import Missing as MissingForSandbox
        from fixtures.errors import SandboxError, WrongChoice
        from fixtures.sandbox import Sandbox
        from fixtures.wordpress import SourceOptions
        from fixtures.wordpress_versions import LATEST
        from fixtures.world import WrongBehaviour
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None
    try:
        source = SourceOptions(wordpress=wordpress or LATEST, language=language or "")
        box = Sandbox(source=source, behaviour={"edition": edition} if edition else None, faults=faults)
    except WrongBehaviour as error:
        raise WrongUsage(f"--edition: {error}") from None
    except WrongChoice as error:
        raise WrongUsage(str(error)) from None
    except MissingForSandbox as error:
        raise Missing(str(error)) from None
    except SandboxError as error:
        raise GuiderunnerError(f"the sandbox did not start: {error}") from None
    with box:
        yield box


# -- fleets -------------------------------------------------------------------------------------------------------

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
app.add_typer(fleet_app)

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


def fleet_folder(runs: Path, name: str) -> Path:
    """A new folder for the report of a fleet."""
    return runs / f"fleet-{name}-{datetime.now(UTC).strftime('%Y%m%d-%H%M%S')}"


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
    found = read_sites(sites, find_flow(flow, edition), env)
    ledger = Ledger.beside(runs, LedgerSettings.load(env))
    fleets = engine.Fleets(ledger)
    subjects = [site.subject for site in found]
    fleets.begin(found, sites.stem, concurrency=concurrency, per_account=rate)
    worker = engine.Worker(ledger, settings, phase_command(runs, browser, env_file))
    with Board(err(), ledger, fleets.roster) as board:
        entries = engine.follow(fleets, subjects, worker, board.show)
    folder = fleet_folder(runs, sites.stem)
    write_summary(folder, sites.stem, entries, ledger)
    out().print(f"{counted_states(entries)}\nsummary: {escape(str(folder / 'summary.html'))}")
    left = [entry for entry in entries if entry.state != "done"]
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
    as_json: AsJson = False,
) -> None:
    """Show how far all sites are, and which machines work; from any machine with the same LEDGER_URL."""
    from runner.roster import Roster
    from runner.summary import counted as counted_states
    from runner.summary import lines, lost, with_steps

    ledger = open_ledger(runs, env_file)
    roster = Roster(ledger)
    entries = with_steps(ledger, roster.all(name))
    if as_json:
        for entry in entries:
            sys.stdout.write(json.dumps(vars(entry), ensure_ascii=False) + "\n")
        return
    console = out()
    for line in (*lines(entries), counted_states(entries)):
        console.print(escape(line))
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


@app.command()
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


@app.command(hidden=True)
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


# -- sandbox ------------------------------------------------------------------------------------------------------


@app.command()
def sandbox(
    *,
    edition: Annotated[
        str | None, typer.Option(help="Edition of the guide that its dashboard follows. Default: 2024.")
    ] = None,
    wordpress: WordPressOption = None,
    language: LanguageOption = None,
) -> None:
    """Start the sandbox, print its addresses and sign-ins, and keep it until Ctrl-C."""
    console = out()
    with open_sandbox(edition, wordpress, language) as box:
        console.print("The sandbox is running; Ctrl-C stops it. Settings for a run:")
        for name, value in box.settings().items():
            console.print(f"{name}={escape(value)}")
        console.print(f"what was done:   {box.dashboard_url}/audit")
        console.print(f"misbehaviour:    {box.dashboard_url}/behave (GET shows, POST changes, DELETE resets)")
        signal.pause()


@app.command()
def faults(
    name: Annotated[str | None, typer.Argument(help="One of them. Default: all.", show_default=False)] = None,
    *,
    flow: FlowOption = "wordpress-migration",
    as_json: AsJson = False,
    format_: Annotated[Literal["table", "markdown"], typer.Option("--format", help="How they are listed.")] = "table",
) -> None:
    """List what can go wrong outside, and for each what a run says then, what is left behind, if "resume" helps."""
    from fixtures.faults import CATALOGUE, UnknownFault, find
    from runner.flow import editions_of

    try:
        found = [find(name)] if name else list(CATALOGUE.values())
    except UnknownFault as error:
        raise WrongUsage(str(error)) from None
    path = editions_of(flow)[0].look.with_name("faults.json")
    outcomes: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    rows = [fault_as_row(fault, outcomes[fault.name]) for fault in found]
    if as_json:
        told = [{**asdict(fault), "outcome": outcomes[fault.name]} for fault in found]
        sys.stdout.write(json.dumps(told[0] if name else told, ensure_ascii=False) + "\n")
    elif format_ == "markdown":
        for cells in (list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)):
            sys.stdout.write(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n")
    else:
        for row in rows:
            first, *others = row.items()
            out().print(f"[bold]{escape(first[1])}[/]")
            for title, cell in others:
                out().print(f"  {title.lower() + ':':14}{escape(cell)}")


def fault_as_row(fault: Fault, outcome: dict[str, Any]) -> dict[str, str]:
    """A fault and how a run ends that meets it, as a row's cells by their titles.

    Args:
        fault: The fault.
        outcome: As it was recorded.
    """
    from fixtures.faults import GROUPS

    ends = {"done": "done", "failed": "stops", "asks": "asks"}[outcome["state"]]
    where = "in the preflight" if outcome["step"] == 0 else f"at step {outcome['step']}"
    moment = "" if fault.step is None else f" (at step {fault.step})"
    return {
        "Fault": fault.name,
        "Where": GROUPS[fault.group],
        "What happens": fault.says + moment,
        "The run": ends if outcome["step"] is None else f"{ends} {where}",
        "Exit code": str(outcome["exit_code"]),
        "What it says": outcome["sentence"] or "nothing of it",
        "Left behind": ", ".join(outcome["left"]) or ("nothing" if outcome["exit_code"] else "what the guide makes"),
        "Resume helps": outcome["resume"],
    }


# -- list and check -----------------------------------------------------------------------------------------------


@app.command("list")
def list_flows(
    *,
    env: Annotated[bool, typer.Option("--env", help="Show their settings instead, as a .env file to fill in.")] = False,
) -> None:
    """Show the flows in all their editions: steps, the guide's words and the images."""
    from runner.flow import load_flows
    from runner.settings import example

    for flow in load_flows().values():
        if env:
            sys.stdout.write(example(*all_settings(flow)))
            continue
        for one in flow.editions:
            list_steps(one)


def list_steps(flow: Flow[Any]) -> None:
    """Print the steps of one edition of a flow."""
    console = out()
    console.print(f"[bold]{escape(flow.name)}[/], edition {escape(flow.edition)}")
    for step in flow.steps:
        console.print(f"  {step.number}  {escape(step.title)}")
        if step.says:
            console.print(f"     says  {escape(step.words)}")
        for image in step.screenshots:
            about = "" if image in step.images else " (not in the guide)"
            about += " (in some cases)" if image in step.may_show else ""
            console.print(f"     shows {escape(image)}{about}")


def all_settings(flow: Flow[Any]) -> list[type[Settings]]:
    """The settings of a flow, and those that all flows have in common."""
    from runner.browser import BrowserSettings
    from runner.ledger import LedgerSettings
    from runner.notices import NoticeSettings
    from runner.roster import FleetSettings
    from runner.sign_ins import SignInSettings

    return [flow.settings, BrowserSettings, LedgerSettings, NoticeSettings, SignInSettings, FleetSettings]


@app.command()
def check(
    guides: Annotated[
        list[Path], typer.Argument(metavar="GUIDE", help="The guide's Markdown file, or a folder: the guides in it.")
    ],
    *,
    flow: Annotated[
        str | None, typer.Option("--flow", help="The flow that performs it. Default: the one that fits it best.")
    ] = None,
    edition: Annotated[
        str | None, typer.Option("--edition", help="Its edition. Default: the one that fits the guide best.")
    ] = None,
    images_root: Annotated[
        Path | None, typer.Option(help="The image folder; images that are neither there nor beside the guide differ.")
    ] = None,
    partials: Annotated[
        Path | None, typer.Option(help="Folder of what the guide includes. Default: a folder partials above it.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Count advice too: alt texts that are missing or repeated.")
    ] = False,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print the patch that makes the guide true instead, for git apply.")
    ] = False,
    form: Annotated[
        Literal["text", "json", "github"],
        typer.Option("--format", help="Lines, JSON, or annotations for GitHub's workflows."),
    ] = "text",
    live: Annotated[
        bool, typer.Option("--live", help="Perform the flow too, and compare the guide's words with the pages.")
    ] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="With --live: perform it on the sandbox.")] = False,
    env_file: EnvFile = None,
    browser: BrowserOption = "chromium",
    runs: Runs = Path("runs"),
) -> None:
    """Compare guides with their flow: steps, bold words, images. Exit code 3 and a line for each difference."""
    from runner.drift import Comparison

    if patch and form != "text":
        raise WrongUsage("--patch is a format of its own: it does not go with --format")
    for option, folder in (("--images-root", images_root), ("--partials", partials)):
        if folder and not folder.is_dir():
            raise WrongUsage(f"{option}: {folder} is not a folder")
    if sandbox and not live:
        raise WrongUsage("--sandbox goes with --live only")
    found = find_guides(guides, flow, edition, partials)
    compared = [Comparison(guide, its, images_root=images_root, strict=strict) for guide, its in found]
    if live:
        if len(found) > 1:
            raise WrongUsage(f"--live performs the flow of one guide: name its file. Here are {len(found)} guides")
        perform = partial(
            run,
            found[0][1].name,
            edition=found[0][1].edition,
            sandbox=sandbox,
            env_file=env_file,
            browser=browser,
            runs=runs,
        )
        compared = [replace(compared[0], on_page=tuple(look_at_pages(*found[0], perform)))]
    if patch:
        print_patch(compared)
    else:
        print_findings(compared, form)


def look_at_pages(guide: Guide, flow: Flow[Any], perform: Callable[[], None]) -> list[Difference]:
    """Perform a guide's flow, and say which of the guide's words the pages do not have.

    Args:
        guide: The guide.
        flow: Its flow.
        perform: Performs it; what it prints goes to stderr.

    Raises:
        StepFailed: A step failed, and not because of the guide's words.
    """
    from runner.drift import differences_on_page

    try:
        with redirect_stdout(sys.stderr):
            perform()
    except StepFailed as failed:
        differences = differences_on_page(guide, flow, failed.failure)
        if not differences:
            raise
        err().print(escape(str(failed)))
        return differences
    return []


def each_once(some: Iterable[Difference]) -> list[Difference]:
    """Without what was found again because it stands in a file that several guides include."""
    return list({str(one): one for one in some}.values())


def counted_differences(some: Sequence[Difference]) -> str:
    """How many there are, in words."""
    return f"{len(some)} difference{'s' * (len(some) != 1)}"


def print_findings(compared: Sequence[Comparison], form: str) -> None:
    """Print in what guides and flows differ.

    Args:
        compared: The guides.
        form: text, json or github.

    Raises:
        GuideDiffers: They do differ.
    """
    findings = each_once(one for comparison in compared for one in comparison.findings)
    differences = each_once(one for comparison in compared for one in comparison.differences)
    if form == "json":
        sys.stdout.write(json.dumps([one.as_json() for one in findings], ensure_ascii=False) + "\n")
    elif form == "github":
        sys.stdout.writelines(f"{one.as_annotation()}\n" for one in findings)
    else:
        for one in findings:
            if one.severity == "advice":
                out().print(f"advice: {escape(str(one))}")
        for comparison in compared:
            if not comparison.differences:
                guide, its = escape(comparison.guide.name), comparison.flow
                which = f"{its.name}, edition {its.edition}," if len(its.editions) > 1 else its.name
                out().print(f"{guide} and {escape(which)} agree: {len(its.steps)} steps.")
    if differences:
        raise GuideDiffers([*map(str, differences)] if form == "text" else [counted_differences(differences)])


def print_patch(compared: Sequence[Comparison]) -> None:
    """Print the patch that makes guides true, and nothing else; on stderr what it leaves.

    Raises:
        GuideDiffers: Guides and flows differ.
    """
    from runner.drift import patched, unified_diff

    differences = each_once(one for comparison in compared for one in comparison.differences)
    left = each_once(one for comparison in compared for one in comparison.left_by_patch())
    sys.stdout.buffer.write(unified_diff(patched(differences)).encode())
    sys.stdout.flush()
    if left:
        raise GuideDiffers(["a patch cannot make all of it true:", *map(str, left)])
    if differences:
        raise GuideDiffers([f"{counted_differences(differences)}, none with the patch"])


def candidates(flow: str | None, edition: str | None) -> list[Flow[Any]]:
    """The editions of flows that a user may mean.

    Args:
        flow: Name of the flow, if the user gives it.
        edition: The edition, if the user gives it.

    Raises:
        WrongUsage: There is no such flow, or no such edition of it.
    """
    from runner.flow import find_flow, load_flows

    flows = [find_flow(flow)] if flow else load_flows().values()
    editions = [one for each in flows for one in each.editions]
    found = [one for one in editions if edition in (None, one.edition)]
    if not found:
        there = ", ".join(f"{one.name} {one.edition}" for one in editions)
        raise WrongUsage(f'--edition: there is no edition "{edition}"; there are: {there}')
    return found


def find_guides(
    paths: Sequence[Path], flow: str | None, edition: str | None, partials: Path | None
) -> list[tuple[Guide, Flow[Any]]]:
    """The guides that a user names, and those in the folders that a user names, each with its flow.

    Args:
        paths: Files and folders.
        flow: Name of the flow, if the user gives it.
        edition: Its edition, if the user gives it; else the one that fits best.
        partials: Folder of what the guides include.
    """
    from runner.guide import closest, flow_of, guides_in, read_guide

    wanted = candidates(flow, edition)
    flows = candidates(None, edition)

    def passed_over(why: str) -> None:
        err().print(f"passed over: {escape(why)}")

    found: list[tuple[Guide, Flow[Any]]] = []
    for path in paths:
        if path.is_dir():
            found += guides_in(path, flows, named=flow, partials=partials, passed_over=passed_over)
        else:
            guide = read_guide(path, partials=partials)
            found.append((guide, closest(guide, wanted) if flow else flow_of(guide, wanted)))
    return list({guide.path.resolve(): (guide, its) for guide, its in found}.values())


# -- regenerate ---------------------------------------------------------------------------------------------------

SANDBOX_CLOCK = datetime(2024, 6, 3, 9, 30)  # noqa: DTZ001 - each browser reads it in its own time zone
"""Where the sandbox's pages are, it is always this time: their images do not change with the day."""


def parsed(option: str, values: list[str], read: Callable[[str], Any]) -> list[Any]:
    """Each value of an option, read.

    Raises:
        WrongUsage: One cannot be; names the option.
    """
    try:
        return [read(value) for value in values]
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None


def as_size(text: str) -> tuple[int, int]:
    """Width and height, as 1280x800.

    Raises:
        ValueError: It is not written so.
    """
    from runner.look import size

    numbers = text.split("x")
    if not all(number.isdecimal() for number in numbers):
        raise ValueError(f'"{text}" is not a width and a height, such as 1280x800')
    return size(list(map(int, numbers)))


def as_scale(text: str) -> float:
    """Device pixels for each CSS pixel.

    Raises:
        ValueError: It is no such number.
    """
    from runner.look import scale_factor

    return scale_factor(float(text) if text.replace(".", "", 1).isdecimal() else text)


@app.command()
def regenerate(
    guide: Annotated[
        Path | None,
        typer.Argument(
            help="The guide's Markdown file; without it all images of the flow.", show_default=False, dir_okay=False
        ),
    ] = None,
    *,
    flow: Annotated[
        str | None, typer.Option("--flow", help="The flow. Default: the one that fits the guide best.")
    ] = None,
    edition: Annotated[
        str | None,
        typer.Option("--edition", help="Its edition. Default: the one that fits the guide best; on the sandbox 2024."),
    ] = None,
    images_root: Annotated[
        Path | None,
        typer.Option(help="Folder that the guide's images lie below. Default: screenshots/FLOW", show_default=False),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit code 4 if images would change.")] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Take them on the sandbox, with the sandbox's settings; needs no account.")
    ] = False,
    look_file: Annotated[
        Path | None,
        typer.Option(
            "--look", help="TOML file on top of the flow's own that says how images look.", show_default=False
        ),
    ] = None,
    accept_environment: Annotated[
        bool,
        typer.Option("--accept-environment", help="Compare also with images from another browser or other fonts."),
    ] = False,
    color_scheme: Annotated[
        list[str] | None, typer.Option(help="light or dark; again for both.", show_default=False)
    ] = None,
    locale: Annotated[list[str] | None, typer.Option(help="Such as de-DE; again for more.", show_default=False)] = None,
    viewport: Annotated[
        list[str] | None, typer.Option(help="Such as 390x844; again for more.", show_default=False)
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(help="Device pixels for each CSS pixel; again for more.", show_default=False)
    ] = None,
    no_preflight: NoPreflight = False,
    again: Annotated[bool, typer.Option("--again", help="Begin although an earlier run for this is done.")] = False,
    env_file: EnvFile = None,
    headed: Headed = False,
    browser: BrowserOption = "chromium",
    trace: Trace = "off",
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Take a guide's images anew and replace, all or none, those in which a reader would see a change."""
    from runner.browser import SAME_PIXELS, BrowserSettings, open_browser, open_while_importing
    from runner.look import Look
    from runner.publish import held
    from runner.regenerate import Regeneration, may_show, sittings, wanted_images
    from runner.settings import environment
    from runner.studio import Studio

    if guide is None and edition is None and not sandbox:
        raise WrongUsage("it is not known which edition's images are wanted: name the guide, or --edition")
    read, found = (
        find_guides([guide], flow, edition, None)[0]
        if guide
        else (None, candidates(flow or "wordpress-migration", edition)[0])
    )
    images = wanted_images(found, read)
    look = Look.read(found.look, *([look_file] if look_file else []))
    if sandbox and look.clock is None:
        look = replace(look, clock=SANDBOX_CLOCK)
    parts = sittings(look, forms(color_scheme, locale, viewport, scale))
    if len(parts) > 1 and not sandbox:
        raise WrongUsage(
            "each --locale and each --scale is a run of its own, and what a flow does it does once: give them one by "
            "one, with settings for another run"
        )
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    settings = None if sandbox else found.settings.load(env)
    signed_in = kept_sign_ins(found, settings, env) if settings else None
    target = images_root or Path("screenshots") / found.name
    with ExitStack() as stack:
        if not check:
            target = stack.enter_context(held(target))
        names = [variant.name(image) for _, variants in parts for variant in variants for image in images]
        may_lack = [variant.name(image) for _, variants in parts for variant in variants for image in may_show(found)]
        regeneration = Regeneration(target, names, may_lack=may_lack, accept=accept_environment)
        box = stack.enter_context(open_sandbox(found.edition)) if sandbox else None
        browsers = stack.enter_context(
            open_while_importing(
                partial(
                    open_browser,
                    browser_settings,
                    name=browser,
                    headed=headed,
                    switches=SAME_PIXELS.get(browser, ()),
                ),
                *("runner.ledger", "runner.performance", "runner.progress", "runner.review"),
            )
        )
        from runner.ledger import Ledger, LedgerSettings, this_machine
        from runner.performance import Options, perform
        from runner.progress import Progress
        from runner.review import write_review

        progress = stack.enter_context(Progress(err()))
        for number, (part, variants) in enumerate(parts):
            if box and number:
                box.reset()
                box.fresh_source()
            performed = settings or found.settings.load(box.settings() if box else env)
            studio = Studio(part, performed.plain(), variants, developed=regeneration.decide, wanted=images)
            result = perform(
                found,
                performed,
                partial(regeneration.open_browser, browsers, studio, images),
                runs=runs,
                ledger=Ledger.beside(runs, LedgerSettings.load({} if sandbox else env)),
                reporter=progress,
                options=Options(
                    trace=trace,
                    preflight=not no_preflight,
                    again=again,
                    resumable=not sandbox,
                    signed_in=signed_in,
                    studio=studio,
                    machine=this_machine(env),
                    how=in_words(headed=headed),
                ),
                subject="" if sandbox else None,
            )
        progress.stop()
        decisions = regeneration.in_order()
        show(decisions, as_json=as_json)
        # Of several runs the last one's folder holds the review of all.
        for path in write_review(Path(result.folder), found, target, decisions, studio.secrets, check=check):
            err().print(f"review: {escape(str(path))}")
        changed = [each for each in decisions if each.state != "unchanged"]
        if check and changed:
            raise ImagesDiffer(f"{len(changed)} of {len(decisions)} images in {target} would change")
        if not check:
            regeneration.publish()


def forms(
    color_scheme: list[str] | None, locale: list[str] | None, viewport: list[str] | None, scale: list[str] | None
) -> dict[str, list[Any]]:
    """In which forms images are wanted, by the look's names."""
    return {
        "color_scheme": parsed("--color-scheme", color_scheme or [], as_scheme),
        "locale": locale or [],
        "viewport": parsed("--viewport", viewport or [], as_size),
        "scale": parsed("--scale", scale or [], as_scale),
    }


def as_scheme(text: str) -> str:
    """A colour scheme.

    Raises:
        ValueError: There is no such one.
    """
    if text not in ("light", "dark"):
        raise ValueError(f'"{text}" is neither light nor dark')
    return text


def show(decisions: Sequence[Decision], *, as_json: bool) -> None:
    """Print what becomes of each image, and why."""
    if as_json:
        sys.stdout.write(json.dumps([each.as_json() for each in decisions], ensure_ascii=False) + "\n")
        return
    for each in decisions:
        out().print(escape(str(each)))
        for line in each.said:
            out().print(f"             {escape(line)}")


# -- setup and doctor ---------------------------------------------------------------------------------------------


OnlyBrowser = Annotated[bool, typer.Option("--only-browser", help="Leave out all but the browser.")]


@app.command()
def setup(
    *,
    browser: BrowserOption = "chromium",
    only_browser: OnlyBrowser = False,
    wordpress: Annotated[
        list[str] | None,
        typer.Option(help='Another version for the sandbox too, such as 6.4; again for more, or "all" (170 MB).'),
    ] = None,
    env_file: EnvFile = None,
) -> None:
    """Get what is missing on this machine: a browser, ffmpeg for videos, and for the sandbox PHP and WordPress."""
    console = out()
    if wordpress and only_browser:
        raise WrongUsage("--wordpress is for the sandbox: it does not go with --only-browser")
    more = needs_of_versions(wordpress) if wordpress else []
    for need in [*needs(browser, env_file, only_browser=only_browser), *more]:
        found = need.look()
        if found:
            console.print(f"{escape(need.name)}: {escape(found)}")
            continue
        err().print(f"{escape(need.name)}: getting it")
        try:
            console.print(f"{escape(need.name)}: {escape(need.get())}")
        except Missing as missing:
            if not need.only_for:
                raise
            err().print(f"{escape(need.name)}: {escape(str(missing))} It is only for {need.only_for}.")
            continue
        if need.look() is None:
            raise Missing(f"{need.name} is still missing after the installation. Get it by hand: {need.how}.")


@app.command()
def doctor(*, browser: BrowserOption = "chromium", only_browser: OnlyBrowser = False, env_file: EnvFile = None) -> None:
    """Say what is there and what is missing, and how to get it; changes nothing. Exit code 5 if anything is missing."""
    missing = []
    for need in needs(browser, env_file, only_browser=only_browser):
        found = need.look()
        lacking = f"MISSING, only for {need.only_for}" if need.only_for else "MISSING"
        out().print(f"{escape(need.name)}: {escape(found or lacking)}")
        if found is None and not need.only_for:
            missing.append(f"{need.name} is missing. To get it: {need.how}.")
    if missing:
        raise Missing("\n".join(missing))


def needs(browser: str, env_file: Path | None, *, only_browser: bool) -> list[Need]:
    """What this machine must have.

    Args:
        browser: The browser's name.
        env_file: Where BROWSER_EXECUTABLE may be set.
        only_browser: Leave out all but the browser.
    """
    from runner import machine
    from runner.browser import BrowserSettings
    from runner.settings import environment

    settings = BrowserSettings.load(environment(env_file))
    found = [machine.browser(browser, settings)]
    if browser == "chromium" and not (settings.executable or settings.endpoint):
        found.append(machine.headless_shell())
    if only_browser:
        return found
    try:
        from fixtures import php
        from fixtures.wordpress_versions import LATEST
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None

    def look_for_php() -> str | None:
        return None if php.missing_php() else php.version()

    return [
        *found,
        machine.video(),
        machine.Need(
            "PHP",
            look_for_php,
            lambda: machine.apt_install(php.DEBIAN_PACKAGES, what="PHP"),
            f'"guiderunner setup" as root, or "apt-get install {" ".join(php.DEBIAN_PACKAGES)}"',
        ),
        need_of_wordpress([LATEST], "WordPress", '"guiderunner setup"'),
    ]


def needs_of_versions(asked: Sequence[str]) -> list[Need]:
    """The versions of WordPress that the sandbox has beside its usual one.

    Args:
        asked: Some of them, or "all"; what cannot be had here may be missing of all.

    Raises:
        WrongUsage: There is no such version.
    """
    try:
        from fixtures.errors import WrongChoice
        from fixtures.wordpress_versions import LATEST, OF_DEBIAN, VERSIONS, check_version
    except ModuleNotFoundError as error:
        raise Missing(f'the sandbox needs the package "{error.name}": pip install "guiderunner[sandbox]"') from None

    try:
        for version in set(asked) - {"all"}:
            check_version(version)
    except WrongChoice as error:
        raise WrongUsage(f'{error} "all" stands for all of them.') from None
    wanted = [version for version in VERSIONS if version in asked or "all" in asked]
    found = []
    # Those of one package are fetched together.
    if together := [version for version in wanted if version not in (LATEST, OF_DEBIAN)]:
        found.append(need_of_wordpress(together, f"WordPress {', '.join(together)}", '"guiderunner setup --wordpress"'))
    if OF_DEBIAN in wanted:
        only_for = "" if OF_DEBIAN in asked else f"--wordpress {OF_DEBIAN}"
        name, how = f"WordPress {OF_DEBIAN}", f'"guiderunner setup --wordpress {OF_DEBIAN}"'
        found.append(need_of_wordpress([OF_DEBIAN], name, how, only_for))
    return found


def need_of_wordpress(versions: Sequence[str], name: str, how: str, only_for: str = "") -> Need:
    """Versions of WordPress as one thing that a machine must have.

    Args:
        versions: Which; they are got together.
        name: What they are called.
        how: How a person gets them.
        only_for: What cannot be done without them; nothing if they must be had.
    """
    from fixtures.errors import Missing as MissingForSandbox
    from fixtures.errors import SandboxError
    from fixtures.wordpress_versions import fetch_cores, find_core
    from runner import machine

    def look() -> str | None:
        try:
            return ", ".join(str(find_core(version).wordpress) for version in versions)
        except MissingForSandbox:
            return None

    def get() -> str:
        try:
            fetch_cores(versions, say=err().print)
        except SandboxError as error:
            raise Missing(str(error)) from None
        return look() or "fetched"

    return machine.Need(name, look, get, how, only_for)


# -- errors and exit codes ----------------------------------------------------------------------------------------


def main() -> None:
    """Entry point: every error becomes its sentence on stderr and its exit code."""
    try:
        with interruptible():
            app()  # Typer itself ends with 2 for wrong usage and, once it has begun, with 130 for KeyboardInterrupt
    except GuiderunnerError as error:
        err().print(f"[bold red]{type(error).__name__}[/]: {escape(str(error))}")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, Exception) as error:
        if not is_interruption(error):
            raise
        sys.exit(130)
    finally:
        # "python -m" ends by SIGINT, whatever the exit code, when an interruption has come out of an exec(), such as
        # dataclasses are made with, and no exec() has come after it (run_eval_code_obj in CPython's pythonrun.c).
        exec("")  # noqa: S102 - nothing is executed


if __name__ == "__main__":
    main()
