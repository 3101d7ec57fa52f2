"""What the ledger says of a run is read truly: states, where the time went, what each step met."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from runner.evidence import read_entries, time_of
from runner.flow import Flow
from runner.junit import Case, Suite, suite_of_run, write_junit
from runner.ledger import Record
from runner.run import Run
from runner.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(after: float, event: str, step: int | None = None, **about: Any) -> dict[str, Any]:
    """An entry of the ledger, so many seconds after the run's beginning."""
    when = (BEGAN + timedelta(seconds=after)).isoformat(timespec="milliseconds")
    return {"at": when, "event": event, **({} if step is None else {"step": step}), **about}


def failed(after: float, step: int, sentence: str = "it broke", *, asks: bool = False) -> dict[str, Any]:
    """The entry of a failure."""
    return at(
        after,
        "step failed",
        step,
        flow="toy",
        name=f"Step {step}",
        says='"Go"',
        sentence=sentence,
        url="https://toy.example/",
        looked_for='button "Go"',
        controls=['button "Stop"'],
        screenshot=None,
        resume="guiderunner resume toy",
        asks=asks,
        needs_person=asks,
    )


def toy() -> Flow[Run[Settings]]:
    """A flow of three steps, with a preflight and something afterwards."""
    flow: Flow[Run[Settings]] = Flow("toy", edition="1", run=Run, settings=Settings)

    def nothing(run: Run[Settings]) -> None:
        """Do nothing."""

    flow.preflight(nothing)
    flow.step(1, says="Open")(nothing)
    flow.step(2, says=["Go", "On"])(nothing)
    flow.step(3)(nothing)
    flow.afterwards(nothing)
    return flow


def told(entries: list[dict[str, Any]]) -> list[tuple[str, int | None, float]]:
    """The parts of the time: kind, step, seconds."""
    return [(part.kind, part.step, part.seconds) for part in time_of(entries)]


def test_a_step_acts_takes_screenshots_and_waits() -> None:
    """What a screenshot took is no part of the act, and the wait begins where the act has ended."""
    entries = [
        at(0, "run started"),
        at(1, "step started", 1),
        at(5, "screenshot", 1, name="a.png", url="", seconds=1.5),
        at(6, "waits", 1),
        at(16, "step done", 1, seconds=10),
        at(17, "run ended", state="done"),
    ]
    assert told(entries) == [
        ("between", None, 1),
        ("act", 1, 2.5),
        ("screenshot", 1, 1.5),
        ("act", 1, 1),
        ("wait", 1, 10),
        ("between", None, 1),
    ]
    run = read_entries(toy(), entries)
    assert (run.steps[0].seconds(), run.steps[0].seconds("act"), run.steps[0].waited) == (15, 3.5, 10)
    assert (run.seconds, run.elapsed) == (17, 17)


def test_a_screenshot_of_an_old_ledger_is_part_of_the_act() -> None:
    """Nobody has measured how long it took."""
    entries = [at(0, "step started", 1), at(2, "screenshot", 1, name="a.png", url=""), at(3, "step done", 1)]
    assert told(entries) == [("act", 1, 3)]


def test_a_screenshot_cannot_have_begun_before_what_came_before_it() -> None:
    """Clocks differ by a little; the parts still follow one another."""
    entries = [at(0, "step started", 1), at(2, "said", 1), at(3, "screenshot", 1, name="a.png", url="", seconds=5)]
    assert told(entries) == [("act", 1, 2), ("screenshot", 1, 1)]


def test_waiting_without_a_browser_is_told_apart() -> None:
    """The browser is closed until the step says something again."""
    entries = [
        at(0, "step started", 2),
        at(1, "waits", 2),
        at(4, "run waits", 2),
        at(24, "said", 2, words="half"),
        at(26, "run waits", 2),
        at(56, "step done", 2),
    ]
    assert told(entries) == [
        ("act", 2, 1),
        ("wait", 2, 3),
        ("closed", 2, 20),
        ("wait", 2, 2),
        ("closed", 2, 30),
    ]


def test_what_a_step_waits_for_goes_on_while_nobody_is_at_work() -> None:
    """The run ended with the state waiting and was taken up an hour later."""
    entries = [
        at(0, "run started"),
        at(0, "step started", 2),
        at(1, "waits", 2),
        at(5, "run waits", 2),
        at(6, "run ended", state="waiting"),
        at(3606, "run goes on"),
        at(3610, "step done", 2),
        at(3610, "run ended", state="done"),
    ]
    assert told(entries) == [("act", 2, 1), ("wait", 2, 4), ("closed", 2, 1), ("away", 2, 3600), ("wait", 2, 4)]
    run = read_entries(toy(), entries)
    assert (run.steps[1].waited, run.seconds, run.elapsed) == (3609, 10, 3610)


def test_after_a_kill_nobody_was_at_work_since_the_last_sign_of_life() -> None:
    """The process ended without a word in the middle of an act: what came after belongs to no step."""
    entries = [
        at(0, "run started"),
        at(1, "step started", 1),
        at(3, "about to", 1, words="go"),
        at(63, "run goes on"),
        at(64, "found done", 1),
        at(65, "step started", 2),
        at(66, "step done", 2),
    ]
    assert told(entries) == [
        ("between", None, 1),
        ("act", 1, 2),
        ("away", None, 60),
        ("between", None, 2),
        ("act", 2, 1),
    ]


def test_after_a_failure_the_step_does_not_wait_until_somebody_comes() -> None:
    """Its patience had ended; when the run goes on it waits anew."""
    entries = [
        at(0, "step started", 2),
        at(1, "waits", 2),
        at(11, "question", 2, sentence="?", fact=""),
        failed(11, 2, asks=True),
        at(12, "run ended", state="asks"),
        at(112, "run goes on"),
        at(115, "step done", 2),
    ]
    assert told(entries) == [
        ("act", 2, 1),
        ("wait", 2, 10),
        ("between", None, 1),
        ("away", None, 100),
        ("wait", 2, 3),
    ]


def test_the_parts_follow_one_another_from_beginning_to_end() -> None:
    """A run with everything in it: nothing is left out and nothing counts twice."""
    entries = [
        at(0, "run started"),
        at(1, "step started", 0),
        at(3, "step done", 0),
        at(3, "step started", 1),
        at(6, "browser gone", 1, sentence="gone"),
        at(9, "step started", 1),
        at(9.5, "screenshot", 1, name="a.png", url="", seconds=0.25),
        at(11, "step again", 1, instead_of=2, sentence="ended"),
        at(12, "step started", 1),
        failed(14, 1),
        at(15, "run ended", state="failed"),
        at(515, "run goes on"),
        at(520, "step started", 1),
        at(521, "waits", 1),
        at(530, "run waits", 1),
        at(560, "browser gone", sentence="gone"),
        at(570, "screenshot", 1, name="a.png", url="", seconds=1),
        at(571, "step done", 1),
        at(572, "run ended", state="done"),
    ]
    parts = time_of(entries)
    assert (parts[0].began, parts[-1].ended) == (BEGAN, BEGAN + timedelta(seconds=572))
    assert all(one.ended == following.began and one.seconds > 0 for one, following in pairwise(parts))
    run = read_entries(toy(), entries)
    assert sum(part.seconds for part in parts if part.step == 1) == run.steps[1].seconds()
    assert (run.seconds, run.steps[1].waited) == (72, 49)


def test_a_clock_that_was_set_back_makes_no_time_negative() -> None:
    """Two machines disagree."""
    entries = [at(10, "run started"), at(5, "step started", 1), at(8, "step done", 1)]
    assert told(entries) == [("act", 1, 3)]


@pytest.mark.parametrize(
    ("events", "run_state", "state"),
    [
        ([], "done", "not reached"),
        ([at(1, "step started", 1)], "running", "running"),
        ([at(1, "step started", 1)], "interrupted", "interrupted"),
        ([at(1, "step started", 1), at(2, "waits", 1)], "waiting", "waiting"),
        ([at(1, "step started", 1), at(2, "waits", 1), at(3, "step done", 1)], "done", "done"),
        ([at(1, "step started", 1), at(2, "found done", 1)], "done", "found done"),
        ([at(1, "step started", 1), at(2, "not done", 1)], "failed", "interrupted"),
        ([at(1, "step started", 1), at(2, "not done", 1), failed(3, 1)], "failed", "failed"),
        ([at(1, "step started", 1), failed(3, 1, asks=True)], "asks", "asks"),
        ([at(1, "step started", 1), at(2, "waits", 1), failed(3, 1), at(4, "run waits", 1)], "waiting", "waiting"),
        ([at(1, "step started", 1), failed(3, 1), at(4, "step started", 1), at(5, "step done", 1)], "done", "done"),
    ],
)
def test_a_step_is_as_far_as_its_last_event_says(events: list[dict[str, Any]], run_state: str, state: str) -> None:
    """And one that was begun is interrupted where the run does not go on."""
    run = read_entries(toy(), [at(0, "run started"), *events], run_state)
    assert (run.steps[0].step.number, run.steps[0].state) == (1, state)
    assert (run.failed is not None) == (state in ("failed", "asks"))


def test_the_state_of_a_run_is_the_last_that_was_told() -> None:
    """A run that goes on is running, whatever ended before."""
    entries = [at(0, "run started"), at(1, "run ended", state="failed"), at(2, "run goes on")]
    assert [read_entries(toy(), entries[:number]).state for number in (0, 1, 2, 3)] == [
        "running",
        "running",
        "failed",
        "running",
    ]


def test_what_is_beside_the_guide_is_there_when_it_was_performed() -> None:
    """Steps of the guide are always there."""
    names = [one.step.name for one in read_entries(toy(), [at(0, "step started", 0)]).steps]
    assert names == ["Preflight", "Step 1", "Step 2", "Step 3"]
    names = [one.step.name for one in read_entries(toy(), [at(0, "step started", 4)]).steps]
    assert names == ["Step 1", "Step 2", "Step 3", "Afterwards"]


def test_each_step_has_the_facts_that_it_has_learned() -> None:
    """The ledger repeats all of them each time."""
    entries = [
        at(1, "facts", 1, facts={"a": "1"}),
        at(2, "step done", 1, facts={"a": "1"}),
        at(3, "facts", 2, facts={"a": "1", "b": "2"}),
        at(4, "step done", 2, facts={"a": "9", "b": "2"}),
        at(5, "step done", 3, facts={"a": "9", "b": "2"}),
    ]
    assert [one.facts for one in read_entries(toy(), entries).steps] == [{"a": "1"}, {"b": "2", "a": "9"}, {}]


def test_what_a_step_met_is_collected_in_all_its_tries() -> None:
    """Console, requests, what was in the way, accessibility, retries and what was said."""
    console = {"type": "error", "text": "oops", "url": "https://toy.example/a.js"}
    request = {"method": "GET", "url": "https://toy.example/b", "status": 500, "reason": ""}
    violation = {"id": "label", "impact": "serious", "help": "Label it", "nodes": 2, "new": True}
    known = {**violation, "new": False}
    entries = [
        at(0, "versions", guiderunner="0.1.0", python="3.11"),
        at(1, "step started", 2),
        at(2, "trouble", 2, console=[console], requests=[], more=1),
        at(2, "interrupted by", 2, words='a cookie banner, closed with "OK"'),
        at(3, "step again", 2, instead_of=3, sentence="the session had ended"),
        at(4, "step started", 2),
        at(5, "said", 2, words="going"),
        at(6, "trouble", 2, console=[], requests=[request], more=2),
        at(4, "accessibility", 2, name="a.png", violations=[violation]),
        at(6, "accessibility", 2, name="a.png", violations=[known]),
        at(6, "accessibility", 2, name="b.png", violations=[violation, known]),
        at(7, "not kept", sentence="the video has a gap"),
    ]
    run = read_entries(toy(), entries)
    one = run.steps[1]
    assert (one.times, one.console, one.requests, one.more) == (2, [console], [request], 3)
    assert one.interruptions == ['a cookie banner, closed with "OK"']
    assert one.violations == {"a.png": [known], "b.png": [violation, known]}
    assert one.new_violations == [("b.png", violation)]
    assert [(note.event, note.words) for note in one.notes] == [
        ("step again", "the session had ended"),
        ("said", "going"),
    ]
    assert (run.versions, run.not_kept) == ({"guiderunner": "0.1.0", "python": "3.11"}, ["the video has a gap"])


# -- JUnit XML ------------------------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_step(tmp_path: Path) -> None:
    """One passed, one failed with its sentence, one was skipped because it was not reached."""
    entries = [
        at(0, "run started"),
        at(0, "step started", 1),
        at(2, "step done", 1),
        at(2, "step started", 2),
        failed(3, 2, 'no "Go" & no <Stop>'),
    ]
    record = Record("run-1", "toy", "1", "a", "Rattle", tmp_path, started=entries[0]["at"])
    write_junit(tmp_path / "a.xml", suite_of_run(read_entries(toy(), entries, "failed"), record))
    suites = ET.parse(tmp_path / "a.xml").getroot()  # noqa: S314 - we have just written it
    (suite,) = suites
    counts = {"tests": "3", "failures": "1", "errors": "0", "skipped": "1", "time": "3.000"}
    assert suites.attrib == counts
    assert suite.attrib == {"name": "toy", **counts, "timestamp": "2026-03-01T12:00:00"}
    properties = {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
    assert properties == {"run": "run-1", "site": "Rattle", "edition": "1", "state": "failed"}
    passed, broken, missed = suite.findall("testcase")
    assert (passed.attrib, list(passed)) == ({"classname": "toy", "name": "Step 1: Do nothing", "time": "2.000"}, [])
    assert broken[0].attrib == {"message": 'no "Go" & no <Stop>', "type": "StepFailed"}
    assert (broken[0].text or "").splitlines()[1:] == [
        'guide: "Go"',
        "page: https://toy.example/",
        'looked for: button "Go"',
        'there were: button "Stop"',
        "go on with: guiderunner resume toy",
    ]
    assert (missed[0].tag, missed[0].attrib) == ("skipped", {"message": "not reached"})


def test_junit_says_what_is_new_about_accessibility(tmp_path: Path) -> None:
    """The step is done, and its case fails; one whose violations are known does not."""
    violation = {"id": "label", "impact": "critical", "help": "Label it", "nodes": 2, "new": False}
    entries = [
        at(0, "step started", 1),
        at(1, "accessibility", 1, name="a.png", violations=[violation]),
        at(2, "step done", 1),
        at(2, "step started", 2),
        at(3, "accessibility", 2, name="b.png", violations=[{**violation, "new": True}, violation]),
        at(4, "step done", 2),
    ]
    record = Record("run-1", "toy", "1", "a", "Rattle", tmp_path, started=entries[0]["at"])
    write_junit(tmp_path / "a.xml", suite_of_run(read_entries(toy(), entries, "done"), record))
    passed, new, _ = ET.parse(tmp_path / "a.xml").getroot().iter("testcase")  # noqa: S314 - we have just written it
    assert list(passed) == []
    assert new[0].attrib == {"message": "new violations of accessibility: 1", "type": "Differs"}
    assert (new[0].text or "").splitlines()[1:] == ["Step 2, b.png: Label it (label, critical), in 2 places"]


def test_junit_can_hold_whatever_stood_on_a_page(tmp_path: Path) -> None:
    """Characters that XML forbids become question marks, and others stay."""
    write_junit(tmp_path / "a.xml", Suite("s", [Case("\x1b[31mred\x00", failure="a\uffffb ÷ 🎈\ttab")]))
    case = next(ET.parse(tmp_path / "a.xml").getroot().iter("testcase"))  # noqa: S314 - we have just written it
    assert (case.attrib["name"], case[0].text) == ("?[31mred?", "a?b ÷ 🎈\ttab")
