"""Performs a flow: the order of its steps, the one failure boundary, and what a run leaves behind."""

from __future__ import annotations

import json
import re
import secrets as randomness
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page

from runner.browser import context_options
from runner.controls import controls_on, set_default_timeout
from runner.errors import Failure, GuiderunnerError, Missing, SecretFound, StartAgain, StepFailed, Stuck, WrongUsage
from runner.ledger import Ledger
from runner.screenshots import photograph
from runner.secrets import Secret, Secrets, plain_url
from runner.settings import Settings
from runner.traces import save_trace, start_trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext

    from runner.flow import Flow, Step

S = TypeVar("S", bound=Settings)

START_AGAIN_AT_MOST = 2
"""How often one run goes back to an earlier step before it gives up."""

TraceMode = Literal["on", "off", "retain-on-failure"]


class Reporter:
    """Told what a run does while it does it; this one keeps silent."""

    def run_started(self, run: Run[Any], flow: Flow[Any]) -> None:
        """A run begins."""

    def step_started(self, step: Step[Any]) -> None:
        """A step begins."""

    def said(self, words: str) -> None:
        """The step says what it waits for or what it met."""

    def screenshot(self, name: str, path: Path) -> None:
        """A screenshot was written."""

    def step_done(self, step: Step[Any], seconds: float) -> None:
        """A step has done what the guide says."""

    def step_again(self, step: Step[Any], sentence: str) -> None:
        """A step is performed again, and why."""


class Run(Generic[S]):
    """One performance of a flow for one site; flows derive their own from it, with their page objects.

    Args:
        settings: What the flow is to work with.
        folder: `runs/<id>`, which holds all that the run leaves behind.
        secrets: What must not be written; the settings' secrets are added to it.
        reporter: Told what happens.
    """

    def __init__(self, settings: S, folder: Path, secrets: Secrets, reporter: Reporter) -> None:
        self.settings = settings
        self.folder = folder
        self.secrets = secrets
        self.reporter = reporter
        for secret in settings.secrets():
            secrets.add(secret)
        self.facts: dict[str, str] = {}
        self.ledger = Ledger(folder / "ledger.jsonl", secrets)
        self.screenshots: list[str] = []
        self._step: Step[Any] | None = None
        self._taken = 0
        self._page: Page | None = None
        self._at: Page | None = None
        self._recorder: Recorder | None = None

    # What a flow may override

    def context_options(self) -> dict[str, Any]:
        """More options for the browser context, in Playwright's names."""
        return {}

    def patience(self) -> float:
        """Seconds that a page is given to show what a step waits for."""
        return 30

    # What steps use

    @property
    def id(self) -> str:
        """The run's id: when it began, its flow, and four random letters."""
        return self.folder.name

    @property
    def page(self) -> Page:
        """The run's first tab."""
        if self._page is None:
            raise RuntimeError("the run has no browser yet")
        return self._page

    def say(self, words: str) -> None:
        """Tell whoever watches what is going on; goes into the ledger as well."""
        self.ledger.record("said", step=self._step and self._step.number, words=words)
        self.reporter.said(self.secrets.redact(words))

    def keep_secret(self, value: str, name: str) -> Secret:
        """Register a value that a page has just shown as a secret, before anything else is done with it."""
        return self.secrets.add(Secret(value, name))

    def switch_to(self, page: Page) -> None:
        """Go to this tab, as the guide says it."""
        self._at = page
        page.bring_to_front()

    def screenshot(self, page: Page | None = None, *, highlight: Locator | None = None) -> None:
        """Take the step's next screenshot.

        Args:
            page: The tab; the one of `highlight` if that is given, else the one that the run is at.
            highlight: The control that the guide names, which is outlined.
        """
        step = self._step
        if step is None or self._taken == len(step.screenshots):
            raise RuntimeError("the step takes more screenshots than it declares")
        shown = page or (highlight.page if highlight else self._at) or self.page
        name = step.screenshots[self._taken]
        self._taken += 1
        path = self.folder / "screenshots" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photograph(shown, self.secrets, highlight))
        if name not in self.screenshots:
            self.screenshots.append(name)
        self.ledger.record("screenshot", step=step.number, name=name, url=plain_url(shown.url))
        self.reporter.screenshot(name, path)

    @contextmanager
    def off_camera(self, page: Page) -> Iterator[None]:
        """A secret may be visible in this tab meanwhile: its video has a gap here."""
        recorded = self._recorder is not None and self._recorder.pause(page)
        yield
        # Only when all went well: after a failure the secret may still be on the page.
        if self._recorder and recorded:
            self._recorder.record(page)

    def stay_off_camera(self, page: Page) -> None:
        """A secret may be visible in this tab from now on: its video ends here."""
        if self._recorder:
            self._recorder.pause(page)

    # What the engine uses

    def attach(self, page: Page, recorder: Recorder | None = None) -> None:
        """Give the run its first tab."""
        self._page = self._at = page
        self._recorder = recorder
        set_default_timeout(page.context, self.patience())

    def perform(self, flow: Flow[Any], *, until: int | None = None) -> None:
        """Perform the flow's steps in the guide's order.

        Args:
            flow: The flow.
            until: Number of the last step to perform; None for all.

        Raises:
            StepFailed: A step failed; everything in it is redacted.
            WrongUsage: There is no step to perform.
        """
        last = len(flow.steps) if until is None else until
        if not 1 <= last <= len(flow.steps):
            raise WrongUsage(f"there is no step {last}: {flow.name} has steps 1 to {len(flow.steps)}")
        number, went_back = 1, 0
        while number <= last:
            step = flow.steps[number - 1]
            try:
                self._perform(flow, step)
            except StartAgain as again:
                went_back += 1
                sentence = self.secrets.redact(str(again))
                if went_back > START_AGAIN_AT_MOST:
                    raise self._failed(flow, step, Stuck(f"{sentence}; that happened {went_back} times")) from None
                self.ledger.record("step again", step=again.step, instead_of=number, sentence=sentence)
                self.reporter.step_again(step, sentence)
                number = again.step
            else:
                number += 1

    def _perform(self, flow: Flow[Any], step: Step[Any]) -> None:
        self._step, self._taken = step, 0
        self.ledger.record("step started", step=step.number, says=step.words)
        self.reporter.step_started(step)
        began = time.monotonic()
        try:
            step(self)
            self._check_screenshots(step)
        except StartAgain:
            raise
        except Exception as error:  # noqa: BLE001 - the one failure boundary: nothing unredacted may cross it
            raise self._failed(flow, step, error) from None
        seconds = time.monotonic() - began
        self.ledger.record("step done", step=step.number, seconds=round(seconds, 3), facts=self.facts)
        self.reporter.step_done(step, seconds)

    def _check_screenshots(self, step: Step[Any]) -> None:
        if self._taken != len(step.screenshots):
            raise RuntimeError(f"step {step.number} took {self._taken} of its {len(step.screenshots)} screenshots")

    def _failed(self, flow: Flow[Any], step: Step[Any], error: Exception) -> StepFailed:
        page = self._at if self._at and not self._at.is_closed() else None
        evidence = self._evidence(page, step) if page else None
        failure = Failure(
            flow=flow.name,
            step=step.number,
            says=self.secrets.redact(step.words),
            sentence=self.secrets.redact(_sentence(error)),
            url=self.secrets.redact(plain_url(page.url)) if page else "",
            looked_for=self.secrets.redact(getattr(error, "looked_for", "")),
            controls=evidence.controls if evidence else (),
            screenshot=evidence.screenshot if evidence else None,
        )
        about = asdict(failure)
        self.ledger.record("step failed", **about)
        return StepFailed(failure)

    def _evidence(self, page: Page, step: Step[Any]) -> Evidence:
        """What a failing page shows; a page too broken to tell leaves less evidence, and the ledger says why."""
        path = self.folder / "screenshots" / f"failed-step-{step.number}.png"
        controls: list[str] = []
        try:
            page.context.set_default_timeout(5000)
            controls = [self.secrets.redact(said) for said in controls_on(page)]
            png = photograph(page, self.secrets)
        except (PlaywrightError, AssertionError, Stuck) as error:
            self.ledger.record("no failure screenshot", step=step.number, sentence=_sentence(error))
            return Evidence(controls, None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
        return Evidence(controls, path)


@dataclass(frozen=True)
class Evidence:
    """What a failing page showed."""

    controls: list[str]
    screenshot: Path | None


_AGAIN = re.compile(r"\d+ \S waiting for")
_WHY_NOT = re.compile(r"intercepts pointer events|element is (not|outside)")


def _sentence(error: Exception) -> str:
    """What an exception says, in the few lines that tell a person something."""
    if isinstance(error, GuiderunnerError):
        return str(error)
    if isinstance(error, (PlaywrightError, AssertionError)):
        # Playwright's message goes on with its call log, which repeats itself for every look at the page.
        lines = [" ".join(line.split()) for line in str(error).splitlines()]
        log = ("call log", "- ", "╔", "║", "╚")
        first = [line for line in lines if line and not line.lower().startswith(log) and not _AGAIN.match(line)]
        # Why it could not be done: what lies over it, or that it is disabled or hidden.
        why = [line.removeprefix("- ") for line in lines if _WHY_NOT.search(line)][-1:]
        return "; ".join([*first[:4], *why]) or type(error).__name__
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    place = f" ({where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno})" if where else ""
    return f"a mistake of ours, please report it: {type(error).__name__}: {error}{place}"


class Recorder:
    """Records each tab to a video of its own, in parts: never while a secret may be visible in it.

    Args:
        folder: Where the videos go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = 0
        self._recording: set[Page] = set()
        folder.mkdir(parents=True, exist_ok=True)

    def record(self, page: Page) -> None:
        """Record this tab from now on.

        Raises:
            Missing: Playwright's ffmpeg is not on this machine.
        """
        if page not in self._recording:
            self._parts += 1
            try:
                page.screencast.start(path=self._folder / f"{self._parts:02}.webm")
            except PlaywrightError as error:
                if "ffmpeg" not in error.message:
                    raise
                raise Missing('--video needs Playwright\'s ffmpeg: "playwright install ffmpeg" gets it.') from None
            self._recording.add(page)

    def pause(self, page: Page) -> bool:
        """End the part that is being recorded of this tab; returns whether one was."""
        if page not in self._recording:
            return False
        self._recording.remove(page)
        page.screencast.stop()
        return True

    def stop(self) -> None:
        """End all recordings."""
        for page in list(self._recording):
            if page.is_closed():
                self._recording.remove(page)
            else:
                self.pause(page)


@dataclass
class Result:
    """How a run ended; `result.json`."""

    id: str
    flow: str
    edition: str
    state: Literal["done", "stopped", "failed", "interrupted"] = "failed"
    seconds: float = 0
    steps_done: int = 0
    facts: dict[str, str] = field(default_factory=dict)
    screenshots: list[str] = field(default_factory=list)
    folder: str = ""
    trace: str | None = None
    videos: list[str] = field(default_factory=list)
    failure: dict[str, Any] | None = None


def new_folder(runs: Path, flow: Flow[Any]) -> Path:
    """Make the folder of a new run, readable by its owner only; its name is the run's id."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    folder = runs / f"{now}-{flow.name}-{randomness.token_hex(2)}"
    folder.mkdir(parents=True, mode=0o700)
    return folder


def perform(
    flow: Flow[Any],
    settings: Settings,
    browser: Browser,
    *,
    folder: Path,
    reporter: Reporter | None = None,
    until: int | None = None,
    trace: TraceMode = "off",
    video: bool = False,
) -> Result:
    """Perform a flow once in a context of its own, and leave its evidence in `folder`.

    Args:
        flow: The flow.
        settings: What it works with.
        browser: Where.
        folder: `runs/<id>`, see `new_folder`.
        reporter: Told what happens.
        until: Number of the last step to perform; None for all.
        trace: Whether a (redacted) trace is kept.
        video: Whether each tab is recorded, with gaps where a secret may be visible.

    Returns:
        How it ended; also written to `result.json`.

    Raises:
        StepFailed: A step failed. `result.json` is written before.
        SecretFound: A file below `folder` held a secret; it is deleted.
        KeyboardInterrupt: The run was interrupted; `result.json` is written before.
    """
    reporter = reporter or Reporter()
    run: Run[Any] = flow.run(settings, folder, Secrets(), reporter)
    result = Result(id=run.id, flow=flow.name, edition=flow.edition, folder=str(folder))
    run.ledger.record("run started", id=run.id, flow=flow.name, edition=flow.edition)
    reporter.run_started(run, flow)
    began = time.monotonic()
    context = browser.new_context(**context_options(**run.context_options()))
    recorder = Recorder(folder / "videos") if video else None
    try:
        if trace != "off":
            start_trace(context)
        page = context.new_page()
        if recorder:
            recorder.record(page)
            context.on("page", recorder.record)
        run.attach(page, recorder)
        run.perform(flow, until=until)
        result.state = "done" if until in (None, len(flow.steps)) else "stopped"
    except StepFailed as failed:
        result.failure = json.loads(json.dumps(asdict(failed.failure), default=str))
        raise
    except KeyboardInterrupt:
        result.state = "interrupted"
        raise
    finally:
        result.seconds = round(time.monotonic() - began, 1)
        result.steps_done = len({entry["step"] for entry in run.ledger.entries if entry["event"] == "step done"})
        result.facts = run.facts
        result.screenshots = run.screenshots
        try:
            _close(context, run, result, recorder, trace)
        finally:
            _write(result, run)
    return result


def _close(context: BrowserContext, run: Run[Any], result: Result, recorder: Recorder | None, trace: TraceMode) -> None:
    """Save what the context recorded and close it; a browser that has gone leaves a line in the ledger instead."""
    try:
        if recorder:
            recorder.stop()
            result.videos = sorted(path.name for path in (run.folder / "videos").glob("*.webm"))
        if trace == "on" or (trace == "retain-on-failure" and result.state == "failed"):
            save_trace(context, run.folder / "trace.zip", run.secrets)
            result.trace = "trace.zip"
        context.close()
    except PlaywrightError as error:
        run.ledger.record("browser gone", sentence=_sentence(error))


def _write(result: Result, run: Run[Any]) -> None:
    """Write `result.json`, record the end, and let nothing stay that holds a secret."""
    run.ledger.record("run ended", state=result.state, seconds=result.seconds)
    text = json.dumps(asdict(result), indent=2, ensure_ascii=False)
    (run.folder / "result.json").write_text(run.secrets.redact(text) + "\n", encoding="utf-8")
    findings = run.secrets.scan(run.folder)
    for path, _ in findings:
        path.unlink(missing_ok=True)
    if findings:
        raise SecretFound(findings)
