"""Performs a flow in the browser context of a test, as far as the test wants; knows nothing of pytest."""

from __future__ import annotations

import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from runner.accessibility import accept, refuse_new
from runner.errors import BrowserGone, Failure, StepFailed, Stuck, WrongUsage
from runner.ledger import Ledger, Record
from runner.performance import Ended, Options, Performance, Result, as_plain, held, new_id, versions
from runner.run import DONE, Run
from runner.screenshots import photograph
from runner.unredacted import private_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from runner.camera import Camera
    from runner.flow import Flow, Step
    from runner.run import Reporter
    from runner.settings import Settings

R = TypeVar("R", bound="Run[Any]")


class Performer(Generic[R]):
    """One run of a flow in a test: it stands where the test has brought it, and goes on from there.

    A step that is done is not done again. All that it leaves behind is in a folder of its own, as of any run.

    Args:
        flow: The flow; one without an edition is recognised when its first step is done.
        settings: What it works with.
        runs: Folder in which the run gets its own.
        options: How it is performed.
        reporter: Told what happens.
        baseline: Violations of accessibility that are known; others fail the test, if the options look for them.
        accept_violations: Make what is found known instead.
        test: What the test is called.
    """

    def __init__(
        self,
        flow: Flow[R],
        settings: Settings,
        runs: Path,
        *,
        options: Options | None = None,
        reporter: Reporter | None = None,
        baseline: Path | None = None,
        accept_violations: bool = False,
        test: str = "",
    ) -> None:
        self._stack = ExitStack()
        self._baseline = baseline
        self._accept = accept_violations
        self._test = test
        self._context: BrowserContext | None = None
        self._camera: Camera | None = None
        self._fresh = True
        self._answer: str | None = None
        self._failed: StepFailed | None = None
        self._reached: Ended = "stopped"
        self._finished = False
        self._began = time.monotonic()
        # Playwright keeps one such time for the whole process: the next test is to find it as this one did.
        before = getattr(expect, "_timeout", None)
        self._stack.callback(lambda: expect.set_options(timeout=before))
        run_id = new_id(flow)
        record = Record(
            id=run_id,
            flow=flow.name,
            edition=flow.edition,
            subject=run_id,
            site=settings.site,
            folder=(runs / run_id).absolute(),
            settings=settings.plain(),
            state="given up",  # it ends with its test: nobody is told to resume it
        )
        with private_files():
            runs.mkdir(parents=True, exist_ok=True)
            ledger = Ledger.beside(runs)
            self._stack.callback(ledger.close)
            still_held = self._stack.enter_context(held(ledger, record))
            ledger.begin(record)
            self._performance = Performance(
                flow,
                settings,
                record,
                ledger,
                reporter=reporter,
                options=replace(options or Options(), resumable=False),
                still_held=still_held,
            )
        self.performed = cast("R", self._performance.run)
        """The flow's own run, with its page objects."""
        self.performed.follow(flow)

    # Where it stands

    @property
    def flow(self) -> Flow[Any]:
        """The flow, in the edition that was recognised, if it was."""
        return self._performance.flow

    @property
    def folder(self) -> Path:
        """What the run leaves behind: `report.html`, `result.json`, `ledger.jsonl`, `screenshots/`."""
        return self._performance.folder

    @property
    def settings(self) -> Any:  # noqa: ANN401 - each flow has its own
        """What the run works with."""
        return self.performed.settings

    @property
    def facts(self) -> Mapping[str, str]:
        """What the run has learned; never a secret."""
        return self.performed.facts

    @property
    def steps_done(self) -> list[int]:
        """Numbers of the guide's steps that are done."""
        done = {entry["step"] for entry in self.performed.ledger.entries if entry["event"] in DONE}
        return [step.number for step in self.flow.steps if step.number in done]

    @property
    def screenshots(self) -> dict[str, Path]:
        """The screenshots that were taken so far, by the names of the guide's images."""
        return {name: self.folder / "screenshots" / name for name in self.performed.screenshots}

    @property
    def page(self) -> Page:
        """The tab that the run is at."""
        return self.performed.at

    # What a test does

    def run(self, *, preflight: bool = True) -> Result:
        """Perform all that is not done yet, to the end: the preflight too, unless the test stands at a step already.

        Args:
            preflight: Check first that all can be done, as a run on the command line does.

        Returns:
            How it ended.

        Raises:
            StepFailed: A step failed.
            Differs: There are violations of accessibility that the baseline does not know.
        """
        __tracebackhide__ = True
        preflight = preflight and not self.steps_done
        self._perform(lambda flow: flow.order(preflight=preflight))
        return self._result("done")

    def until(self, step: int | str) -> Performer[R]:
        """Perform what is not done yet, up to and with this step, so that the test stands behind it.

        Args:
            step: Its number, or words that the guide prints in bold in it.

        Returns:
            Itself.

        Raises:
            StepFailed: A step failed.
            WrongUsage: There is no such step.
        """
        __tracebackhide__ = True
        self._recognise_for(step)
        number = self.flow.number_of(step)
        self._perform(lambda flow: flow.order(preflight=False, until=number))
        return self

    def step(self, step: int | str) -> Performer[R]:
        """Perform this one step, from where the one before has left the tabs; arguments and errors as of `until`.

        Raises:
            WrongUsage: Those before it are not done, or it is done already.
        """
        __tracebackhide__ = True
        self._recognise_for(step)
        number = self.flow.number_of(step)
        done = self.steps_done
        if number in done:
            raise WrongUsage(f"step {number} is done already: a run does no step twice")
        if missing := [each for each in range(1, number) if each not in done]:
            raise WrongUsage(f"step {number} follows step {missing[-1]}, which is not done: until({missing[-1]}) first")
        return self.until(number)

    def resume(self, *, answer: str | None = None) -> Performer[R]:
        """Enter the run anew, in fresh tabs, as "guiderunner resume" does in a fresh browser; `run` then goes on.

        Args:
            answer: A person's answer, where the run has stopped with a question.

        Returns:
            Itself.
        """
        page = self.performed.page.context.new_page()
        for other in page.context.pages:
            if other is not page:
                other.close()
        self._failed = None
        self._record("run goes on")
        self.performed.attach(page, self._camera)
        self._fresh, self._answer = True, answer
        return self

    # What the test's fixtures do

    def open_context(self, browser: Browser, more: Mapping[str, Any]) -> BrowserContext:
        """The test's browser context, with what the flow needs of it.

        Args:
            browser: Where it is opened.
            more: Playwright's options for it, which come before the flow's.
        """
        kept = {"storage_state": self._performance.kept} if self._performance.kept else {}
        with private_files():
            self._context = self._performance.open_context(browser, {**kept, **more})
        return self._context

    def keep_session_secret(self) -> None:
        """Register the sessions that are open now, before what could show them is written."""
        if self._context and not self._finished:
            with suppress(PlaywrightError):  # it has gone, and shows no more
                self.performed.keep_sessions_secret(self._context)

    def attach(self, page: Page) -> None:
        """Make a tab the run's first one.

        Raises:
            WrongUsage: It is not one of the run's own context, so that it would be recorded with its secrets.
        """
        if page.context != self._context:
            raise WrongUsage(
                "the test's page was opened before its run, so that it would be recorded with the run's secrets: name "
                "the run's fixture among the arguments of the test, or of the fixture that opens the page"
            )
        browser = page.context.browser
        with private_files():
            self._camera = self._performance.camera()
            self._performance.watch(page, self._camera)
            self._record("run started")
            self.performed.ledger.record("test", name=self._test)
            if browser:
                self.performed.ledger.record("versions", **versions(browser))
            self._performance.reporter.run_started(self.performed, self.flow)

    def _recognise_for(self, step: int | str) -> None:
        """Perform the first step, after which the edition is known, if it takes that to know which one is meant."""
        __tracebackhide__ = True
        if isinstance(step, str) and not self.flow.edition:
            self._perform(lambda flow: flow.order(preflight=False, until=1))

    def _record(self, event: str) -> None:
        run, flow = self.performed, self.flow
        how = self._performance.options.told()
        run.ledger.record(event, id=run.id, flow=flow.name, edition=flow.edition, how=how)

    def _perform(self, order: Callable[[Flow[Any]], Sequence[Step[Any]]]) -> None:
        __tracebackhide__ = True

        def recognised(flow: Flow[Any]) -> Sequence[Step[Any]]:
            self._performance.follow(flow)
            return order(flow)

        try:
            with private_files():
                while not self.performed.perform(
                    order(self.flow), self.flow, self._answer, recognised=recognised, fresh=self._fresh
                ):
                    self._fresh, self._answer = False, None
        except StepFailed as failed:
            self._failed = failed
            self._fresh = True
            # Of all the calls in between a test's report would show the code.
            raise failed.with_traceback(None) from None
        self._fresh, self._answer = False, None
        if self._baseline and self._accept:
            accept(self._baseline, self.performed.ledger.entries)
        elif self._baseline:
            refuse_new(self._baseline, self.performed.ledger.entries)

    def _result(self, state: Ended) -> Result:
        result = self._performance.result
        self._reached = result.state = state
        result.edition = self.flow.edition
        result.seconds = round(time.monotonic() - self._began, 1)
        result.steps_done = len(self.steps_done)
        result.facts = dict(self.facts)
        result.screenshots = list(self.performed.screenshots)
        return result

    def finish(self, problems: Sequence[str] = (), *, failed: bool = False, keep_videos: bool = True) -> None:
        """Take what the tabs show if the test has failed, close its context, and write what the run leaves behind.

        A second call does nothing.

        Args:
            problems: What the test has found wrong, in sentences.
            failed: Whether it has failed.
            keep_videos: Whether videos stay.

        Raises:
            SecretFound: A file held a secret; it is deleted.
        """
        if self._finished:
            return
        self._finished = True
        run, context = self.performed, self._context
        try:
            with private_files():
                step = run.at_step and run.at_step.number
                for problem in problems:
                    run.ledger.record("check failed", step=step, sentence=problem)
                if context:
                    if failed:
                        self._photograph_tabs(context)
                    self._close(context, failed=failed)
                for path in [] if keep_videos else (self.folder / "videos").glob("*.webm"):
                    path.unlink()
                result = self._result(self._reached)
                if self._failed:
                    result.failure = as_plain(self._failed.failure)
                    result.state = "asks" if self._failed.failure.asks else "failed"
                elif failed:
                    result.state = "failed"
                    sentence = run.secrets.redact_deep("; ".join(problems) or "the test has failed")
                    result.failure = as_plain(
                        Failure(flow=self.flow.name, name="The test", step=step or 0, says="", sentence=sentence)
                    )
                self._performance.write()
        finally:
            self._stack.close()

    def _close(self, context: BrowserContext, *, failed: bool) -> None:
        if self._camera:
            self._performance.close(context, self._camera, failed=failed, keep=False)
        else:
            context.close()

    def _photograph_tabs(self, context: BrowserContext) -> None:
        """What each tab shows when a test has failed, where no step has."""
        if self._failed:
            return  # the step has photographed it
        for number, page in enumerate(context.pages, 1):
            path = self.folder / "screenshots" / f"test-failed-{number}.png"
            try:
                self.performed.darkroom.develop(path, photograph(page, self.performed.secrets).picture)
            except (PlaywrightError, AssertionError, Stuck, BrowserGone) as error:
                self.performed.ledger.record("not kept", sentence=f"what a tab showed: {str(error).splitlines()[0]}")
