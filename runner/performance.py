"""Performs a run from its beginning, or takes it up where it was left: browsers, waiting, and what it leaves behind."""

from __future__ import annotations

import json
import platform
import re
import secrets as randomness
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import Error as PlaywrightError

from runner.browser import context_options
from runner.camera import Camera
from runner.errors import AlreadyBegun, BrowserGone, LedgerFailed, Missing, SecretFound, StepFailed, WrongUsage
from runner.gate import scan
from runner.interruptions import is_interruption, uninterrupted
from runner.ledger import OPEN, Ledger, Record, RunLedger, from_here, this_machine
from runner.run import DONE, Reporter, Run
from runner.secrets import Secrets
from runner.sign_ins import secrets_in
from runner.timing import earlier, usual
from runner.traces import save_trace, start_trace
from runner.unredacted import private_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from runner.accessibility import Accessibility
    from runner.errors import Failure
    from runner.flow import Flow, Step
    from runner.settings import Settings
    from runner.studio import Studio
    from runner.timing import Usual

    Browsers = Callable[[], AbstractContextManager[Browser]]

TraceMode = Literal["on", "off", "retain-on-failure"]

Ended = Literal["done", "waiting", "stopped", "failed", "asks", "interrupted", "dry run"]
"""How one process's part of a run can end."""

FIRST_PAUSE = 15.0
"""Seconds between the closing of the browser and the next look at what a step waits for."""

LONGER = 1.5
"""How many times longer each pause between two looks is than the one before."""

LONGEST_PAUSE = 600.0
"""Seconds between two looks, at most."""

BROWSERS_AT_MOST = 3
"""Browsers that may crash in a row, without a step done meanwhile, before a run gives up."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a run is performed.

    Attributes:
        until: Number of the last step to perform; None for all, and what is done afterwards.
        trace: Whether (redacted) traces are kept; "on" for traces with a film strip, see `films`.
        video: Whether each tab is recorded; what is visible of secrets is covered, or not recorded.
        wait: Wait, without a browser, for what a step waits for; else end with the state `waiting`.
        preflight: Check first that all can be done.
        again: Begin although an earlier run for the same subject is done.
        resumable: Another process can take the run up; not so where what it works with ends with this process.
        signed_in: Kept sign-ins to begin with, as Playwright's storage_state.
        only_preflight: End after the preflight: a dry run, which the ledger does not keep as one to be taken up.
        report: Write `report.html` at the end.
        studio: Takes the images of a guide; None for screenshots as evidence.
        accessibility: Looks for violations on the page of each screenshot; None to look for none.
        machine: Where it is performed.
        how: What else makes its steps faster or slower, a few words each, such as "headed".
    """

    until: int | None = None
    trace: TraceMode = "off"
    video: bool = False
    wait: bool = True
    preflight: bool = True
    again: bool = False
    resumable: bool = True
    signed_in: dict[str, Any] | None = field(default=None, repr=False)
    only_preflight: bool = False
    report: bool = True
    studio: Studio | None = None
    accessibility: Accessibility | None = None
    machine: str = field(default_factory=this_machine)
    how: tuple[str, ...] = ()

    @property
    def films(self) -> bool:
        """Whether pictures of the tabs are recorded for a trace's film strip.

        Not of each run for the sake of the few that fail: it takes an eighth of a run's time, and what the pages were
        like before and after each act is in the trace all the same.
        """
        return self.trace == "on"

    def told(self) -> list[str]:
        """All that makes steps faster or slower, as the ledger has it; see `runner.timing.Alike`."""
        own = {"film": self.films, "video": self.video, "images of a guide": self.studio is not None}
        return [
            "no trace" if self.trace == "off" else "trace",
            *(words for words, is_so in own.items() if is_so),
            *self.how,
        ]


@dataclass
class Result:
    """How a run ended; `result.json`."""

    id: str
    flow: str
    edition: str
    site: str = ""
    state: Ended = "failed"
    seconds: float = 0
    steps_done: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    screenshots: list[str] = field(default_factory=list)
    folder: str = ""
    trace: str | None = None
    videos: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)
    failure: dict[str, Any] | None = None


def perform(
    flow: Flow[Any],
    settings: Settings,
    browsers: Browsers,
    *,
    runs: Path,
    ledger: Ledger,
    reporter: Reporter | None = None,
    options: Options | None = None,
    subject: str | None = None,
) -> Result:
    """Perform a flow from its beginning, and leave its evidence in a folder of its own.

    Args:
        flow: The flow.
        settings: What it works with.
        browsers: Opens a browser, as often as one is needed.
        runs: Where the run gets its folder.
        ledger: Where it is recorded.
        reporter: Told what happens.
        options: How it is performed.
        subject: What must not be done twice; None for what the settings say.

    Returns:
        How it ended; also written to `result.json`.

    Raises:
        AlreadyBegun: Another run has begun this, or has done it.
        StepFailed: A step failed. `result.json` is written before.
        SecretFound: A file below the folder held a secret; it is deleted.
        LedgerFailed: The ledger cannot be written.
        KeyboardInterrupt: The run was interrupted; `result.json` is written before.
    """
    options = options or Options()
    flow.order(until=options.until)
    with private_files(), ExitStack() as stack:
        browser = stack.enter_context(browsers())  # before anything is begun: it may be missing
        run_id = new_id(flow)
        record = Record(
            id=run_id,
            flow=flow.name,
            edition=flow.edition,
            subject=run_id if options.only_preflight else (settings.subject if subject is None else subject) or run_id,
            site=settings.site,
            folder=(runs / run_id).absolute(),
            settings=settings.plain(),
            machine=options.machine,
        )
        try:
            runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reason = error.strerror if runs.is_dir() or not runs.exists() else "it is not a folder"
            raise WrongUsage(f"--runs: {runs} cannot hold a run: {reason}") from None
        with held(ledger, record) as still_held:
            resumable = options.resumable and not options.only_preflight
            ledger.begin(record if resumable else replace(record, state="given up"), again=options.again)
            performance = Performance(
                flow, settings, record, ledger, reporter=reporter, options=options, still_held=still_held
            )
            return performance.go_on(browsers, browser, stack.pop_all())


def resume(
    flow: Flow[Any],
    settings: Settings,
    browsers: Browsers,
    *,
    record: Record,
    ledger: Ledger,
    runs: Path | None = None,
    reporter: Reporter | None = None,
    options: Options | None = None,
    answer: str | None = None,
) -> Result:
    """Take up a run where it was left; the arguments, the result and the errors are those of `perform`.

    Args:
        flow: The flow that the run performs.
        settings: What it works with, see `Settings.load_again`.
        browsers: Opens a browser.
        record: The run.
        ledger: Where it is recorded.
        runs: Where it gets another folder, if its own cannot be on this machine.
        reporter: Told what happens.
        options: How it is performed.
        answer: A person's answer, where the run has stopped with a question.

    Raises:
        WrongUsage: The run is done or was given up, or the answer is not one to the question.
        AlreadyBegun: Another process performs it now.
    """
    options = options or Options()
    flow.order(until=options.until)
    if record.edition != flow.edition:
        raise WrongUsage(
            f"run {record.id} performs edition {record.edition or 'not recognised yet'}; "
            f"this is edition {flow.edition or 'not recognised yet'}"
        )
    with private_files(), ExitStack() as stack:
        browser = stack.enter_context(browsers())
        with held(ledger, record) as still_held:
            record = ledger.find(record.id)  # it may have gone on since it was looked up
            refuse_ended(record)
            if answer and record.state != "asks":
                raise WrongUsage(f"--answer: run {record.id} has asked nothing; it is {record.state}")
            record = _with_folder(record, runs)
            performance = Performance(
                flow, settings, record, ledger, reporter=reporter, options=options, still_held=still_held
            )
            return performance.go_on(browsers, browser, stack.pop_all(), answer)


def refuse_ended(record: Record) -> None:
    """Make sure that a run can be taken up.

    Raises:
        WrongUsage: It is done or was given up, as a run on the sandbox is at its end.
    """
    if record.state not in OPEN:
        raise WrongUsage(f"run {record.id} is {record.state} since {record.since[:16]}: nothing is left to do")


def _with_folder(record: Record, runs: Path | None) -> Record:
    """The run with a folder that can be on this machine: another one may have begun it elsewhere."""
    folders = [record.folder, *([(runs / record.id).absolute()] if runs else [])]
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            reason = error.strerror
        else:
            return replace(record, folder=folder)
    raise WrongUsage(f"--runs: {folders[-1]} cannot hold the run: {reason}")


def pause_for(seconds: float) -> None:
    """Wait for the next look: nothing is open meanwhile that could tell of a change."""
    time.sleep(seconds)


def new_id(flow: Flow[Any]) -> str:
    """The id of a new run: when it began (UTC), its flow, and four random letters."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{now}-{flow.name}-{randomness.token_hex(2)}"


@contextmanager
def held(ledger: Ledger, record: Record) -> Iterator[Callable[[], None]]:
    """Keep other processes out of a run.

    Raises:
        AlreadyBegun: Another one performs it now.
    """
    with ledger.lock(record.id) as still_held:
        if still_held is None:
            raise AlreadyBegun(f"{record.site} is under way in run {record.id} on {record.machine}.")
        yield still_held


class Performance:
    """One process's part of a run.

    Args:
        flow: The flow.
        settings: What it works with.
        record: The run, as the ledger has it.
        ledger: Where it is recorded.
        reporter: Told what happens.
        options: How it is performed.
        still_held: Raises when another process has taken the run.
    """

    def __init__(
        self,
        flow: Flow[Any],
        settings: Settings,
        record: Record,
        ledger: Ledger,
        *,
        reporter: Reporter | None,
        options: Options,
        still_held: Callable[[], None],
    ) -> None:
        self.flow = flow
        self.record = replace(record, machine=options.machine)
        self.ledger = ledger
        self.reporter = reporter = reporter or Reporter()
        self.options = options
        self.folder = from_here(record.folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        secrets = Secrets()
        run_ledger = RunLedger(ledger, record.id, secrets, self.folder / "ledger.jsonl", still_held)
        facts = record.facts
        self.run: Run[Any] = flow.run(
            settings, run_ledger, folder=self.folder, secrets=secrets, reporter=reporter, facts=facts
        )
        self.run.studio = options.studio
        self.run.darkroom.keeps_prints = options.report
        if options.studio:
            options.studio.darkroom = self.run.darkroom
        self.resumable = self.run.resumable = options.resumable and not options.only_preflight
        self.run.accessibility = options.accessibility
        self.taken_up = bool(run_ledger.entries)
        self.order = self._order(begun=record.begun)
        self.result = Result(
            id=record.id, flow=flow.name, edition=flow.edition, site=record.site, folder=str(self.folder)
        )
        self.kept: Any = options.signed_in
        for secret in secrets_in(options.signed_in or {}, "a kept sign-in"):
            secrets.add(secret, pieces=False)
        for one in flow.editions:
            for step in one.order():
                secrets.let_stand(step.title, *step.says, *step.screenshots)
        secrets.let_stand(flow.name, str(record.folder))
        kept = [re.sub(r"\D", "", path.stem) for path in self.folder.glob("trace*.zip")]
        self.traces = max((int(number or 1) for number in kept), default=0)

    def _order(self, *, begun: bool) -> list[Step[Any]]:
        """What is left to perform is among these; what was found beforehand is found anew until something was made."""
        if self.options.only_preflight:
            return self.flow.order()[:1] if self.flow.first else []
        return self.flow.order(preflight=self.options.preflight and not begun, until=self.options.until)

    def follow(self, flow: Flow[Any]) -> list[Step[Any]]:
        """Go on with this edition, which has been recognised; returns its steps."""
        self.flow = flow
        self.result.edition = flow.edition
        self.record = replace(self.record, edition=flow.edition)
        if self.options.until:  # another edition may have had more steps
            self.options = replace(self.options, until=min(self.options.until, len(flow.steps)))
        self.order = self._order(begun=self.record.begun)
        return self.order

    def go_on(self, browsers: Browsers, browser: Browser, opened: ExitStack, answer: str | None = None) -> Result:
        """Perform what is not done yet, in as many browsers as it takes."""
        run, result = self.run, self.result
        about = {"id": run.id, "flow": self.flow.name, "edition": self.flow.edition}
        event = "run goes on" if self.taken_up else "run started"
        here = {"machine": self.record.machine, "folder": str(self.folder.absolute())}
        began = time.monotonic()
        try:
            with opened:
                changed = here | ({"state": "running"} if self.resumable else {})
                run.ledger.record(event, run=changed, **about, how=self.options.told())
                run.ledger.record("versions", **versions(browser))
                self.reporter.run_started(run, self.flow)
                result.state = self._in_browsers(browsers, browser, opened, answer)
        except StepFailed as failed:
            result.failure = as_plain(failed.failure)
            result.state = "asks" if failed.failure.asks else "failed"
            raise
        except WrongUsage:
            result.state = "asks"  # the answer was not one to the question
            raise
        except KeyboardInterrupt:
            result.state = "interrupted"
            raise
        finally:
            result.seconds = round(time.monotonic() - began, 1)
            self.write()
        return result

    def _in_browsers(self, browsers: Browsers, browser: Browser, opened: ExitStack, answer: str | None) -> Ended:
        pause, crashes, done_before = FIRST_PAUSE, 0, self._steps_done()
        while True:
            try:
                complete = self._in_one_browser(browser, answer)
            except BrowserGone as gone:
                crashes = 1 if self._steps_done() > done_before else crashes + 1
                done_before = self._steps_done()
                step = self._step()
                if crashes >= BROWSERS_AT_MOST:
                    raise self.run.failed(self.flow, step, gone) from None
                self.reporter.step_again(step, f"{gone}; going on in another browser")
                complete, wait = False, 0.0
            else:
                crashes = 0
                wait = pause
                pause = min(pause * LONGER, LONGEST_PAUSE)
            answer = None
            if complete:
                return self._end_state()
            opened.close()
            if wait:
                self.run.ledger.record("run waits", run={"state": "waiting"}, step=self._step().number)
                if not self.options.wait:
                    return "waiting"
                self.reporter.run_waits(wait)
                pause_for(wait)
            browser = self._another_browser(browsers, opened)

    def _another_browser(self, browsers: Browsers, opened: ExitStack) -> Browser:
        """Open another browser; one that cannot be reached may be starting again."""
        for _ in range(BROWSERS_AT_MOST - 1):
            try:
                return opened.enter_context(browsers())
            except Missing as missing:
                self.run.say(f"{missing} It is tried again")
                pause_for(FIRST_PAUSE)
        return opened.enter_context(browsers())

    def _in_one_browser(self, browser: Browser, answer: str | None) -> bool:
        """Perform what is not done yet in one browser; False when a step waits for what has not come yet."""
        run = self.run
        page = self._open_tab(browser)
        camera = self.camera()
        failed, complete, interrupted = True, False, False
        try:
            try:
                self.watch(page, camera)
            except PlaywrightError as error:
                raise _gone(error) from None
            complete = run.perform(self.order, self.flow, answer, recognised=self.follow)
            failed = False
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            if interrupted:
                self._abandon(page.context, camera)
            else:
                self.close(page.context, camera, failed=failed, keep=not complete)
        return complete

    def camera(self) -> Camera:
        """What takes the tabs of a browser, as the options say."""
        return Camera(
            self.run.secrets,
            videos=self.folder / "videos" if self.options.video else None,
            pictures=self.options.films,
            not_kept=self._note_not_kept,
        )

    def watch(self, page: Page, camera: Camera) -> None:
        """Take the first tab of a context, and all that it opens, on camera and into the run."""
        camera.watch(page)
        page.context.on("page", self._watching(camera))
        self.run.attach(page, camera)

    def _watching(self, camera: Camera) -> Callable[[Page], None]:
        """What takes tabs on camera that the pages open; what goes wrong there must not befall the step."""

        def watch(page: Page) -> None:
            try:
                camera.watch(page)
            except PlaywrightError as error:
                self._note_not_kept(f"a tab was not recorded: {error.message.splitlines()[0]}")

        return watch

    def _open_tab(self, browser: Browser) -> Page:
        """The first tab of a context of its own."""
        more = {"storage_state": self.kept} if self.kept else {}
        if self.options.studio:
            more |= self.options.studio.context_options()
        try:
            return self.open_context(browser, more).new_page()
        except PlaywrightError as error:
            raise _gone(error) from None

    def open_context(self, browser: Browser, more: Mapping[str, Any]) -> BrowserContext:
        """A context of the run, traced if the options say so.

        Args:
            browser: Where it is opened.
            more: Playwright's options for it, besides the run's own, which give way to them.
        """
        context = browser.new_context(**context_options(**{**self.run.context_options(), **more}))
        if self.options.trace != "off":
            start_trace(context, film=self.options.films)
        return context

    def _note_not_kept(self, sentence: str) -> None:
        sentence = self.run.secrets.redact_deep(sentence)
        self.result.not_kept.append(sentence)
        self.run.ledger.record("not kept", sentence=sentence)

    def close(self, context: BrowserContext, camera: Camera, *, failed: bool, keep: bool) -> None:
        """Save what the context recorded and close it; a browser that has gone leaves a line in the ledger instead."""
        try:
            camera.stop()
            self.run.keep_sessions_secret(context)
            if self.options.trace == "on" or (self.options.trace == "retain-on-failure" and failed):
                self._save_trace(context, camera)
            if keep and not failed:
                # The next browser need not sign in again; kept in memory only.
                self.kept = context.storage_state()
                for secret in secrets_in(self.kept, "the session"):
                    self.run.secrets.add(secret, pieces=False)
            context.close()
        except PlaywrightError as error:
            self.run.ledger.record("browser gone", sentence=error.message.splitlines()[0])

    def _abandon(self, context: BrowserContext, camera: Camera) -> None:
        """Close what was interrupted, and ask nothing more of it: it may be a page that does not answer."""
        camera.drop()
        try:
            context.close()
        except PlaywrightError as error:
            self.run.ledger.record("browser gone", sentence=error.message.splitlines()[0])

    def _save_trace(self, context: BrowserContext, camera: Camera) -> None:
        self.traces += 1
        name = "trace.zip" if self.traces == 1 else f"trace-{self.traces}.zip"
        try:
            save_trace(context, self.folder / name, self.run.secrets, camera.kept)
        except PlaywrightError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a trace holds, how the run ended is not to be lost over it
            if is_interruption(error):
                raise KeyboardInterrupt from None
            (self.folder / name).unlink(missing_ok=True)
            self._note_not_kept(f"the trace could not be written without its secrets: {type(error).__name__}")
        else:
            self.result.trace = name

    def _end_state(self) -> Ended:
        if self.options.only_preflight:
            return "dry run"
        whole = self.options.until is None or (self.options.until == len(self.flow.steps) and self.flow.last is None)
        return "done" if whole else "stopped"

    def _step(self) -> Step[Any]:
        return self.run.at_step or self.order[0]

    def _steps_done(self) -> int:
        numbers = {step.number for step in self.flow.steps}
        done = {entry["step"] for entry in self.run.ledger.entries if entry["event"] in DONE}
        return len(numbers & done)

    def write(self) -> None:
        """Write `result.json` and the report, record the end, and let nothing stay that holds a secret."""
        known: dict[int, Usual] = {}
        try:
            if self.options.report:
                # Many runs may have to be read: an interruption need not wait for that.
                with suppress(LedgerFailed):
                    known = usual([past.steps for past in earlier(self.ledger, self.record, self.run.ledger.entries)])
        finally:
            self._write(known)

    def _write(self, known: dict[int, Usual]) -> None:
        with uninterrupted():
            try:
                self._write_evidence(known)
            except OSError as error:
                raise LedgerFailed(str(self.folder), error.strerror or str(error)) from None
            finally:
                self.run.darkroom.close()
                findings = scan(self.folder, self.run.secrets)
                for path, _ in findings:
                    path.unlink(missing_ok=True)
                # What cannot be taken up is nothing to wait for.
                result = self.result
                state = result.state if self.resumable or result.state == "done" else "given up"
                self.run.ledger.record("run ended", run={"state": state}, state=result.state, seconds=result.seconds)
            if findings:
                raise SecretFound(findings)

    def _write_evidence(self, known: dict[int, Usual]) -> None:
        run, result = self.run, self.result
        run.darkroom.complete()
        result.steps_done = self._steps_done()
        result.facts = dict(run.facts)
        result.screenshots = run.screenshots
        result.videos = sorted(path.name for path in (self.folder / "videos").glob("*.webm"))
        text = json.dumps(run.secrets.redact_all(asdict(result)), indent=2, ensure_ascii=False)
        written = self.folder / "result.json"
        try:
            written.write_text(text + "\n", encoding="utf-8")
        except OSError:
            written.unlink(missing_ok=True)  # half of it, or none, could not be read by who tells how the run ended
            raise
        if self.options.report:
            from runner.report import write_report  # noqa: PLC0415 - at the end, and not before the browser starts

            # What cannot be taken up says nothing of how to go on.
            shown = self.record if self.resumable else replace(self.record, state="given up")
            write_report(
                self.flow,
                shown,
                run.ledger.entries,
                state=result.state,
                secrets=run.secrets,
                usual=known,
                darkroom=run.darkroom,
            )
        for path in (self.folder, *self.folder.rglob("*")):
            # What a browser has written that was started elsewhere is for the owner alone too.
            with suppress(PermissionError):  # another user's, who has begun the run
                path.chmod(0o700 if path.is_dir() else 0o600)


def _gone(error: PlaywrightError) -> BrowserGone:
    return BrowserGone(f"the browser has gone: {error.message.splitlines()[0]}")


def as_plain(failure: Failure) -> dict[str, Any]:
    """A failure as `result.json` has it."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(failure), default=str))
    return plain


def versions(browser: Browser) -> dict[str, Any]:
    """What performs a run, each with its version."""
    return {
        "guiderunner": metadata.version("guiderunner"),
        "python": platform.python_version(),
        "playwright": metadata.version("playwright"),
        "browser": f"{browser.browser_type.name} {browser.version}",
        "system": platform.platform(),
    }
