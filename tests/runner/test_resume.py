"""A run is taken up where it was left: nothing is done twice, nothing is lost, and waiting needs no browser."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql

from runner import performance
from runner.camera import Camera
from runner.errors import AlreadyBegun, LedgerFailed, Question, StartAgain, StepFailed, Stuck, Undone, WrongUsage
from runner.flow import Flow
from runner.ledger import Ledger
from runner.performance import Options, perform, resume
from runner.run import Reporter, Run
from runner.settings import Settings, setting
from runner.timing import performed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserType, Page

    from runner.ledger import Record
    from runner.performance import Result

pytestmark = pytest.mark.browser

SITE = "https://toy.example"


@dataclass(frozen=True, kw_only=True)
class ToySettings(Settings):
    """What the toy is about, and what may change."""

    name: str = setting("TOY_NAME", help="name", default="Rattle", fixed=True)
    patience: str = setting("TOY_PATIENCE", help="patience", default="little")

    @property
    def subject(self) -> str:
        """The toy's name."""
        return self.name

    @property
    def site(self) -> str:
        """The same."""
        return self.name


@dataclass
class World:
    """What happens outside, and what the steps are to run into."""

    did: list[str] = field(default_factory=list)
    trouble: list[Any] = field(default_factory=list)
    toy_stands: bool = False
    answer: Any = None
    looks: list[Any] = field(default_factory=lambda: [True])
    timeout: float = 60.0
    tidied: int = 0
    untidy: bool = False

    def meet(self) -> None:
        """Run into the next trouble, if there is one."""
        error = self.trouble.pop(0) if self.trouble else None
        if isinstance(error, BaseException):
            raise error
        if error:
            error()


def toy(world: World, pictures: list[str]) -> Flow[Run[ToySettings]]:  # noqa: C901 - a flow's steps stand together
    """Four steps: open, name (lost with the browser), make (an effect outside), wait; the browser shows a page."""
    flow: Flow[Run[ToySettings]] = Flow("toy", edition="1", run=Run, settings=ToySettings)

    @flow.preflight
    def check(run: Run[ToySettings]) -> None:
        """Check the toy."""
        world.did.append("check")

    @flow.afterwards
    def tidy(run: Run[ToySettings]) -> None:
        """Tidy up."""
        world.tidied += 1
        if world.untidy:
            raise Stuck("it cannot be tidied")

    @flow.step(1)
    def open_toy(run: Run[ToySettings]) -> None:
        """Open the toy."""
        run.page.route(f"{SITE}/**", lambda route: route.fulfill(body="<h1>Toy</h1>", content_type="text/html"))
        run.page.goto(f"{SITE}/")
        world.did.append("open")

    @flow.step(2, enters_from=1)
    def name_toy(run: Run[ToySettings]) -> None:
        """Name the toy."""
        world.did.append(f"name {run.settings.name}")

    @flow.step(3, enters_from=1)
    def make(run: Run[ToySettings]) -> None:
        """Make the toy."""
        if world.trouble[:1] == ["before"]:
            world.trouble.pop(0)
            raise Stuck("nothing was pressed")
        run.about_to("make the toy")
        world.did.append("make")
        world.meet()
        run.facts["toy"] = "made"

    @make.already_done
    def stands(run: Run[ToySettings]) -> bool:
        """Whether the toy stands."""
        world.did.append("ask")
        if isinstance(world.answer, Exception):
            raise world.answer
        return world.toy_stands

    @flow.step(4, adds=pictures)
    def play(run: Run[ToySettings]) -> None:
        """Play with it."""
        run.about_to("play")
        world.did.append("play")
        world.meet()

    @play.already_done
    def plays(run: Run[ToySettings]) -> bool:
        """Whether it plays."""
        return "toy" in run.facts

    @play.waits(timeout=lambda _: world.timeout)
    def is_over(run: Run[ToySettings], seconds: float) -> bool:
        """Look whether it is over."""
        world.did.append("look")
        if seconds <= 0:
            return False
        seen = world.looks.pop(0) if len(world.looks) > 1 else world.looks[0]
        if isinstance(seen, BaseException):
            raise seen
        if callable(seen):
            return bool(seen(run))
        return bool(seen)

    return flow


@dataclass
class Toys:
    """Performs the toy flow and takes its run up."""

    world: World
    browser: Browser
    launch: Callable[[], Browser]
    runs: Path
    pictures: list[str] = field(default_factory=list)
    opened: int = 0
    is_open: bool = False
    waited: list[float] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        """Opened anew, as another process would."""
        return Ledger.beside(self.runs)

    @contextmanager
    def browsers(self) -> Iterator[Browser]:
        """A browser (the same each time, since starting one takes long; another one where it has gone)."""
        assert not self.is_open
        if not self.browser.is_connected():
            self.browser = self.launch()
        self.opened, self.is_open = self.opened + 1, True
        try:
            yield self.browser
        finally:
            self.is_open = False

    def lose_browser(self) -> None:
        """The browser goes while a step uses it."""
        self.browser.close()
        self.browser.new_page()

    def begin(self, **options: Any) -> Result:
        """Begin a run."""
        return perform(
            toy(self.world, self.pictures),
            ToySettings.load({}),
            self.browsers,
            runs=self.runs,
            ledger=self.ledger,
            reporter=Counting(self.waited),
            options=Options(**options),
        )

    def take_up(self, answer: str | None = None, environment: dict[str, str] | None = None, **options: Any) -> Result:
        """Take the latest run up, as another process would; what was done before is forgotten here."""
        self.world.did.clear()
        record = self.record
        return resume(
            toy(self.world, self.pictures),
            ToySettings.load_again(environment or {}, record.settings),
            self.browsers,
            record=record,
            ledger=self.ledger,
            reporter=Counting(self.waited),
            options=Options(**options),
            answer=answer,
        )

    @property
    def record(self) -> Record:
        """The latest run."""
        return self.ledger.runs()[0]

    @property
    def state(self) -> str:
        """What the latest run is doing."""
        return self.ledger.state_of(self.record)


class Counting(Reporter):
    """Keeps how long the run waits."""

    def __init__(self, waited: list[float]) -> None:
        self.waited = waited

    def run_waits(self, seconds: float) -> None:
        """Keep it."""
        self.waited.append(seconds)


@pytest.fixture
def toys(
    browser: Browser,
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Toys:
    """The toy flow on a world of its own; pauses between two looks take no time."""
    monkeypatch.setattr(performance, "pause_for", lambda _: None)
    return Toys(World(), browser, lambda: browser_type.launch(**browser_type_launch_args), tmp_path / "runs")


WHOLE = ["check", "open", "name Rattle", "make", "play", "look"]


def test_a_run_that_goes_well_asks_nothing_and_needs_one_browser(toys: Toys) -> None:
    """Preflight, steps in order, a look; the record says done."""
    assert toys.begin().state == "done"
    assert toys.world.did == WHOLE
    assert (toys.state, toys.opened) == ("done", 1)
    assert toys.record.facts == {"toy": "made"}


def test_what_is_done_is_not_done_again(toys: Toys) -> None:
    """The last step failed: only that is performed again, in a fresh browser, and its act was not done."""
    toys.world.trouble = [None, Undone("it broke")]
    with pytest.raises(StepFailed, match="it broke") as caught:
        toys.begin()
    assert f"guiderunner resume {toys.record.id}" in str(caught.value)
    assert toys.state == "failed"
    assert toys.take_up().state == "done"
    assert toys.world.did == ["play", "look"]


def test_what_is_done_afterwards_is_taken_up_alone(toys: Toys) -> None:
    """Nothing of what the steps have made is made a second time, though it is declared before the steps are."""
    toys.world.untidy = True
    with pytest.raises(StepFailed, match="it cannot be tidied"):
        toys.begin()
    toys.world.untidy = False
    assert toys.take_up().state == "done"
    assert (toys.world.did, toys.world.tidied) == ([], 2)


def test_no_step_is_entered_by_one_that_has_had_its_effect(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a flow declares."""
    declared = Flow.step

    def by_the_first(flow: Flow[Any], number: int, **options: Any) -> Any:
        return declared(flow, number, **options | ({"enters_from": 1} if number == 4 else {}))

    monkeypatch.setattr(Flow, "step", by_the_first)
    toys.world.trouble = [None, Undone("it broke")]
    with pytest.raises(StepFailed, match="it broke"):
        toys.begin()
    with pytest.raises(RuntimeError, match="Step 4 is entered by a step that must not be performed a second time"):
        toys.take_up()
    assert toys.world.did == []


def test_a_step_that_cannot_be_entered_is_entered_from_an_earlier_one(toys: Toys) -> None:
    """What was typed is lost with the browser; nothing had been pressed, so nothing is asked."""
    toys.world.trouble = ["before"]
    with pytest.raises(StepFailed, match="nothing was pressed"):
        toys.begin()
    assert not toys.record.begun
    assert toys.take_up().state == "done"
    assert toys.world.did == WHOLE  # what was found beforehand may have changed meanwhile


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stuck("no answer")], ids=["interrupted", "failed"])
@pytest.mark.parametrize("stands", [True, False])
def test_a_step_that_may_be_done_is_asked_first(toys: Toys, error: BaseException, *, stands: bool) -> None:
    """It stands: go on after it. It does not: perform it again, from where it can be entered."""
    toys.world.trouble = [error]
    with pytest.raises((KeyboardInterrupt, StepFailed)):
        toys.begin()
    assert toys.record.begun
    toys.world.toy_stands = stands
    assert toys.take_up(machine="elsewhere").state == "done"
    assert toys.record.machine == "elsewhere"
    assert toys.world.did == ["ask", *(["play", "look"] if stands else WHOLE[1:])]
    steps = performed(toys.ledger.entries(toys.record.id))
    assert [one.number for one in steps.values() if one.found] == ([3] if stands else [])


def test_a_kill_between_the_last_picture_and_its_record_costs_nothing(toys: Toys) -> None:
    """The picture of what was waited for is taken once more."""

    def photograph(run: Run[Any]) -> bool:
        run.screenshot()
        if len(toys.world.looks) > 1:
            raise KeyboardInterrupt
        return True

    toys.pictures = ["over.png"]
    toys.world.looks = [photograph] * 3
    toys.world.trouble = []
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    toys.world.looks = [photograph]
    result = toys.take_up()
    assert (result.state, result.screenshots) == ("done", ["over.png"])


def test_a_refusal_leaves_the_way_free_for_another_run(toys: Toys) -> None:
    """Nothing came of it: the same may be begun anew."""
    toys.world.trouble = [Undone("the name is taken")]
    with pytest.raises(StepFailed, match="begin another run"):
        toys.begin()
    assert not toys.record.begun
    assert toys.begin().state == "done"


def test_an_old_answer_does_not_answer_a_new_question(toys: Toys) -> None:
    """The same line typed again after another try: what came of that is asked anew."""
    toys.world.trouble = [KeyboardInterrupt(), KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    toys.world.answer = Question("Was the toy made?")
    with pytest.raises(StepFailed):
        toys.take_up()
    with pytest.raises(KeyboardInterrupt):
        toys.take_up(answer="no")
    with pytest.raises(WrongUsage, match="has asked nothing"):
        toys.take_up(answer="no")


def test_a_refusal_is_not_asked_about(toys: Toys) -> None:
    """The page said no: it certainly was not done."""
    toys.world.trouble = [Undone("the name is taken")]
    with pytest.raises(StepFailed, match="the name is taken"):
        toys.begin()
    assert toys.take_up().state == "done"
    assert "ask" not in toys.world.did


def test_what_cannot_be_known_is_asked_of_a_person(toys: Toys) -> None:
    """The run stops with the question and how to answer it; an answer that is none is refused; yes goes on."""
    toys.world.trouble = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    toys.world.answer = Question("Was the toy made? Look into the box")
    with pytest.raises(StepFailed, match="Was the toy made") as caught:
        toys.take_up()
    assert "--answer no, or --answer yes" in str(caught.value)
    assert toys.state == "asks"
    with pytest.raises(WrongUsage, match='"perhaps" does not answer the question: Was the toy made'):
        toys.take_up(answer="perhaps")
    assert toys.state == "asks"
    assert toys.take_up(answer="yes").state == "done"
    assert toys.world.did == ["play", "look"]


def test_an_answer_can_be_a_fact(toys: Toys) -> None:
    """Where yes is not enough the question says what it wants."""
    toys.world.trouble = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    toys.world.answer = Question("Where is it?", fact="toy")
    with pytest.raises(StepFailed, match="Where is it"):
        toys.take_up()
    with pytest.raises(WrongUsage, match="It is no, or an address, toy"):
        toys.take_up(answer="yes")
    assert toys.take_up(answer="https://toy.example/box").facts == {"toy": "https://toy.example/box"}


def test_what_is_waited_for_knows_which_question_was_answered(toys: Toys) -> None:
    """What still looks as it did when it was asked about is not asked about again."""
    toys.world.looks = [Question("Has it failed?"), lambda run: run.answered == "Has it failed?"]
    with pytest.raises(StepFailed, match="Has it failed"):
        toys.begin()
    assert toys.take_up(answer="yes").state == "done"


def test_no_is_an_answer(toys: Toys) -> None:
    """The step is performed again, and the question is not asked again."""
    toys.world.trouble = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    toys.world.answer = Question("Was the toy made?")
    with pytest.raises(StepFailed):
        toys.take_up()
    assert toys.take_up(answer="no").state == "done"
    assert toys.world.did == WHOLE[1:]


def test_an_act_that_was_done_goes_on_to_wait(toys: Toys) -> None:
    """The run was interrupted between the act and its record: it waits for what the act has begun."""
    toys.world.trouble = [None, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        toys.begin()
    assert toys.take_up().state == "done"
    assert toys.world.did == ["look"]
    assert [one.number for one in performed(toys.ledger.entries(toys.record.id)).values() if one.found] == [4]


# -- waiting --------------------------------------------------------------------------------------------------------


def test_waiting_holds_no_browser_and_looks_at_growing_intervals(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look has a browser of its own; the pauses grow to the longest."""
    monkeypatch.setattr(performance, "LONGEST_PAUSE", 40)
    open_while_waiting: list[bool] = []
    monkeypatch.setattr(performance, "pause_for", lambda _: open_while_waiting.append(toys.is_open))
    toys.world.looks = [False, False, False, False, True]
    assert toys.begin().state == "done"
    assert toys.world.did == [*WHOLE, "look", "look", "look", "look"]
    assert toys.waited == [15, 22.5, 33.75, 40]
    assert open_while_waiting == [False] * 4
    assert toys.opened == 5


def test_no_wait_ends_at_once_and_is_taken_up_later(toys: Toys) -> None:
    """The state is waiting, each time until it is over; nothing is done again."""
    toys.world.looks = [False, False, True]
    assert toys.begin(wait=False).state == "waiting"
    assert (toys.state, toys.waited) == ("waiting", [])
    assert toys.take_up(wait=False).state == "waiting"
    assert toys.world.did == ["look"]
    assert toys.take_up(wait=False).state == "done"
    assert toys.world.did == ["look"]


def test_a_failure_while_waiting_has_the_step_performed_again(toys: Toys) -> None:
    """What it waited for failed outside: the next run presses once more."""
    toys.world.looks = [Undone("it fell over"), True]
    with pytest.raises(StepFailed, match="it fell over"):
        toys.begin()
    assert toys.take_up().state == "done"
    assert toys.world.did == ["play", "look"]


def test_patience_ends_and_a_run_that_is_taken_up_has_it_anew(toys: Toys) -> None:
    """After the timeout the run asks; taken up it looks again, and with the answer no it does the act again."""
    toys.world.looks = [False, False, False, True]
    toys.world.timeout = 0.0
    for act in (toys.begin, toys.take_up):
        with pytest.raises(StepFailed, match=r"did not come within 0 seconds.*answer no"):
            act()
        assert toys.state == "asks"
    assert toys.world.did == ["look"]
    toys.world.timeout = 60.0
    assert toys.take_up(answer="no").state == "done"
    assert toys.world.did == ["play", "look", "look"]


@pytest.mark.parametrize("hours", [-48, 48])
def test_a_clock_that_was_moved_loses_nothing(toys: Toys, hours: int) -> None:
    """Back: it waits on. Forward: it looks once before its patience ends, and finds that it is over."""
    toys.world.looks = [False, True]
    toys.begin(wait=False)
    moved = (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")
    toys.ledger.ask(lambda connection: connection.execute(sql.text("UPDATE entries SET at = :at"), {"at": moved}))
    assert toys.take_up().state == "done"


# -- browsers -------------------------------------------------------------------------------------------------------


def test_a_browser_that_dies_is_replaced(toys: Toys) -> None:
    """The step that lost it is asked whether it is done, as after any interruption."""
    toys.browser = toys.launch()
    toys.world.trouble = [toys.lose_browser]
    toys.world.toy_stands = True
    assert toys.begin().state == "done"
    assert toys.world.did == ["check", "open", "name Rattle", "make", "ask", "play", "look"]
    assert toys.opened == 2


def test_a_browser_that_dies_before_the_first_step_is_no_matter(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as while a tab of it is taken on camera."""
    watch = Camera.watch

    def lose_the_first(camera: Camera, page: Page) -> None:
        if toys.opened == 1:
            toys.lose_browser()
        watch(camera, page)

    toys.browser = toys.launch()
    monkeypatch.setattr(Camera, "watch", lose_the_first)
    assert toys.begin().state == "done"
    assert (toys.world.did, toys.opened) == (WHOLE, 2)


def test_browsers_that_die_again_and_again_end_the_run(toys: Toys) -> None:
    """Three without any progress are enough; the run can be taken up."""
    toys.browser = toys.launch()
    toys.world.trouble = [toys.lose_browser] * 3
    with pytest.raises(StepFailed, match="closed"):
        toys.begin()
    assert (toys.state, toys.opened) == ("failed", 3)


def test_a_session_that_ends_late_never_leads_back_before_what_was_made(toys: Toys) -> None:
    """The page begins anew, at a place from where the toy would be made again: another browser enters the step."""
    toys.world.trouble = [None, StartAgain("the session had ended", step=1)]
    assert toys.begin().state == "done"
    assert toys.world.did == WHOLE
    assert toys.opened == 2


def test_the_next_browser_is_still_signed_in(toys: Toys) -> None:
    """Cookies live on in memory while the browser is closed, and are not written anywhere."""
    seen: list[str] = []

    def set_cookie(run: Run[Any]) -> bool:
        run.page.context.add_cookies([{"name": "session", "value": "not-to-be-written", "url": SITE}])
        return False

    def look_at_cookie(run: Run[Any]) -> bool:
        seen.extend(cookie.get("value", "") for cookie in run.page.context.cookies())
        return True

    toys.world.looks = [set_cookie, look_at_cookie]
    toys.begin()
    assert seen == ["not-to-be-written"]
    files = b"".join(path.read_bytes() for path in toys.runs.rglob("*") if path.is_file())
    assert b"not-to-be-written" not in files


# -- which run, with which settings ---------------------------------------------------------------------------------


def test_a_site_is_begun_once(toys: Toys) -> None:
    """While its run is unfinished, and when it is done, another one is refused; --again is the way."""
    toys.world.looks = [False, True]
    toys.begin(wait=False)
    with pytest.raises(AlreadyBegun, match="goes on with it"):
        toys.begin()
    toys.take_up()
    with pytest.raises(AlreadyBegun, match="was done by run"):
        toys.begin()
    assert toys.begin(again=True).state == "done"


def test_a_run_that_is_over_is_not_taken_up(toys: Toys) -> None:
    """Nothing is left to do."""
    toys.begin()
    with pytest.raises(WrongUsage, match="is done since"):
        toys.take_up()


def test_a_run_that_another_process_performs_is_left_alone(toys: Toys) -> None:
    """It is under way."""
    toys.world.looks = [False]
    toys.begin(wait=False)
    with toys.ledger.lock(toys.record.id), pytest.raises(AlreadyBegun, match="is under way"):
        toys.take_up()


def test_what_a_run_is_about_stays_and_the_rest_is_read_anew(toys: Toys) -> None:
    """Another name would be another toy: that is begun by a run of its own, as long as nothing was made."""
    toys.world.trouble = ["before"]
    with pytest.raises(StepFailed, match="with other settings begin another run"):
        toys.begin()
    toys.world.trouble = [Stuck("no answer")]
    with pytest.raises(StepFailed):
        toys.take_up(environment={"TOY_NAME": "Drum"})
    assert "name Rattle" in toys.world.did
    before = {"TOY_NAME": "Drum", "TOY_PATIENCE": "little"}
    settings = ToySettings.load_again({"TOY_NAME": "Rattle", "TOY_PATIENCE": "much"}, before)
    assert (settings.name, settings.patience) == ("Drum", "much")


def test_a_dry_run_performs_the_preflight_only(toys: Toys) -> None:
    """It begins nothing: there is nothing to take up, and nothing in the way of a run."""
    assert toys.begin(only_preflight=True).state == "dry run"
    assert toys.world.did == ["check"]
    assert toys.state == "given up"
    assert toys.begin().state == "done"


def test_a_result_that_cannot_be_written_is_said(toys: Toys) -> None:
    """A sentence with its own exit code instead of a traceback; the ledger still knows the run."""

    def block(run: Run[Any]) -> bool:
        (run.folder / "result.json").mkdir()
        return True

    toys.world.looks = [block]
    with pytest.raises(LedgerFailed, match="cannot be used: Is a directory"):
        toys.begin()
    assert toys.state == "done"


def test_the_copy_tells_the_whole_story(toys: Toys) -> None:
    """One file for both processes, each event with its step."""
    toys.world.trouble = [Stuck("no answer")]
    with pytest.raises(StepFailed):
        toys.begin()
    toys.world.toy_stands = True
    toys.take_up()
    lines = (toys.record.folder / "ledger.jsonl").read_text().splitlines()
    events = [(entry["event"], entry.get("step")) for entry in map(json.loads, lines)]
    assert [event for event, _ in events if event.startswith("run ")] == [
        "run started",
        "run ended",
        "run goes on",
        "run ended",
    ]
    assert events.index(("about to", 3)) < events.index(("step failed", 3)) < events.index(("found done", 3))
