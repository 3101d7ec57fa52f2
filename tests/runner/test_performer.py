"""A test brings a run to any step, one by one or in one go, and what the run leaves behind tells of the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

import runner
from runner.errors import Question, StepFailed, Stuck, WrongUsage
from runner.flow import Flow, any_of
from runner.performance import Options
from runner.performer import Performer
from runner.run import Run
from runner.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SITE = "https://toy.example/"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """Nothing to set."""

    name: str = setting("TOY_NAME", help="name", default="Rattle")


Toy = Flow[Run[ToySettings]]


def toy(edition: str = "1", *, does: list[str] | None = None, trouble: list[Exception] | None = None) -> Toy:
    """Three steps after a preflight; the second is lost with its tab, the third looks several times for what it waits for.

    Args:
        edition: Its edition.
        does: What was done, in order.
        trouble: What the third step runs into, one after the other.
    """
    done = does if does is not None else []
    troubles = trouble if trouble is not None else []
    flow: Toy = Flow("toy", edition=edition, run=Run, settings=ToySettings)

    @flow.preflight
    def look_beforehand(run: Run[ToySettings]) -> None:
        """Look beforehand."""
        done.append("preflight")

    @flow.step(1, says="Open", images=[f"{edition}-one.png"])
    def open_toy(run: Run[ToySettings]) -> None:
        """Open the toy."""
        done.append("open")
        run.page.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<h1>Toy</h1>"))
        run.page.goto(SITE)
        run.screenshot()

    flow.is_recognised_by(lambda _: True)

    @flow.step(2, says=["Name", "Continue"], enters_from=1)
    def name_toy(run: Run[ToySettings]) -> None:
        """Name the toy."""
        done.append("name")

    @flow.step(3, says="Make")
    def make_toy(run: Run[ToySettings]) -> None:
        """Make the toy."""
        done.append("make")
        if troubles:
            raise troubles.pop(0)

    looks = iter([False, True])

    @make_toy.waits(timeout=lambda _: 60)
    def is_made(run: Run[ToySettings], seconds: float) -> bool:
        """Look whether it is made."""
        return next(looks)

    @make_toy.already_done
    def was_made(run: Run[ToySettings]) -> bool:
        """Nobody knows."""
        raise Question("was the toy made? look there")

    @flow.afterwards
    def tidy_up(run: Run[ToySettings]) -> None:
        """Tidy up."""
        done.append("tidy")

    return flow


Begin = Callable[..., Performer[Run[ToySettings]]]


@pytest.fixture
def begin(browser: Browser, tmp_path: Path) -> Iterator[Begin]:
    """Begin a run of a flow in a context of its own."""
    begun: list[Performer[Run[ToySettings]]] = []

    def make(flow: Toy, **options: object) -> Performer[Run[ToySettings]]:
        performer = Performer(
            flow,
            ToySettings.load({}),
            tmp_path / "runs",
            options=Options(**options),  # type: ignore[arg-type]
            test="tests/test_toy.py::test_it",
        )
        begun.append(performer)
        performer.attach(performer.open_context(browser, {"viewport": {"width": 300, "height": 200}}).new_page())
        return performer

    yield make
    for performer in begun:
        performer.finish()


def test_a_run_performs_all_that_is_left(begin: Begin) -> None:
    """Preflight, steps, what the last one waits for, and what is done afterwards; the result says so."""
    does: list[str] = []
    performer = begin(toy(does=does))
    result = performer.run()
    assert does == ["preflight", "open", "name", "make", "tidy"]
    assert (result.state, result.steps_done) == ("done", 3)
    assert performer.screenshots["1-one.png"].is_file()


def test_the_preflight_can_be_left_out(begin: Begin) -> None:
    """As with --no-preflight."""
    does: list[str] = []
    begin(toy(does=does)).run(preflight=False)
    assert does == ["open", "name", "make", "tidy"]


def test_a_test_stands_behind_a_step_and_goes_on(begin: Begin) -> None:
    """Each step is performed once, without the preflight, in the tab where the one before has left it."""
    does: list[str] = []
    performer = begin(toy(does=does))
    assert performer.until(1).steps_done == [1]
    assert performer.page.url == SITE
    performer.step(2)
    performer.until("Make")
    performer.run()
    assert does == ["open", "name", "make", "tidy"]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (3, "step 3 follows step 2, which is not done: until(2) first"),
        (1, "step 1 is done already: a run does no step twice"),
        (9, "there is no step 9"),
        ("Fly", '"Fly" names no step of toy: 1 "Open"; 2 "Name", "Continue"; 3 "Make"'),
    ],
)
def test_a_step_that_is_not_the_next_one_is_refused(begin: Begin, step: int | str, says: str) -> None:
    """The sentence says what there is, or what comes first; nothing is performed."""
    does: list[str] = []
    performer = begin(toy(does=does)).until(1)
    with pytest.raises(WrongUsage) as refused:
        performer.step(step)
    assert says in str(refused.value)
    assert does == ["open"]


def test_words_of_two_steps_name_neither(begin: Begin) -> None:
    """A word that the guide prints in two steps does not say which."""
    flow = toy()
    flow.steps[2].says = ("Continue",)
    with pytest.raises(WrongUsage, match='"continue" names several steps'):
        begin(flow).until("continue")


def test_an_edition_that_is_recognised_loses_no_step(begin: Begin) -> None:
    """The order is told anew after the first step, with the preflight as it was before."""
    does: list[str] = []
    performer = begin(any_of([toy("1", does=does), toy("2", does=does)]))
    performer.run()
    assert does == ["preflight", "open", "name", "make", "tidy"]
    assert performer.flow.edition == "2"


def test_words_are_those_of_the_edition_that_is_recognised(begin: Begin) -> None:
    """In another edition they may stand in another step, or in none: it is recognised first."""
    does: list[str] = []
    old, new = toy("1", does=does), toy("2", does=does)
    new.steps[1].says, new.steps[2].says = ("Make",), ("Build",)
    new.is_recognised_by(lambda _: False)
    performer = begin(any_of([old, new])).until("Make")
    assert performer.flow.edition == "1"
    assert performer.steps_done == [1, 2, 3]
    with pytest.raises(WrongUsage, match='"Build" names no step'):
        performer.until("Build")


def test_a_failure_shows_the_test_and_none_of_the_code_in_between(begin: Begin) -> None:
    """The traceback ends in the test's own line, and says what a run on the command line says."""
    performer = begin(toy(trouble=[Stuck("there is no button Make")]))
    with pytest.raises(StepFailed, match="Step 3 failed: there is no button Make") as failed:
        performer.run()
    shown = [entry for entry in failed.traceback if not entry.ishidden(failed)]
    assert [str(entry.path).rpartition("/")[2] for entry in shown] == ["test_performer.py"]


def test_a_run_is_entered_anew_after_a_failure(begin: Begin) -> None:
    """In a fresh tab, from the step that a fresh browser can enter; what is done stays done."""
    does: list[str] = []
    performer = begin(toy(does=does, trouble=[Stuck("not yet")]))
    with pytest.raises(StepFailed):
        performer.run()
    before = performer.page
    assert performer.resume().run().state == "done"
    assert before.is_closed()
    assert does == ["preflight", "open", "name", "make", "make", "tidy"]


def test_a_lost_step_is_performed_again_only_in_a_fresh_tab(begin: Begin) -> None:
    """Step 2 is lost with its tab: entered anew it begins with step 1, as the guide's reader would."""
    does: list[str] = []
    performer = begin(toy(does=does)).until(1)
    performer.resume().until(2)
    assert does == ["open", "open", "name"]


def test_a_test_can_answer_a_question(begin: Begin) -> None:
    """What cannot be known is asked; the answer is given as on the command line."""
    performer = begin(toy(trouble=[Question("was the toy made? look there")]))
    with pytest.raises(StepFailed, match="was the toy made"):
        performer.run()
    assert performer.resume(answer="yes").run().state == "done"


@pytest.mark.parametrize(
    ("ends", "state"), [("whole", "done"), ("part", "stopped"), ("fails", "failed"), ("asks", "asks")]
)
def test_what_is_left_behind_says_how_it_ended(begin: Begin, ends: str, state: str) -> None:
    """result.json tells a whole run from a part of one, and a failure from a question."""
    troubles: dict[str, list[Exception]] = {"fails": [Stuck("no")], "asks": [Question("made?")]}
    trouble = troubles.get(ends, [])
    performer = begin(toy(trouble=[*trouble]))
    if trouble:
        with pytest.raises(StepFailed):
            performer.run()
    elif ends == "whole":
        performer.run()
    else:
        performer.until(2)
    performer.finish()
    result = json.loads((performer.folder / "result.json").read_text())
    assert result["state"] == state
    assert bool(result["failure"]) == bool(trouble)


def test_the_report_shows_what_the_test_has_found(begin: Begin) -> None:
    """The sentences of failed checks, and what the tabs showed then; no step is called failed."""
    performer = begin(toy(), trace="retain-on-failure").until(2)
    performer.finish(["the title is Toy, not Rattle"], failed=True)
    result = json.loads((performer.folder / "result.json").read_text())
    assert (result["state"], result["failure"]["sentence"]) == ("failed", "the title is Toy, not Rattle")
    jsonschema.validate(result, json.loads((Path(runner.__file__).with_name("result.schema.json")).read_text()))
    report = (performer.folder / "report.html").read_text()
    assert "<dd>tests/test_toy.py::test_it</dd>" in report
    assert "The test has found this wrong" in report
    assert "the title is Toy, not Rattle" in report
    assert (performer.folder / "screenshots" / "test-failed-1.png").is_file()
    assert (performer.folder / "trace.zip").is_file()


def test_a_test_that_goes_well_keeps_no_trace(begin: Begin) -> None:
    """Where traces are kept of failures only."""
    performer = begin(toy(), trace="retain-on-failure").until(2)
    performer.finish()
    assert (performer.folder / "report.html").is_file()
    assert not list(performer.folder.glob("trace*"))


def test_nobody_is_told_to_resume_it(begin: Begin) -> None:
    """The run ends with its test."""
    performer = begin(toy(trouble=[Stuck("no")]))
    with pytest.raises(StepFailed) as failed:
        performer.run()
    performer.finish(failed=True)
    assert "guiderunner resume" not in str(failed.value)
    assert "guiderunner resume" not in (performer.folder / "report.html").read_text()


def test_a_test_that_goes_on_after_a_failure_has_its_patience(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a failing page shows is looked for with another one."""
    monkeypatch.setattr(Run, "patience", lambda _: 0.3)
    performer = begin(toy(trouble=[Stuck("no")]))
    with pytest.raises(StepFailed):
        performer.run()
    with pytest.raises(PlaywrightError, match="Timeout 300ms"):
        performer.page.locator("#nowhere").click()


def test_the_next_test_has_the_patience_that_this_one_found(begin: Begin) -> None:
    """Playwright keeps one for all expectations of the process; a run has its own."""
    expect.set_options(timeout=1234)
    performer = begin(toy()).until(1)
    assert expect._timeout == 30_000  # noqa: SLF001 - there is no other way to read it
    performer.finish()
    assert expect._timeout == 1234  # noqa: SLF001 - the same
