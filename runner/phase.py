"""One phase of a site: what one browser does, until the run is done, waits, or needs somebody; a process of its own.

Whoever started it holds its stdin open: when that ends, however, the phase is interrupted, so that no browser is left.
It tells how it ended in one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.browser import BrowserSettings, open_browser
from runner.errors import AlreadyBegun, GuiderunnerError, LedgerFailed, StepFailed, WrongUsage
from runner.flow import find_flow
from runner.ledger import OPEN, Ledger, LedgerSettings, this_machine
from runner.performance import Options, perform, resume
from runner.sites import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from runner.flow import Flow
    from runner.ledger import Record
    from runner.performance import TraceMode
    from runner.settings import Setting, Settings

    SignedIn = Callable[[Flow[Any], Settings], dict[str, Any] | None]

TRACE: TraceMode = "retain-on-failure"
"""A phase that fails leaves a trace."""


def told(
    state: str, *, run: str = "", step: int | None = None, sentence: str = "", may_pass: bool = False
) -> dict[str, Any]:
    """How a phase ended.

    Args:
        state: done, waiting, asks, failed, interrupted, or busy: another process performs the run.
        run: The run's id.
        step: The step that it is in.
        sentence: What there is to say; never a secret.
        may_pass: A failure that the next browser may not meet.
    """
    return {"state": state, "run": run, "step": step, "sentence": sentence, "may_pass": may_pass}


def perform_phase(
    site: Site, here: Mapping[str, str], *, runs: Path, browser: str, signed_in: SignedIn
) -> dict[str, Any]:
    """Begin the site's run, or take it up, in one browser.

    Args:
        site: The site.
        here: This machine's environment, with the secrets, see `runner.settings.environment`.
        runs: Folder of the runs.
        browser: chromium, firefox or webkit.
        signed_in: What sign-ins this machine has kept for a flow with these settings, see `Options.signed_in`.

    Returns:
        How it ended, see `told`.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """
    try:
        return _perform(site, here, runs=runs, browser=browser, signed_in=signed_in)
    except AlreadyBegun as error:
        return told("busy", sentence=str(error))
    except LedgerFailed as error:
        return told("failed", sentence=str(error), may_pass=True)
    except GuiderunnerError as error:
        return told("failed", sentence=" ".join(str(error).split("\n")))


def _perform(site: Site, here: Mapping[str, str], *, runs: Path, browser: str, signed_in: SignedIn) -> dict[str, Any]:
    environment = site.environment(here)
    ledger = Ledger.beside(runs, LedgerSettings.load(here))
    record = latest(ledger, site.subject)
    if record and (sentence := another(record, site)):
        raise WrongUsage(sentence)
    if record and said_otherwise(record.settings, site):
        record = None  # nothing came of it: the ledger gives it up for the one that is begun
    flow = find_flow(site.flow, record.edition if record else site.edition)
    if record and record.state == "done":
        return told("done", run=record.id, step=record.step)
    browser_settings = BrowserSettings.load(here)

    def browsers() -> Any:  # noqa: ANN401 - the context manager that open_browser makes
        return open_browser(browser_settings, name=browser)

    settings = flow.settings.load_again(environment, record.settings) if record else flow.settings.load(environment)
    machine = this_machine(here)
    options = Options(wait=False, trace=TRACE, signed_in=signed_in(flow, settings), machine=machine)
    try:
        if record:
            result = resume(flow, settings, browsers, record=record, ledger=ledger, runs=runs, options=options)
        else:
            result = perform(flow, settings, browsers, runs=runs, ledger=ledger, options=options, subject=site.subject)
    except StepFailed as error:
        failure = error.failure
        record = latest(ledger, site.subject)
        go_on = f"; go on with: {failure.resume}" if failure.asks else ""
        return told(
            "asks" if failure.asks else "failed",
            run=record.id if record else "",
            step=failure.step,
            sentence=f"{failure.name}: {failure.sentence}{go_on}",
            may_pass=not failure.needs_person,
        )
    return told(result.state, run=result.id, step=ledger.find(result.id).step)


def latest(ledger: Ledger, subject: str) -> Record | None:
    """The run that counts for a subject: the latest that has not been given up."""
    return next((record for record in ledger.runs(subject=subject) if counts(record)), None)


def counts(record: Record) -> bool:
    """Whether a run has not been given up."""
    return record.state in (*OPEN, "done")


def said_otherwise(before: Mapping[str, str], site: Site) -> list[str]:
    """In what the settings that a run keeps were others than those of the site now, in words."""
    kept = [one for _, one in find_flow(site.flow).settings.about() if one.fixed and not one.secret]
    return [
        f"{one.name} {before.get(one.name) or 'unset'} instead of {site.plain.get(one.name) or 'unset'}"
        for one in kept
        if _meant(one, before.get(one.name, "")) != _meant(one, site.plain.get(one.name, ""))
    ]


def _meant(about: Setting, text: str) -> object:
    """What a setting means: an earlier version may have written it otherwise."""
    try:
        return about.parse(text) if text else None
    except ValueError:
        return text


def another(record: Record, site: Site) -> str:
    """Why a run cannot count for a site: it is about something else, and done, or something may have come of it.

    Args:
        record: The run that counts for the site's subject.
        site: The site.

    Returns:
        The sentence; nothing if the run is about the same, or nothing came of it.
    """
    others = ", ".join(said_otherwise(record.settings, site))
    if others and record.state == "done":
        return f"{site.subject} was done by run {record.id}, with {others}. Correct the row; it is not done again"
    if others and record.begun:
        return (
            f"{site.subject} was begun by run {record.id}, with {others}. Correct the row, or look what that run has "
            f'done and give it up: "guiderunner runs give-up {record.id}"'
        )
    return ""


def main(here: Mapping[str, str], *, runs: Path, browser: str, signed_in: SignedIn) -> dict[str, Any]:
    """Perform the phase that stdin names, and tell on stdout how it ended; else as `perform_phase`."""
    sys.excepthook = _say_mistake
    site = Site.of(json.loads(sys.stdin.readline()))
    threading.Thread(target=_interrupt_at_the_end_of_stdin, daemon=True).start()
    try:
        outcome = perform_phase(site, here, runs=runs, browser=browser, signed_in=signed_in)
    except KeyboardInterrupt:
        outcome = told("interrupted")
    _say(outcome)
    return outcome


def _interrupt_at_the_end_of_stdin() -> None:
    # Read from the file itself: a thread that waits in sys.stdin would hold its lock when Python ends.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _say(outcome: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(outcome, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _say_mistake(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """A mistake of ours, without what the exception says: that may hold a secret."""
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    _say(told("failed", sentence=f"a mistake of ours, please report it: {kind.__name__}{place}", may_pass=True))
