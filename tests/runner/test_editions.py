"""A flow's editions: declared, found by name, recognised by what is shown, and named where a page lacks their words."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from runner import flow as flow_module
from runner.controls import control
from runner.editions import closest_control, missing_words, worded_as
from runner.errors import NeedsPerson, Question, StepFailed, Stuck, WrongUsage
from runner.flow import Act, Flow, Step, any_of, editions_of, find_flow
from runner.guide import closest, read_guide
from runner.ledger import Ledger
from runner.performance import Options, perform, resume
from runner.run import Run
from runner.settings import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

    from runner.performance import Result

SITE = "https://toy.example/"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """What the toy shows, and when it is interrupted."""

    shows: str = setting("TOY_SHOWS", help="what the page shows after the first step", default="")
    interrupted_at: str = setting("TOY_INTERRUPTED_AT", help="step", default="")


class ToyRun(Run[ToySettings]):
    """A run whose site answers from the test."""

    def patience(self) -> float:
        """Short, so that what never comes does not hold up the tests."""
        return 1

    def show(self) -> None:
        """Go to the page, in a browser just opened."""
        if self.page.url != SITE:
            body = f"<h1>Toy</h1><button>Begin</button>{self.settings.shows}"
            self.page.route(f"{SITE}**", lambda route: route.fulfill(content_type="text/html", body=body))
            self.page.goto(SITE)

    def meet(self, step: str) -> None:
        """Be interrupted here, where the settings say so."""
        if self.settings.interrupted_at == step:
            raise Stuck("interrupted")


def open_toy(run: ToyRun) -> None:
    """Open the toy."""
    run.show()
    run.screenshot()
    run.meet("1")


def make_toy(run: ToyRun) -> None:
    """Make the toy."""
    run.about_to("make the toy")
    run.meet("2")
    run.may_screenshot(highlight=control(run.page, "Begin"))


def play(run: ToyRun) -> None:
    """Play with the toy."""
    run.show()
    control(run.page, "Play").click()


def shows(words: str) -> Callable[[ToyRun], bool]:
    """An edition is recognised by a control of this name."""
    return lambda run: control(run.page, words).is_visible()


def toys() -> tuple[Flow[ToyRun], Flow[ToyRun]]:
    """Two editions: the second has other words, other pictures, one that may be missing, and a step less."""
    made = Act(make_toy)
    made.already_done(lambda _: True)
    first: Flow[ToyRun] = Flow("toy", edition="1", run=ToyRun, settings=ToySettings)
    first.step(1, says="Begin", images=["1/begin.png"])(open_toy)
    first.step(2, says="Make", images=["1/make.png"], enters_from=1)(made)
    first.step(3, says="Play")(play)
    first.is_recognised_by(shows("Make"))
    second: Flow[ToyRun] = Flow("toy", edition="2", run=ToyRun, settings=ToySettings)
    second.step(1, says="Begin", images=["2/begin.png"])(open_toy)
    second.step(2, says="Build", images=["2/ask.png"], may_show=["2/ask.png"], enters_from=1)(made)
    second.is_recognised_by(shows("Build"))
    return first, second


@pytest.fixture
def run_toy(browser: Browser, tmp_path: Path) -> Callable[..., Result]:
    """Perform the toy in `tmp_path / "runs"`, or take up its one run with the edition that it has recorded."""

    def run(flow: Flow[ToyRun], *, go_on: bool = False, **settings: Any) -> Result:
        ledger = Ledger.beside(tmp_path / "runs")
        options = Options(until=settings.pop("until", None))
        given = ToySettings.load(settings)
        browsers = lambda: nullcontext(browser)  # noqa: E731 - what both take
        if not go_on:
            return perform(flow, given, browsers, runs=tmp_path / "runs", ledger=ledger, options=options)
        (record,) = ledger.runs()
        known = next((one for one in flow.editions if one.edition == record.edition), flow)
        return resume(known, given, browsers, record=record, ledger=ledger, options=options)

    return run


def entries(tmp_path: Path) -> list[dict[str, Any]]:
    """The one run's ledger."""
    (path,) = (tmp_path / "runs").glob("*/ledger.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


# -- declared and found ---------------------------------------------------------------------------------------------


def test_an_act_is_as_safe_in_every_edition() -> None:
    """What it declares once, how to find out whether it is done and what it waits for, each of its steps has."""
    act = Act(make_toy)
    act.already_done(lambda _: True)
    act.waits(timeout=lambda _: 5.0)(lambda *_: True)
    first, second = (Flow("toy", edition=name, run=ToyRun, settings=ToySettings) for name in "12")
    steps = [first.step(1)(act), second.step(1, says="Make")(act)]
    assert [step.asks for step in steps] == [act.asks] * 2
    assert [step.wait for step in steps] == [act.wait] * 2
    assert [step.title for step in steps] == ["Make the toy"] * 2


def test_what_is_done_afterwards_comes_after_the_last_step_wherever_it_was_declared() -> None:
    """Also when an edition adds its steps later."""
    flow: Flow[ToyRun] = Flow("toy", edition="1", run=ToyRun, settings=ToySettings)
    last = flow.afterwards(make_toy)
    flow.step(1)(open_toy)
    flow.step(2)(open_toy)
    assert [step.number for step in flow.order()] == [1, 2, 3]
    assert flow.order()[-1] is last


def test_only_the_last_images_may_be_missing() -> None:
    """Screenshots are taken in their order: what is missing in the middle could not be told from what comes then."""
    with pytest.raises(ValueError, match=r"Step 1 may lack a\.png, which are not its last screenshots"):
        Step(1, (), ("a.png", "b.png"), (), open_toy, may_show=("a.png",))
    assert Step(1, (), ("a.png", "b.png"), (), open_toy, may_show=("b.png",)).screenshots == ("a.png", "b.png")


def test_an_edition_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the flow is whichever it turns out to be; one that there is not is refused with those there are."""
    first, second = toys()
    monkeypatch.setattr(flow_module, "load_flows", lambda: {"toy": any_of([first, second])})
    assert list(editions_of("toy")) == [first, second]
    assert find_flow("toy", "1") is first
    assert find_flow("toy").edition == find_flow("toy", "").edition == ""
    with pytest.raises(WrongUsage, match=r'--edition: toy has no edition "3"; there are: 1, 2'):
        find_flow("toy", "3")


def test_a_flow_of_one_edition_is_that_edition() -> None:
    """There is nothing to recognise."""
    first, _ = toys()
    assert any_of([first]) is first


def test_a_guide_is_of_the_edition_that_it_fits_best(tmp_path: Path) -> None:
    """By its words, images and number of steps, also when it agrees with none of them."""
    first, second = toys()
    guide = tmp_path / "guide.md"
    guide.write_text("1. **Begin** ![a](images/2/begin.png)\n1. **Build it**\n")
    assert closest(read_guide(guide), [first, second]) is second
    guide.write_text("1. **Begin**\n1. **Make**\n1. **Play**\n")
    assert closest(read_guide(guide), [first, second]) is first


# -- recognised -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(
    ("shown", "edition", "pictures"),
    [
        ("<button>Make</button><button>Play</button>", "1", ["1/begin.png", "1/make.png"]),
        ("<button>Build</button>", "2", ["2/begin.png", "2/ask.png"]),
    ],
)
def test_the_edition_is_recognised_when_the_first_step_is_done(
    run_toy: Callable[..., Result], tmp_path: Path, shown: str, edition: str, pictures: list[str]
) -> None:
    """Its steps are performed, and result, ledger, report and the first step's picture are of that edition."""
    result = run_toy(any_of(toys()), TOY_SHOWS=shown)
    assert (result.state, result.edition, result.screenshots) == ("done", edition, pictures)
    (record,) = Ledger.beside(tmp_path / "runs").runs()
    assert record.edition == edition
    taken = sorted(path.relative_to(record.folder / "screenshots") for path in record.folder.rglob("*.png"))
    assert [str(path) for path in taken] == sorted(pictures)
    report = (record.folder / "report.html").read_text()
    assert f"toy, edition {edition}" in report
    assert all(name in report for name in pictures)


@pytest.mark.browser
def test_a_run_that_ended_before_its_edition_was_recognised_recognises_it_later(
    run_toy: Callable[..., Result], tmp_path: Path
) -> None:
    """Its first step is not done: it is performed again, and what the page shows then decides."""
    flow = any_of(toys())
    with pytest.raises(StepFailed):
        run_toy(flow, TOY_INTERRUPTED_AT="1")
    (record,) = Ledger.beside(tmp_path / "runs").runs()
    assert record.edition == ""
    assert json.loads((record.folder / "result.json").read_text())["edition"] == ""
    result = run_toy(flow, go_on=True, TOY_SHOWS="<button>Make</button><button>Play</button>")
    assert (result.state, result.edition, result.screenshots) == ("done", "1", ["1/begin.png", "1/make.png"])


@pytest.mark.browser
def test_a_run_goes_on_in_the_edition_that_was_recognised(run_toy: Callable[..., Result], tmp_path: Path) -> None:
    """Whatever the page shows later: what the steps have done counts by that edition's numbers."""
    flow = any_of(toys())
    with pytest.raises(StepFailed):
        run_toy(flow, TOY_SHOWS="<button>Make</button>", TOY_INTERRUPTED_AT="2")
    result = run_toy(flow, go_on=True, TOY_SHOWS="<button>Build</button><button>Play</button>")
    assert (result.state, result.edition, result.steps_done) == ("done", "1", 3)
    assert [entry["edition"] for entry in entries(tmp_path) if entry["event"] == "recognised"] == ["1"]
    assert result.screenshots == ["1/begin.png"]


@pytest.mark.browser
def test_a_page_of_no_known_edition_ends_the_run(run_toy: Callable[..., Result]) -> None:
    """The sentence lists those that are known, and says how one of them is performed all the same."""
    with pytest.raises(StepFailed, match=r"of no edition that is known \(1, 2\)\. .* begin another run with --edition"):
        run_toy(any_of(toys()), TOY_SHOWS="<button>Forge</button>")


@pytest.mark.browser
def test_until_counts_by_the_edition_that_was_recognised(run_toy: Callable[..., Result]) -> None:
    """A step that only another edition has is none to stop after: then it stops after the last."""
    result = run_toy(any_of(toys()), until=3, TOY_SHOWS="<button>Build</button>")
    assert (result.state, result.edition, result.steps_done) == ("done", "2", 2)
    with pytest.raises(WrongUsage, match=r"--until: there is no step 4; toy has steps 1 to 3"):
        run_toy(any_of(toys()), until=4)


@pytest.mark.browser
def test_an_image_that_is_taken_in_some_cases_need_not_be_taken(run_toy: Callable[..., Result]) -> None:
    """The others must be: a step that does not take them has a mistake of ours."""
    _, second = toys()
    second.steps[1].perform = lambda _: None
    result = run_toy(second)
    assert (result.state, result.screenshots) == ("done", ["2/begin.png"])
    first, _ = toys()
    first.steps[1].perform = lambda _: None
    with pytest.raises(StepFailed, match="Step 2 took 0 of its 1 screenshots"):
        run_toy(first)


# -- a control that is missing --------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(
    ("shown", "looks_like"),
    [
        ("<button>Play it</button>", ""),
        ("<button>Play it</button><button>Build</button>", r"\. The page looks like edition 2: .* with --edition 2"),
    ],
)
def test_a_missing_control_is_named_with_edition_and_closest_control(
    run_toy: Callable[..., Result], shown: str, looks_like: str
) -> None:
    """And with the other edition, if the page looks like it; the closest control is in the evidence too."""
    first, _ = any_of(toys()).editions
    with pytest.raises(StepFailed) as caught:
        run_toy(first, TOY_SHOWS=shown)
    failure = caught.value.failure
    assert failure.step == 3
    assert failure.closest == 'button "Play it"'
    begins, _, ends = failure.sentence.partition(
        '. By edition 1 of the guide there is "Play" here; the closest control on the page is button "Play it"'
    )
    assert "Timeout" in begins
    assert re.fullmatch(looks_like, ends)


CONTROLS = ['heading "Go to your site"', 'link "Home"', 'button "Go to wp-admin"', 'radio "WordPress"', "and 3 more"]


def test_the_closest_control_is_the_one_with_the_most_alike_name() -> None:
    """A heading is none, and where there is none there is none."""
    assert closest_control("Install on /wp-admin", CONTROLS) == 'button "Go to wp-admin"'
    assert closest_control("wordpress", CONTROLS) == 'radio "WordPress"'
    assert closest_control("Continue", ['heading "Continue"']) == ""


def test_words_are_missing_only_where_nothing_has_them() -> None:
    """A control that is there and could not be pressed, a question and a sign-in are other failures."""
    step = Step(1, ("Home", "Play"), (), (), open_toy)
    assert missing_words(Stuck("no", looked_for='the control "Install"'), step, CONTROLS) == "Install"
    assert missing_words(Stuck("no", looked_for="website URL"), step, CONTROLS) == "website URL"
    assert missing_words(AssertionError("not visible"), step, CONTROLS) == "Play"
    for error in (
        Stuck("it did not answer"),
        Stuck("covered", looked_for='the control "home"'),
        Question("was it done?"),
        NeedsPerson("refused", looked_for="Password"),
        ValueError("a mistake"),
    ):
        assert missing_words(error, step, CONTROLS) == ""


def test_an_edition_is_told_by_words_that_only_it_has() -> None:
    """Words that both have tell nothing."""
    first, second = any_of(toys()).editions
    assert worded_as(first, ['button "Begin"', 'heading "Build"']) is None
    assert worded_as(first, ['button "Begin"', 'button "BUILD"']) is second
    assert worded_as(second, ['link "Play"']) is first
