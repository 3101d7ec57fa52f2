"""A run: what the steps of a flow use, the order in which they are performed, and the one failure boundary."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from playwright.sync_api import BrowserContext, Locator, Page
from playwright.sync_api import Error as PlaywrightError

from runner.camera import Camera
from runner.controls import controls_on, set_default_timeout, until
from runner.darkroom import Darkroom
from runner.editions import as_edition, closest_control, missing_words, worded_as
from runner.errors import (
    BrowserGone,
    Failure,
    LedgerFailed,
    NeedsPerson,
    Question,
    StartAgain,
    StepFailed,
    Stuck,
    Undone,
    WrongUsage,
)
from runner.failures import Evidence, acted_on, answers_to, is_on, looked_for, sentence_of, without_spread
from runner.interruptions import is_interruption
from runner.screenshots import photograph
from runner.secrets import Secret, Secrets, plain_url
from runner.settings import Settings
from runner.sign_ins import secrets_in
from runner.traffic import Places, Traffic
from runner.troubles import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from runner.accessibility import Accessibility
    from runner.flow import Flow, Step
    from runner.ledger import RunLedger
    from runner.studio import Carried, Studio

    Follow = Callable[[Flow[Any]], Sequence[Step[Any]]]

S = TypeVar("S", bound=Settings)

START_AGAIN_AT_MOST = 2
"""How often one run goes back to an earlier step before it gives up."""


class Reporter:
    """Told what a run does while it does it; this one keeps silent."""

    def run_started(self, run: Run[Any], flow: Flow[Any]) -> None:
        """A run begins, or goes on."""

    def step_started(self, step: Step[Any]) -> None:
        """A step begins."""

    def said(self, words: str) -> None:
        """The step says what it waits for or what it met."""

    def screenshot(self, name: str, path: Path) -> None:
        """A screenshot was written."""

    def step_done(self, step: Step[Any], seconds: float) -> None:
        """A step has done what the guide says."""

    def step_failed(self, step: Step[Any], failure: Failure) -> None:
        """A step has failed; all that is known of it, without secrets."""

    def step_again(self, step: Step[Any], sentence: str) -> None:
        """A step is performed again, and why."""

    def step_found_done(self, step: Step[Any]) -> None:
        """A step that was interrupted turns out to be done."""

    def run_waits(self, seconds: float) -> None:
        """The browser is closed; in so many seconds a new one looks again."""


class Facts(dict[str, str]):
    """What a run has learned; each change is recorded at once, so that a run that goes on knows it.

    Args:
        known: What is known already.
        changed: Called after each change.
    """

    def __init__(self, known: dict[str, str], changed: Callable[[], None]) -> None:
        super().__init__(known)
        self._changed = changed

    def __setitem__(self, name: str, value: str) -> None:
        if self.get(name) != value:
            self.change(**{name: value})

    def forget(self, name: str) -> None:
        """Know this no longer."""
        self.change(**{name: None})

    def change(self, **values: str | None) -> None:
        """Learn or forget (None) several facts at once: all of it is recorded or nothing."""
        for name, value in values.items():
            if value is None:
                super().pop(name, None)
            else:
                super().__setitem__(name, value)
        self._changed()


class Run(Generic[S]):
    """One performance of a flow for one site; flows derive their own from it, with their page objects.

    Args:
        settings: What the flow is to work with.
        ledger: What it has recorded, and records.
        folder: `runs/<id>`, which holds all that the run leaves behind.
        secrets: What must not be written; the settings' secrets are added to it.
        reporter: Told what happens.
        facts: What it has learned before it was taken up again.

    Attributes:
        answered: The question that a person has just answered with anything but no; empty if there is none.
    """

    flow: Flow[Any] | None = None
    """The edition that is performed."""

    def __init__(
        self,
        settings: S,
        ledger: RunLedger,
        *,
        folder: Path,
        secrets: Secrets,
        reporter: Reporter,
        facts: dict[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.secrets = secrets
        self.reporter = reporter
        plain = settings.plain().values()
        for secret in settings.secrets():
            # A password that is the user's name stands everywhere as such.
            if secret.reveal() not in plain:
                secrets.add(secret)
        secrets.let_stand(*plain)
        self.ledger = ledger
        self.facts = Facts(facts or {}, self._record_facts)
        taken = [entry["name"] for entry in ledger.entries if entry["event"] == "screenshot"]
        renamed = {name: now for entry in ledger.entries for name, now in entry.get("renamed", {}).items()}
        self.screenshots: list[str] = list(dict.fromkeys(renamed.get(name, name) for name in taken))
        self._step: Step[Any] | None = None
        self._taken = 0
        self._highlighted: Locator | None = None
        self.accessibility: Accessibility | None = None
        self._page: Page | None = None
        self._at: Page | None = None
        self._camera = Camera(secrets)
        self._troubles = Troubles()
        self._traffic = Traffic(Places(settings, ledger.entries), secrets.redact_deep)
        self.studio: Studio | None = None
        self.darkroom = Darkroom()
        self._untold: list[tuple[str, Path]] = []
        self.resumable = True
        self._said = ""
        self._answer: str | None = None
        self.answered = ""
        self._looked = False
        self._waiting: tuple[int, datetime] | None = None
        self._waiting_from = 0.0

    # What a flow may override

    def follow(self, flow: Flow[Any]) -> None:
        """Perform this edition; called before anything is done, and again when the edition was recognised."""
        self.flow = flow

    def context_options(self) -> dict[str, Any]:
        """More options for the browser context, in Playwright's names."""
        return {}

    def patience(self) -> float:
        """Seconds that a page is given to show what a step waits for."""
        return 30

    def attach(self, page: Page, camera: Camera | None = None) -> None:
        """Take the first tab of a browser that has just been opened; tabs that the run knew before are gone."""
        anew = self._page is None or self._page.context != page.context
        self._page = self._at = page
        self._camera = camera or Camera(self.secrets)
        if anew:
            self._troubles.watch(page.context)
            self._traffic.watch(page.context)
        if self.studio:
            self.studio.watch(page.context)
        set_default_timeout(page.context, self.patience())

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

    @property
    def at(self) -> Page:
        """The tab that the run is at."""
        return self._at or self.page

    def say(self, words: str) -> None:
        """Tell whoever watches what is going on; goes into the ledger as well."""
        self._said = self.secrets.redact_deep(words)
        self.ledger.record("said", step=self._step and self._step.number, words=words)
        self.reporter.said(self._said)

    def note_interruption(self, words: str) -> None:
        """Record what lay over a page and was closed, and tell whoever watches."""
        self.ledger.record("interrupted by", step=self._step and self._step.number, words=words)
        self.reporter.said(self.secrets.redact_deep(f"something lay over the page: {words}"))

    def about_to(self, words: str) -> None:
        """Record, before it is done, that something is about to have an effect outside.

        Should the run be interrupted now, it has to be found out whether that was done (`Step.already_done`) before the
        step is performed again.
        """
        if self._step is None:
            raise RuntimeError("only a step can be about to do something")
        self._finish_screenshots()
        self.ledger.record("about to", run={"begun": True}, step=self._step.number, words=words)
        self.reporter.said(self.secrets.redact_deep(f"about to {words}"))

    def keep_secret(self, value: str, name: str) -> Secret:
        """Register a value that a page has just shown as a secret, before anything else is done with it."""
        return self.secrets.add(Secret(value, name))

    def switch_to(self, page: Page) -> None:
        """Go to this tab, as the guide says it."""
        self._at = page
        page.bring_to_front()

    def screenshot(
        self, page: Page | None = None, *, highlight: Locator | None = None, carried: Carried | None = None
    ) -> None:
        """Take the step's next screenshot.

        Args:
            page: The tab; the one of `highlight` if that is given, else the one that the run is at.
            highlight: The control that the guide names, which is outlined.
            carried: What the step carries from another tab; the guide's image shows both, a run's own only this one.
        """
        step = self._step
        if step is None or self._taken == len(step.screenshots):
            raise RuntimeError("the step takes more screenshots than it declares")
        shown = page or (highlight.page if highlight else self.at)
        name = step.screenshots[self._taken]
        self._taken += 1
        self._highlighted = highlight
        folder = self.folder / "screenshots"
        began = time.monotonic()
        if self.studio and self.studio.wants(name):
            names = self.studio.take(
                name, shown, highlight, carried, step=step.number, folder=folder, secrets=self.secrets, facts=self.facts
            )
        else:
            names = [name]
            taken = photograph(shown, self.secrets, highlight)
            if taken.loading:
                self.say(f"the page is still loading ({taken.loading}); photographed as it is")
            self.darkroom.develop(folder / name, taken.picture)
        took = round((time.monotonic() - began) / len(names), 3)
        self.screenshots += [each for each in names if each not in self.screenshots]
        self.keep_sessions_secret(shown.context)
        url = plain_url(shown.url)
        for each in names:
            self.ledger.record("screenshot", step=step.number, name=each, image=name, url=url, seconds=took)
            self._untold.append((each, folder / each))
        self._look_for_violations(shown, step, name)

    def _finish_screenshots(self) -> None:
        """Wait until all that was photographed is in its file: before something happens that cannot be done twice."""
        untold, self._untold = self._untold, []
        self.darkroom.finish()
        for name, path in untold:
            self.reporter.screenshot(name, path)

    def _finish_screenshots_all_the_same(self) -> bool:
        """Like `_finish_screenshots`, but what cannot be written is only noted, so that it does not hide the failure.

        Returns:
            Whether all were written.
        """
        try:
            self._finish_screenshots()
        except Exception as error:  # noqa: BLE001 - of the same kind as what a step may raise
            self.ledger.record("not kept", sentence=f"a screenshot could not be written: {sentence_of(error)}")
            return False
        return True

    def _look_for_violations(self, page: Page, step: Step[Any], name: str) -> None:
        """Record what is wrong with the accessibility of the page that a screenshot shows, if that is looked for."""
        if self.accessibility is None:
            return
        try:
            violations = self.accessibility.look(page, name)
        except PlaywrightError as error:
            sentence = f"its accessibility could not be checked: {sentence_of(error)}"
            self.ledger.record("no accessibility check", step=step.number, name=name, sentence=sentence)
        else:
            self.ledger.record("accessibility", step=step.number, name=name, violations=violations)

    def may_screenshot(self, *, highlight: Locator) -> None:
        """Take the step's next screenshot if the edition has one of this moment, see `Step.may_show`.

        Args:
            highlight: As for `screenshot`.
        """
        if self._step and self._taken < len(self._step.screenshots):
            self.screenshot(highlight=highlight)
            self._finish_screenshots()  # what comes next may be what cannot be done twice

    @contextmanager
    def tab_beside(self) -> Iterator[Page]:
        """A tab for what the guide does not do; after a failure, which is photographed in it, it stays."""
        before = self.at
        page = self.page.context.new_page()
        self.switch_to(page)

        def leave() -> None:
            self._camera.off(page)
            page.close()
            self.switch_to(before)

        try:
            yield page
        except StartAgain:
            leave()
            raise
        leave()

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Wait until no other run of this ledger is in a block of this name, and keep them out of it."""
        with self.ledger.lock(name):
            yield

    @contextmanager
    def off_camera(self, page: Page) -> Iterator[None]:
        """A secret may come into view in this tab meanwhile; what is left of it afterwards is covered."""
        was_on = self._camera.off(page)
        yield
        # Only when all went well: after a failure nothing more is to be seen.
        if was_on:
            self._camera.on(page)

    # What the engine uses

    def perform(
        self,
        order: Sequence[Step[Any]],
        flow: Flow[Any],
        answer: str | None = None,
        *,
        recognised: Follow | None = None,
        fresh: bool = True,
    ) -> bool:
        """Perform what is not done yet.

        Args:
            order: The steps, see `Flow.order`.
            flow: Their flow.
            answer: A person's answer to the question with which the run stopped.
            recognised: Told which edition it is, where that was not known; returns the steps of that one.
            fresh: The browser has just been opened; else its tabs stand where the step before has left them.

        Returns:
            True when all is done; False when a step waits and nothing has come yet.

        Raises:
            StepFailed: A step failed; everything in it is redacted.
            BrowserGone: The browser has crashed.
            WrongUsage: The answer is not one to the question.
        """
        self._answer = answer
        self.follow(flow)
        index_of = {step.number: index for index, step in enumerate(order)}
        at = next((index for index, step in enumerate(order) if not self._is_done(step)), len(order))
        went_back = 0
        while at < len(order):
            step = order[at]
            self._step = step
            if self._may_be_done(step):
                fresh = True
                if self._find_out(flow, step):
                    at += self._is_done(step)
                    continue
            if self._is_waiting(step):
                fresh = False
                if not self._look(flow, step):
                    return False
                at += 1
            elif fresh and step.enters_from != step.number:
                at, fresh = self._entry(order, index_of[step.enters_from], at), False
            else:
                fresh = False
                try:
                    self._perform(flow, step, recognised)
                except StartAgain as again:
                    went_back += 1
                    at = self._go_back(flow, order, at, again, went_back)
                else:
                    at += self._is_done(step)
                    if recognised and self.flow and self.flow is not flow:
                        flow, order = self.flow, recognised(self.flow)
                        index_of = {step.number: index for index, step in enumerate(order)}
        return True

    def _entry(self, order: Sequence[Step[Any]], back: int, at: int) -> int:
        """The place of the step from which this one is reached in a fresh browser."""
        if self._has_effect(order[back:at]):
            raise RuntimeError(f"{order[at].name} is entered by a step that must not be performed a second time")
        return back

    def _has_effect(self, steps: Sequence[Step[Any]]) -> bool:
        """Whether one of these steps has had its effect outside."""
        return any(one.asks and self._is_done(one) for one in steps)

    def _go_back(self, flow: Flow[Any], order: Sequence[Step[Any]], at: int, again: StartAgain, times: int) -> int:
        """Where to go on when what earlier steps entered is lost: at that step, or here if this one may be done."""
        step, sentence = order[at], self.secrets.redact_deep(str(again))
        self._note_requests(step)
        if times > START_AGAIN_AT_MOST:
            raise self.failed(flow, step, Stuck(f"{sentence}; that happened {times} times")) from None
        # A dry run has no other step than its own.
        back = next((index for index, one in enumerate(order) if one.number == again.step), at)
        if self._has_effect(order[back:at]):
            # What was created must not be created again: a fresh browser enters this step.
            raise BrowserGone(sentence) from None
        self.ledger.record("step again", step=again.step, instead_of=step.number, sentence=sentence)
        self.reporter.step_again(step, sentence)
        return at if self._may_be_done(step) else min(at, back)

    @property
    def at_step(self) -> Step[Any] | None:
        """The step that is performed, or was performed last."""
        return self._step

    def _last(self, step: Step[Any], *events: str) -> int:
        """Number of the step's last entry with one of these events; 0 if there is none."""
        entries = self.ledger.entries
        about = (step.number, events)
        found = (n for n in range(len(entries), 0, -1) if _is_about(entries[n - 1], *about))
        return next(found, 0)

    def _is_done(self, step: Step[Any]) -> bool:
        if step.number == 0:
            # What the preflight found may have changed since another process looked.
            taken_up = [n for n, entry in enumerate(self.ledger.entries, 1) if entry["event"] == "run goes on"]
            return self._last(step, *DONE) > max(taken_up, default=0)
        return self._last(step, *DONE) > 0

    def _may_be_done(self, step: Step[Any]) -> bool:
        """Whether the step may have had its effect outside: it was interrupted, or what came of it is in question."""
        return step.asks is not None and self._last(step, "about to", "question") > self._last(
            step, *DONE, "waits", "not done"
        )

    @property
    def tried_before(self) -> bool:
        """Whether this step was about to have its effect before, in this run."""
        step, event = self._step and self._step.number, "about to"
        return sum(_is_about(entry, step or 0, (event,)) for entry in self.ledger.entries) > 1

    def _is_waiting(self, step: Step[Any]) -> bool:
        """Whether the step's act is done, and what it waits for is still to come."""
        return step.wait is not None and self._last(step, "waits") > self._last(step, *DONE, "not done")

    def _find_out(self, flow: Flow[Any], step: Step[Any]) -> bool:
        """Ask whether a step that was interrupted is done, and record the answer.

        A step that waits after its act is not done then: it waits.
        """
        asked = self._last(step, "question")
        if self._answer and asked > self._last(step, "about to"):
            done = self._take_answer(self.ledger.entries[asked - 1], self._answer)
            self._answer = None
        else:
            with self._boundary(flow, step, elsewhere=True):
                done = step.asks is not None and step.asks(self)
                self._note_requests(step)
        if not done:
            self.ledger.record("not done", step=step.number)
        elif step.wait:
            self._begin_to_wait(step)
        else:
            self.ledger.record("found done", step=step.number, facts=self.facts)
            self.reporter.step_found_done(step)
        return done

    def _take_answer(self, asked: dict[str, Any], answer: str) -> bool:
        """What a person says: no; yes; or, where the question wants a fact, that fact."""
        if answer.casefold() == "no":
            return False
        fact = asked["fact"]
        is_address = answer.startswith(("https://", "http://"))
        if not (is_address if fact else answer.casefold() == "yes"):
            raise WrongUsage(
                f'--answer: "{answer}" does not answer the question: {asked["sentence"]}. '
                f"It is no, or {'an address, ' + fact.replace('_', ' ') if fact else 'yes'}"
            )
        if fact:
            self.facts[fact] = answer
        self.answered = asked["sentence"]
        return True

    def _perform(self, flow: Flow[Any], step: Step[Any], recognised: Follow | None = None) -> None:
        self._taken = 0
        self._highlighted = None
        self.ledger.record("step started", run={"step": step.number}, step=step.number, says=step.words)
        self.reporter.step_started(step)
        began = time.monotonic()
        with self._boundary(flow, step):
            step(self)
            self._look_around(step)  # while the last screenshot is written
            if step.wait is None:
                self._check_screenshots(step)
            if not flow.edition and step is flow.steps[0] and recognised:
                self._recognise(flow, step)
        if step.wait:
            self._begin_to_wait(step)
        else:
            self._done(step, time.monotonic() - began)

    def _recognise(self, flow: Flow[Any], step: Step[Any]) -> None:
        """Find out which edition the page shows, and give what this step has photographed the names that it has there.

        Raises:
            Stuck: It shows none of them.
        """

        def look() -> Flow[Any] | None:
            # A newer edition knows in what it differs from those before it.
            return next((one for one in reversed(flow.editions) if one.is_shown and one.is_shown(self)), None)

        found = until(self.at, look)
        if found is None:
            known = ", ".join(one.edition for one in flow.editions)
            raise Stuck(
                f"what the page shows then is of no edition that is known ({known}). To perform one of them all the "
                "same, begin another run with --edition"
            )
        names = zip(step.screenshots, found.steps[0].screenshots, strict=True)
        renamed = {name: now for name, now in names if name != now and name in self.screenshots}
        for name, now in renamed.items():
            path = self.folder / "screenshots" / now
            path.parent.mkdir(parents=True, exist_ok=True)
            before = self.folder / "screenshots" / name
            self.darkroom.rename(before, path)
            with suppress(OSError):  # other screenshots are in it
                before.parent.rmdir()
        self.screenshots = [renamed.get(name, name) for name in self.screenshots]
        self.ledger.record(
            "recognised", run={"edition": found.edition}, step=step.number, edition=found.edition, renamed=renamed
        )
        self.say(f"this is edition {found.edition} of the guide")
        self.follow(found)

    def _look_around(self, step: Step[Any]) -> None:
        """Note what has gone wrong beside the step, which sessions are open, and what has come into view."""
        self.keep_sessions_secret(self.page.context)
        self._note_requests(step)
        self._camera.look()

    def keep_sessions_secret(self, context: BrowserContext) -> None:
        """Register the sessions that are open in the browser, before what could show them is written."""
        for secret in secrets_in({"cookies": list(context.cookies())}, "the session"):
            self.secrets.add(secret, pieces=False)

    def _note_requests(self, step: Step[Any]) -> None:
        """Record what has gone wrong beside the step, and what was asked of servers since this was noted last."""
        if troubles := self._troubles.take():
            self.ledger.record("trouble", step=step.number, **troubles)
        if asked := self._traffic.take():
            self.ledger.record("requests", step=step.number, **asked)

    def _done(self, step: Step[Any], seconds: float) -> None:
        self.ledger.record(
            "step done", run={"facts": self.facts}, step=step.number, seconds=round(seconds, 3), facts=self.facts
        )
        self.reporter.step_done(step, seconds)

    def _begin_to_wait(self, step: Step[Any]) -> None:
        self._finish_screenshots()
        self.ledger.record("waits", run={"facts": self.facts}, step=step.number, facts=self.facts)

    def _look(self, flow: Flow[Any], step: Step[Any]) -> bool:
        """Watch for what the step waits for; False when it has not come yet."""
        if step.wait is None:
            raise RuntimeError(f"{step.name} waits for nothing")
        began, waits = self._last(step, "step started"), self._last(step, "waits")
        before = self.ledger.entries[began:waits]
        taken = [entry for entry in before if _is_about(entry, step.number, ("screenshot",))]
        self._taken = len({entry.get("image", entry["name"]) for entry in taken})
        # However late it is, a process looks before it gives up.
        left = step.wait.timeout(self.settings) - self._waited(step) if self._looked else WATCH
        self._looked = True
        with self._boundary(flow, step, elsewhere=True):
            if not step.wait.look(self, min(WATCH, max(left, 1.0))):
                self._note_requests(step)
                self._check_patience(step)
                return False
            self._look_around(step)  # while the last screenshot is written
            self._check_screenshots(step)
        self._done(step, self._waited(step))
        return True

    def _waited(self, step: Step[Any]) -> float:
        """Seconds since the step began to wait, or since it last failed: a run that is taken up waits anew."""
        since = datetime.fromisoformat(self.ledger.entries[self._last(step, "waits", "step failed") - 1]["at"])
        if self._waiting != (step.number, since):
            # Within this process the clock that nobody can set counts.
            before = max(0.0, (datetime.now(UTC) - since).total_seconds())
            self._waiting, self._waiting_from = (step.number, since), time.monotonic() - before
        return time.monotonic() - self._waiting_from

    def _check_patience(self, step: Step[Any]) -> None:
        timeout = step.wait.timeout(self.settings) if step.wait else 0
        if self._waited(step) > timeout:
            raise Question(
                f"what it waits for did not come within {_for_people(timeout)}"
                f"{f' (last seen: {self._said})' if self._said else ''}. It may still come: to wait on, resume the "
                "run; if it has failed, answer no, and the step is performed again"
            )

    @contextmanager
    def _boundary(self, flow: Flow[Any], step: Step[Any], *, elsewhere: bool = False) -> Iterator[None]:
        """The one failure boundary: nothing unredacted crosses it.

        Args:
            flow: The flow.
            step: The step.
            elsewhere: The step is looked at, not performed: a page that begins anew is left for another browser.
        """
        try:
            yield
        except LedgerFailed:
            raise
        except StartAgain as again:
            if elsewhere:
                raise BrowserGone(self.secrets.redact_deep(str(again))) from None
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it may hold a secret
            if is_interruption(error):
                raise KeyboardInterrupt from None
            if self._browser_has_gone(error):
                self.ledger.record("browser gone", step=step.number, sentence=sentence_of(error))
                raise BrowserGone(f"the browser has gone: {self.secrets.redact_deep(sentence_of(error))}") from None
            if isinstance(error, Question):
                self.ledger.record("question", step=step.number, sentence=str(error), fact=error.fact)
            if isinstance(error, Undone):
                # Nothing has come of it: as long as nothing else has, the run may be begun anew otherwise.
                has_effect = self._has_effect([one for one in flow.steps if one is not step])
                self.ledger.record("not done", run={} if has_effect else {"begun": False}, step=step.number)
            raise self.failed(flow, step, error) from None

    def _browser_has_gone(self, error: Exception) -> bool:
        """Whether the browser, or its driver, is no longer there: what a page did not show is another thing."""
        browser = self.page.context.browser
        if not isinstance(error, (PlaywrightError, AssertionError)):
            return browser is not None and not browser.is_connected()
        if _GONE.search(str(error)):
            return True
        if browser is None or not self.page.is_closed():
            return browser is not None and not browser.is_connected()
        try:
            browser.new_context().close()  # the tab may have been closed, or all of the browser
        except PlaywrightError:
            return True
        return False

    def _record_facts(self) -> None:
        self.ledger.record(
            "facts", run={"facts": self.facts}, step=self._step and self._step.number, facts=dict(self.facts)
        )

    def _check_screenshots(self, step: Step[Any]) -> None:
        self._finish_screenshots()
        if any(name not in step.may_show for name in step.screenshots[self._taken :]):
            raise RuntimeError(f"{step.name} took {self._taken} of its {len(step.screenshots)} screenshots")

    def failed(self, flow: Flow[Any], step: Step[Any], error: Exception) -> StepFailed:
        """Collect what is known of a failure, redacted, and record it."""
        page = self._at if self._at and not self._at.is_closed() else None
        if page:
            with suppress(PlaywrightError):  # a browser that has gone has no more to show
                self.keep_sessions_secret(page.context)
        self._finish_screenshots_all_the_same()
        self._note_requests(step)
        evidence = self._evidence(page, step, self._place(error)) if page else None
        answer = f" --answer {answers_to(error)}" if isinstance(error, Question) else ""
        sentence, closest = sentence_of(error), ""
        controls = evidence.controls if evidence else []
        if controls and step in [flow.first, *flow.steps] and (words := missing_words(error, step, controls)):
            closest = closest_control(words, controls)
            sentence = sentence.rstrip(".") + as_edition(flow, self._looks_like(flow, step, controls), words, closest)
        failure = Failure(
            flow=flow.name,
            name=step.name,
            step=step.number,
            says=self.secrets.redact_deep(step.words) if step in flow.steps else "",
            sentence=self.secrets.redact_deep(sentence),
            url=self.secrets.redact_deep(plain_url(page.url)) if page else "",
            looked_for=self.secrets.redact_deep(looked_for(error)),
            controls=controls,
            closest=closest,
            screenshot=evidence.screenshot if evidence else None,
            resume=self._what_next(flow, answer),
            asks=isinstance(error, Question),
            needs_person=isinstance(error, (NeedsPerson, Question)),
            marked=bool(evidence and evidence.marked),
        )
        about = asdict(failure)
        self.ledger.record("step failed", **about)
        self.reporter.step_failed(step, failure)
        return StepFailed(failure)

    def _looks_like(self, flow: Flow[Any], step: Step[Any], controls: Sequence[str]) -> Flow[Any] | None:
        """Another edition that the page looks like: by what it shows when the first step is done, or by its words."""
        others = [one for one in flow.editions if flow.edition and one is not flow]
        with suppress(PlaywrightError, AssertionError, Stuck):  # what the page does not tell is not told
            for one in others:
                if step in flow.steps[:2] and one.is_shown and one.is_shown(self):
                    return one
        return worded_as(flow, controls) if others else None

    def _what_next(self, flow: Flow[Any], answer: str) -> str:
        """How to go on after a failure."""
        if not self.resumable:
            return ""
        if any(one.asks and (self._is_done(one) or self._may_be_done(one)) for one in flow.steps):
            return f"guiderunner resume {self.id}{answer}"
        return f"guiderunner resume {self.id}; nothing was created yet: with other settings begin another run"

    def _place(self, error: Exception) -> Locator | None:
        """Where a step did not get on, if that is known: what the error names, or what could not be pressed or filled.

        An expectation that was not met names nothing: then it is the control that the guide names.
        """
        if isinstance(error, Stuck):
            return error.place
        if isinstance(error, (PlaywrightError, AssertionError)):
            return acted_on(error) or self._highlighted
        return None

    def _evidence(self, page: Page, step: Step[Any], place: Locator | None) -> Evidence:
        """What a failing page shows; a page too broken to tell leaves less evidence, and the ledger says why."""
        path = self.folder / "screenshots" / f"failed-step-{step.number}.png"
        controls: list[str] = []
        marked = False
        try:
            page.context.set_default_timeout(5000)
            controls = [without_spread(self.secrets.redact_deep(said), self.secrets) for said in controls_on(page)]
            tree = without_spread(self.secrets.redact_deep(page.locator("body").aria_snapshot()), self.secrets)
            (self.folder / f"failed-step-{step.number}.aria.yaml").write_text(tree + "\n", encoding="utf-8")
            marked = is_on(page, place)
            taken = photograph(page, self.secrets, searched=place if marked else None)
        except (PlaywrightError, AssertionError, Stuck) as error:
            self.ledger.record("no failure screenshot", step=step.number, sentence=sentence_of(error))
            return Evidence(controls, None)
        finally:
            with suppress(PlaywrightError):  # the browser has gone
                page.context.set_default_timeout(self.patience() * 1000)  # a test may go on there
        self.darkroom.develop(path, taken.picture)
        written = self._finish_screenshots_all_the_same()
        return Evidence(controls, path if written else None, marked=marked)


DONE = ("step done", "found done")
"""Events after which a step is not performed again."""

MINUTE = 60
HOUR = 60 * MINUTE

WATCH = 15.0
"""Seconds for which a page is watched for what a step waits for, before the browser is closed."""

_GONE = re.compile(r"Connection closed|(page|target) crashed", re.IGNORECASE)


def _is_about(entry: dict[str, Any], step: int, events: Sequence[str]) -> bool:
    return entry.get("step") == step and entry["event"] in events


def _for_people(seconds: float) -> str:
    """A duration in the unit in which it is short."""
    if seconds >= HOUR:
        return f"{seconds / HOUR:g} hours"
    return f"{seconds / MINUTE:g} minutes" if seconds >= MINUTE else f"{seconds:g} seconds"
