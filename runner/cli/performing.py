"""The commands that perform a flow for one site: `run`, `resume`; and `login`, for what they cannot sign in to."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from runner.cli.comparing import compare, compare_accessibility, compare_all, looks_for_violations
from runner.cli.consoles import err, out
from runner.cli.options import (
    Accept,
    AccessibilityOption,
    AsJson,
    Baseline,
    BrowserOption,
    EditionOption,
    EnvFile,
    FlowOption,
    Headed,
    LanguageOption,
    NoPreflight,
    NoWait,
    RunId,
    Runs,
    SlowMo,
    Trace,
    Until,
    Video,
    WordPressOption,
)
from runner.cli.recorded import open_ledger
from runner.cli.sandboxes import bringer, find_faults, open_sandbox
from runner.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.flow import Flow
    from runner.notices import Notice, NoticeSettings
    from runner.settings import Settings


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
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Compare the result with its origin at the end; with --json that is a second line."
        ),
    ] = False,
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
    if verify:
        refuse_unverifiable(found, in_part=bool(until or no_wait))
    looks = looks_for_violations(accessibility_baseline, on=accessibility, accept=accept_accessibility)
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    settings = None if sandbox else found.settings.load(env)
    signed_in = kept_sign_ins(found, settings, env) if settings else None
    notices = NoticeSettings.load({} if sandbox else env)
    notices = NoticeSettings.load({}) if dry_run else notices  # nobody is told of a dry run
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
                tell_all(notices, progress.folder, box.audit() if box else None, as_json=as_json)
        if dry_run and not as_json:
            for one in found.may_be:
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


def refuse_unverifiable(flow: Flow[Any], *, in_part: bool) -> None:
    """See that there will be something to verify, before anything is done for it.

    Raises:
        WrongUsage: There will not.
    """
    if flow.compare is None:
        raise WrongUsage(f"--verify: {flow.name} has nothing to verify")
    if in_part:
        raise WrongUsage(
            '--verify needs the whole flow: it goes with neither --until nor --no-wait; "verify" can follow'
        )


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
    from runner.ledger import this_machine
    from runner.notices import NoticeSettings
    from runner.performance import Options, refuse_ended
    from runner.performance import resume as take_up
    from runner.progress import Progress
    from runner.settings import environment

    looks = looks_for_violations(accessibility_baseline, on=accessibility, accept=accept_accessibility)
    env = environment(env_file)
    browser_settings = BrowserSettings.load(env)
    ledger = open_ledger(runs, env_file)
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
                tell_all(notices, progress.folder, None, as_json=as_json)
        compare_accessibility(result, ledger, accessibility_baseline, accept=accept_accessibility)


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


def kept_sign_ins(flow: Flow[Any], settings: Settings, env: Mapping[str, str]) -> dict[str, Any] | None:
    """What "login" has kept for this flow with these settings, as one state; None if nothing is kept."""
    from runner.sign_ins import kept_for

    return kept_for(flow, settings, env)


def tell_all(notices: NoticeSettings, folder: Path, audit: dict[str, Any] | None, *, as_json: bool) -> None:
    """Print how a run ended, and tell people elsewhere, also where it cannot be printed, as on a full disk.

    Args:
        notices: Who is told.
        folder: See `tell`; so are the others.
        audit: What the sandbox saw.
        as_json: One JSON object.
    """
    try:
        tell(folder, audit, as_json=as_json)
    finally:
        notify(notices, folder)


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
    if result["screenshots"]:
        console.print(f"screenshots: {len(result['screenshots'])} in {escape(str(folder / 'screenshots'))}")


def counted(audit: dict[str, Any]) -> str:
    """The sandbox's audit in one line."""
    numbers = {name: len(value) if isinstance(value, list) else value for name, value in audit.items()}
    return ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in numbers.items() if number) or "nothing"


def notify(notices: NoticeSettings, folder: Path) -> None:
    """Tell people elsewhere how a run ended, or that it needs one of them, where that is set; waiting is no news."""
    from runner.notices import Notice

    if not (folder / "result.json").is_file():
        return  # it held a secret and was deleted, or could not be written; the error says so
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    if result["state"] in ("waiting", "dry run"):
        return
    failure = result["failure"] or {}
    told = Notice(
        run_id=result["id"],
        flow=result["flow"],
        state="person needed" if failure.get("needs_person") else result["state"],
        sentence=". ".join(filter(None, (failure.get("sentence"), failure.get("resume")))),
        step=failure.get("step"),
        site=result["site"],
        folder=result["folder"],
    )
    deliver(notices, told)


def deliver(notices: NoticeSettings, notice: Notice) -> None:
    """Send a notice in every way that is set, and say where it could not be delivered."""
    from runner.notices import send
    from runner.secrets import Secrets

    for sentence in send(notices, notice, Secrets()):
        err().print(f"[yellow]{escape(sentence)}[/]")


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
        raise WrongUsage(f'there is no "{place}" to log in to; there are: {", ".join(places) or "none"}')
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
