"""Two recorded runs side by side: what became slower, what asks otherwise, and what is only chance."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from runner.comparison import compare_runs
from runner.errors import WrongUsage
from runner.ledger import Ledger, Record, RunLedger
from runner.secrets import Secrets
from runner.timing import LOOKED_AT, alike, earlier, how_of, performed, times, usual

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)

Entry = dict[str, Any]


def at(after: float, event: str, step: int | None = None, **about: Any) -> Entry:
    """An entry of the ledger, so many seconds after the run's beginning."""
    when = (BEGAN + timedelta(seconds=after)).isoformat(timespec="milliseconds")
    return {"at": when, "event": event, **({} if step is None else {"step": step}), **about}


def asked(path: str, times: int = 1, status: str = "2xx", **more: Any) -> Entry:
    """What a step asked of the site; nothing as the status where it was not answered."""
    told = {"kind": "fetch", "method": "GET", "host": "SITE", "path": path, "over": 0.0, "seconds": 0, "slowest": 0}
    return {**told, "times": times, "statuses": {status: times} if status else {}, **more}


def polled(path: str, times: int, status: str = "2xx") -> Entry:
    """The same, once a second."""
    return asked(path, times, status, over=times - 1)


def step(number: int, seconds: float, *requests: Entry, words: str = "") -> list[Entry]:
    """The entries of a step; they begin with 0, the ledger gives them their place."""
    said = words or f'"Step {number}"'
    told = [at(0, "requests", number, asked=list(requests), others={}, more=0, hosts={})] if requests else []
    return [
        at(0, "step started", number, says=said),
        *(told_at(seconds, one) for one in told),
        at(seconds, "step done", number),
    ]


def told_at(after: float, entry: Entry) -> Entry:
    """The same entry so many seconds later."""
    return {**entry, "at": (datetime.fromisoformat(entry["at"]) + timedelta(seconds=after)).isoformat()}


class Runs:
    """A ledger with runs that nobody has performed."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.beside(folder)
        self._folder = folder

    def add(
        self,
        *steps: Sequence[Entry],
        flow: str = "toy",
        edition: str = "1",
        machine: str = "a",
        browser: str = "chromium 141",
        how: Sequence[str] = (),
    ) -> str:
        """One more run, begun a minute after the one before, done; its id."""
        number = len(self.ledger.runs()) + 1
        record = Record(
            id=f"run-{number:02}",
            flow=flow,
            edition=edition,
            subject=f"run-{number}",
            site="Rattle",
            folder=self._folder / f"run-{number:02}",
            machine=machine,
            state="done",
            started=(BEGAN + timedelta(minutes=number)).isoformat(),
        )
        record.folder.mkdir()
        self.ledger.begin(record)
        entries = [at(0, "run started", how=list(how)), at(0, "versions", browser=browser)]
        for one in steps:
            after = (datetime.fromisoformat(entries[-1]["at"]) - BEGAN).total_seconds()
            entries += [told_at(after, entry) for entry in one]
        rows = [
            (record.id, place, entry["at"], entry["event"], entry.get("step"), json.dumps(entry))
            for place, entry in enumerate(entries, 1)
        ]
        insert = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)"
        self.ledger.ask(lambda connection: connection.exec_driver_sql(insert, rows))  # at once: it takes no time
        return record.id

    def lines(self, first: str, second: str) -> list[str]:
        """What is said of two of them, without the rule."""
        return list(compare_runs(self.ledger, first, second).lines())[:-1]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """An empty ledger."""
    return Runs(tmp_path)


SAME_PACE = "no step became slower or faster"
SAME_REQUESTS = "no step changed its requests"
ONE = asked("/one")


# -- durations -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "before", "after", "said"),
    [
        ([], 1.0, 1.9, SAME_PACE),
        ([], 4.0, 5.9, SAME_PACE),
        ([], 1.0, 2.2, 'slower: step 1 "Step 1": 1.0 s → 2.2 s (2.2 times)'),
        ([], 2.2, 1.0, 'faster: step 1 "Step 1": 2.2 s → 1.0 s (0.5 times)'),
        ([1.0, 1.0], 1.0, 1.25, SAME_PACE),
        ([1.0, 1.0], 1.0, 1.35, 'slower: step 1 "Step 1": 1.0 s → 1.4 s (1.4 times); usual: 1.0 s'),
        ([10.0, 10.0], 10.0, 11.9, SAME_PACE),
        ([10.0, 10.0], 10.0, 12.1, 'slower: step 1 "Step 1": 10 s → 12 s (1.2 times); usual: 10 s'),
        ([10.0, 10.0], 10.0, 7.9, 'faster: step 1 "Step 1": 10 s → 7.9 s (0.8 times); usual: 10 s'),
        ([8.0, 9.0, 11.0, 12.0], 10.0, 12.9, SAME_PACE),
        ([8.0, 9.0, 11.0, 12.0], 10.0, 13.1, 'slower: step 1 "Step 1": 10 s → 13 s (1.3 times); usual: 10 s'),
        ([1.0, 1.0, 1.0, 30.0], 1.0, 1.4, 'slower: step 1 "Step 1": 1.0 s → 1.4 s (1.4 times); usual: 1.0 s'),
        ([2.0, 2.0], 1.0, 2.1, SAME_PACE),
        ([2.0, 2.0, 2.0], 4.0, 4.1, SAME_PACE),
    ],
    ids=[
        "no history, less than a second",
        "no history, less than one and a half times",
        "no history, slower",
        "no history, faster",
        "within 0.3 s",
        "beyond 0.3 s",
        "within a fifth",
        "beyond a fifth",
        "faster than a fifth",
        "within three spreads",
        "beyond three spreads",
        "a single one that hung",
        "as usual, and the first run was fast",
        "as slow as the first run",
    ],
)
def test_a_step_is_slower_beyond_what_is_chance(
    runs: Runs, known: list[float], before: float, after: float, said: str
) -> None:
    """With a history its median and spread decide, without one only a large difference counts."""
    for seconds in known:
        runs.add(step(1, seconds, ONE))
    first, second = runs.add(step(1, before, ONE)), runs.add(step(1, after, ONE))
    assert runs.lines(first, second) == [said, SAME_REQUESTS]


def test_the_history_ends_with_the_first_run_and_leaves_others_out(runs: Runs) -> None:
    """What became usual since would hide the change; other machines, browsers and editions say nothing of it."""
    runs.add(step(1, 9.0), machine="b")
    runs.add(step(1, 9.0), browser="firefox 141")
    runs.add(step(1, 9.0), edition="2")
    runs.add(step(1, 1.0))
    runs.add(step(1, 1.0))
    first = runs.add(step(1, 1.0))
    for _ in range(4):
        last = runs.add(step(1, 1.9))
    compared = compare_runs(runs.ledger, first, last)
    assert [pace.change for pace in compared.paces] == ["slower"]
    assert compared.paces[0].usual
    assert compared.paces[0].usual.seconds == (1.0, 1.0, 1.0)
    assert "off the median of 3 runs by more than 20%, 3 times their spread and 0.3 s" in compared.rule
    assert compare_runs(runs.ledger, last, first).changed("faster")


def test_a_run_elsewhere_is_measured_by_a_large_difference_only(runs: Runs) -> None:
    """What is usual on one machine is not on another; the rule says so."""
    for _ in range(3):
        first = runs.add(step(1, 1.0, ONE))
    second = runs.add(step(1, 1.8, ONE), machine="b", browser="chromium 142")
    assert runs.lines(first, second) == [
        "machine: a → b",
        "browser: chromium 141 → chromium 142",
        SAME_PACE,
        SAME_REQUESTS,
    ]
    rule = compare_runs(runs.ledger, first, second).rule
    assert (
        rule == "slower or faster is what is more than 1.5 times and 1 s apart: fewer than 3 runs like both are known"
    )


def test_the_answers_that_make_a_step_slower_are_named(runs: Runs) -> None:
    """Where they took a good part of it; where they did not, nothing is said of them."""
    first = runs.add(step(1, 1.0, asked("/one", seconds=0.2), asked("/two", seconds=0.1)), step(2, 1.0, ONE))
    second = runs.add(step(1, 4.0, asked("/one", seconds=0.3), asked("/two", seconds=2.9)), step(2, 4.0, ONE))
    slower, other = runs.lines(first, second)[:2]
    assert slower == (
        'slower: step 1 "Step 1": 1.0 s → 4.0 s (4.0 times); '
        "its answers took 0.3 s → 3.2 s, most of all GET SITE/two (in the page)"
    )
    assert other == 'slower: step 2 "Step 2": 1.0 s → 4.0 s (4.0 times)'


def test_what_a_step_waits_for_makes_no_act_slower(runs: Runs) -> None:
    """The answers to what it asks while it waits are not named, however long they took."""

    def waits(seconds: float) -> list[Entry]:
        look = at(seconds, "requests", 1, asked=[asked("/status", seconds=seconds)], others={}, more=0, hosts={})
        return [at(0, "step started", 1, says='"Go"'), at(seconds, "waits", 1), look, at(9, "step done", 1)]

    first, second = runs.add(waits(1.0)), runs.add(waits(4.0))
    assert runs.lines(first, second)[0] == 'slower: step 1 "Go": 1.0 s → 4.0 s (4.0 times)'


def test_what_a_step_waits_for_outside_is_no_work(runs: Runs) -> None:
    """Nor are screenshots and checks of its pages."""
    entries = [
        at(0, "step started", 1, says='"Go"'),
        at(2, "screenshot", 1, name="a.png", seconds=0.75),
        at(3, "accessibility", 1, name="a.png", violations=[]),
        at(4, "waits", 1),
        at(5, "requests", 1, asked=[polled("/status", 4)], others={}, more=0, hosts={}),
        at(6, "run waits", 1),
        at(7, "screenshot", 1, name="b.png", seconds=0.5),
        at(34, "step done", 1, seconds=30),
    ]
    one = performed(entries)[1]
    assert (one.worked, one.waited, one.done, one.label) == (2.25, 30, True, 'step 1 "Go"')
    assert (one.acting, len(one.waiting)) == ([], 1)
    first, second = runs.add(entries), runs.add([*entries[:-1], at(94, "step done", 1, seconds=90)])
    compared = compare_runs(runs.ledger, first, second)
    assert compared.changed("slower") == []
    assert compared.paces[0].row() == ('step 1 "Go"', "2.2 s", "2.2 s", "", "", "30 s → 1 min 30 s")


def test_the_last_try_is_measured_and_a_broken_off_act_has_no_duration() -> None:
    """A step that was performed again asks more often; what was found done was measured by nobody."""
    again = [
        at(0, "step started", 1, says="a"),
        at(5, "requests", 1, asked=[ONE], others={}, more=0, hosts={}),
        at(5, "step failed", 1),
        at(6, "run goes on"),
        at(7, "step started", 1, says="a"),
        at(9, "requests", 1, asked=[asked("/two")], others={}, more=0, hosts={}),
        at(9, "step done", 1),
        at(9, "step started", 2, says="b"),
        at(11, "run goes on"),
        at(12, "requests", 2, asked=[asked("/asks")], others={}, more=0, hosts={}),
        at(12, "found done", 2),
    ]
    steps = performed(again)
    assert (steps[1].worked, steps[1].done, steps[1].failed) == (2, True, False)
    assert steps[1].tries == 2
    assert [entry["asked"] for entry in steps[1].acting] == [[ONE], [asked("/two")]]
    assert (steps[2].worked, steps[2].done, steps[2].acting) == (None, True, [])
    assert performed(again[:3])[1].failed


# -- requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([[ONE]], [[ONE]], []),
        ([[ONE]], [[ONE, asked("/two", 2)]], ["1: new GET SITE/two (in the page) (2 times, 2xx)"]),
        ([[ONE, asked("/two")]], [[ONE]], ["1: gone GET SITE/two (in the page) (once, 2xx)"]),
        ([[ONE]], [[asked("/one", 7)]], ["1: GET SITE/one (in the page) asked once → 7 times"]),
        ([[ONE]], [[asked("/one", status="5xx")]], ["1: GET SITE/one (in the page) answered 2xx → 5xx"]),
        ([[ONE]], [[asked("/one", status="failed")]], ["1: GET SITE/one (in the page) answered 2xx → failed"]),
        ([[ONE]], [[asked("/one", status="")]], []),
        (
            [[ONE]],
            [[asked("/one", method="POST")]],
            [
                "1: gone GET SITE/one (in the page) (once, 2xx)",
                "1: new POST SITE/one (in the page) (once, 2xx)",
            ],
        ),
        ([[ONE]], [[polled("/one", 7)]], []),
        ([[polled("/one", 2)]], [[polled("/one", 40)]], []),
        ([[ONE]], [[ONE, polled("/two", 40)]], ["1: new GET SITE/two (in the page) (polled, 2xx)"]),
        ([[polled("/one", 9, "4xx")]], [[{**polled("/one", 9), "statuses": {"4xx": 8, "2xx": 1}}]], []),
        ([[polled("/one", 9)]], [[polled("/one", 9, "5xx")]], ["1: GET SITE/one (in the page) answered 2xx → 5xx"]),
        (
            [[polled("/one", 9)]],
            [[{**polled("/one", 9), "statuses": {"2xx": 8, "failed": 1}}]],
            ["1: GET SITE/one (in the page) answered 2xx → 2xx, failed"],
        ),
        (
            [[asked("/one", kind="document")]],
            [[{**polled("/one", 2), "kind": "document"}]],
            ["1: GET SITE/one asked once → 2 times"],
        ),
        ([[ONE, asked("/two")], [ONE]], [[ONE], [ONE, asked("/two")]], []),
        ([[asked("/one", 2)], [asked("/one", 1)]], [[asked("/one", 1)], [asked("/one", 2)]], []),
        (
            [[ONE, asked("/two")], [ONE], [ONE]],
            [[ONE], [ONE], [ONE, asked("/two")]],
            [
                "1: gone GET SITE/two (in the page) (once, 2xx)",
                "3: new GET SITE/two (in the page) (once, 2xx)",
            ],
        ),
        ([[polled("/one", 5)], [asked("/two")]], [[polled("/one", 5)], [ONE, asked("/two")]], []),
        ([[ONE], [ONE]], [[ONE, {**asked("/two", 3), "statuses": {"2xx": 2}}], [ONE, asked("/two")]], []),
        (
            [[ONE]],
            [[ONE, asked("/two", status="", method="POST"), asked("/", status="", kind="document")]],
            [
                "1: new POST SITE/two (in the page) (once, not answered)",
                "1: new GET SITE/ (once, not answered)",
            ],
        ),
    ],
    ids=[
        "the same",
        "new",
        "gone",
        "in one go, more often",
        "another status",
        "failed",
        "not answered yet",
        "another method",
        "a poll that took longer",
        "polls",
        "a new poll",
        "what a poll waits for",
        "a poll that fails",
        "a poll that fails once",
        "a page opened twice",
        "a little later",
        "a little later, and in both",
        "much later",
        "a poll that goes on into the next step",
        "what a page was left over",
        "what no page asks by itself",
    ],
)
def test_what_a_step_asks_otherwise_is_told_and_chance_is_not(
    runs: Runs, before: list[list[Entry]], after: list[list[Entry]], said: list[str]
) -> None:
    """New, gone, more often, answered otherwise; polls and the moment at which a step ends are chance."""
    first, second = (
        runs.add(*(step(number, 1.0, *requests) for number, requests in enumerate(one, 1))) for one in (before, after)
    )
    expected = [f'requests: step {line[0]} "Step {line[0]}"{line[1:]}' for line in said] or [SAME_REQUESTS]
    assert runs.lines(first, second) == [SAME_PACE, *expected]


@pytest.mark.parametrize(
    ("known", "before", "after", "said"),
    [
        ([[ONE], [ONE, asked("/two")]], [ONE], [ONE, asked("/two")], ""),
        ([[ONE], [ONE, asked("/two")]], [ONE, asked("/two")], [ONE], ""),
        ([[ONE], [ONE]], [ONE], [ONE, asked("/two")], "new GET SITE/two (in the page) (once, 2xx)"),
        ([[asked("/one", 3)], [ONE]], [asked("/one", 2)], [asked("/one", 3)], ""),
        (
            [[asked("/one", 3)], [ONE]],
            [asked("/one", 2)],
            [asked("/one", 4)],
            "GET SITE/one (in the page) asked 2 times → 4 times",
        ),
        ([[asked("/one", status="3xx")], [ONE]], [ONE], [asked("/one", status="3xx")], ""),
        (
            [[asked("/one", status="3xx")], [ONE]],
            [ONE],
            [asked("/one", status="4xx")],
            "GET SITE/one (in the page) answered 2xx → 4xx",
        ),
        ([[ONE, asked("/two")]], [ONE], [ONE, asked("/two")], "new GET SITE/two (in the page) (once, 2xx)"),
    ],
    ids=["comes", "goes", "never before", "as often", "more often", "answered so", "never so", "too few are known"],
)
def test_what_was_so_in_a_known_run_is_chance(
    runs: Runs, known: list[list[Entry]], before: list[Entry], after: list[Entry], said: str
) -> None:
    """Three runs, the first one among them, say what comes and goes."""
    for requests in known:
        runs.add(step(1, 1.0, *requests))
    first, second = runs.add(step(1, 1.0, *before)), runs.add(step(1, 1.0, *after))
    assert runs.lines(first, second)[1:] == [f'requests: step 1 "Step 1": {said}' if said else SAME_REQUESTS]


def test_a_history_without_requests_says_nothing_of_what_is_asked(runs: Runs) -> None:
    """Runs of an older version have recorded none; that does not make what goes, or comes more rarely, chance."""
    for _ in range(3):
        runs.add(step(1, 1.0))
    first = runs.add(step(1, 1.0, asked("/one", 3), asked("/two")))
    second = runs.add(step(1, 2.0, ONE))
    compared = compare_runs(runs.ledger, first, second)
    assert [str(change) for change in compared.requests or []] == [
        'step 1 "Step 1": GET SITE/one (in the page) asked 3 times → once',
        'step 1 "Step 1": gone GET SITE/two (in the page) (once, 2xx)',
    ]
    assert compared.found("requests") == ["2 requests changed"]
    assert [pace.change for pace in compared.paces] == ["slower"], "their times are known all the same"


def broken_off(number: int, *asks: Entry, waits: bool = False) -> list[Entry]:
    """The entries of a step whose process was killed after its act; the next one asks whether it is done."""
    after = [at(4, "waits", number), at(5, "step done", number)] if waits else [at(4, "found done", number)]
    return [
        at(0, "step started", number, says=f'"Step {number}"'),
        at(1, "about to", number),
        at(2, "run goes on"),
        at(3, "requests", number, asked=list(asks), others={}, more=0, hosts={}),
        *after,
    ]


@pytest.mark.parametrize("waits", [False, True], ids=["found done", "found to wait"])
def test_a_step_that_was_found_done_is_not_compared(runs: Runs, waits: bool) -> None:
    """What it asked ended with the process that was killed, and nobody has measured it; its neighbours are compared."""
    whole = [step(1, 1.0, ONE), step(2, 9.0, ONE, asked("/two")), step(3, 1.0, ONE)]
    new_browser = at(0, "run goes on")
    first = runs.add(*whole[:2], [new_browser, *whole[2]])
    second = runs.add(step(1, 1.0, asked("/other")), broken_off(2, asked("/is-it-done"), waits=waits), whole[2])
    for one, other in ((first, second), (second, first)):
        said = runs.lines(one, other)
        assert said[:2] == [
            f'step 2 "Step 2": not compared, in {second} it was broken off and found done',
            SAME_PACE,
        ]
        assert len(said) == 4, "no more than what step 1 asks otherwise"
        assert all(line.startswith('requests: step 1 "Step 1": ') for line in said[2:])
    third = runs.add(step(1, 1.0, asked("/other")), broken_off(2, waits=waits), whole[2])
    assert runs.lines(second, third) == [
        f'step 2 "Step 2": not compared, in {second} and {third} it was broken off and found done',
        SAME_PACE,
        SAME_REQUESTS,
    ]


def test_a_step_that_was_found_done_in_a_known_run_says_nothing_of_it(runs: Runs) -> None:
    """It counts neither as one that asked nothing, nor towards the three that have to be known."""
    runs.add(broken_off(1), step(2, 1.0, ONE))
    runs.add(step(1, 1.0, ONE, asked("/two")))
    first = runs.add(step(1, 1.0, ONE, asked("/two")))
    second = runs.add(step(1, 1.0, ONE))
    gone = 'requests: step 1 "Step 1": gone GET SITE/two (in the page) (once, 2xx)'
    assert runs.lines(first, second)[-1] == gone
    runs.add(step(1, 1.0, ONE, asked("/two")))
    third = runs.add(step(1, 1.0, ONE, asked("/two")))
    fourth = runs.add(step(1, 1.0, asked("/two")))
    assert "gone GET SITE/one" in runs.lines(third, fourth)[-1], "where three are known it is still none of them"


def test_a_step_in_a_new_browser_is_not_compared_with_one_that_had_its_page(runs: Runs) -> None:
    """How long a run waited, and so whether its browser was closed, is no change of the step."""

    def run(*closed: Entry) -> list[list[Entry]]:
        waits = [at(0, "step started", 1, says='"Go"'), at(1, "waits", 1), *closed, at(2, "step done", 1)]
        return [waits, step(2, 5.0 if closed else 1.0, *([asked("/opened")] if closed else []), ONE), step(3, 1.0, ONE)]

    first, second = runs.add(*run()), runs.add(*run(at(1, "run waits", 1)))
    assert runs.lines(first, second) == [
        f'step 2 "Step 2": not compared, only in {second} it had to find its page in a new browser',
        SAME_PACE,
        SAME_REQUESTS,
    ]
    third = runs.add(*run(at(1, "run waits", 1)))
    assert runs.lines(second, third) == [SAME_PACE, SAME_REQUESTS]


def test_a_step_that_was_performed_again_asks_for_the_same_again(runs: Runs) -> None:
    """It is said that it was; what no try before has asked is new all the same."""
    once = step(1, 1.0, ONE, asked("/sign-in"))
    begun = at(0, "step started", 1, says='"Step 1"')
    twice = [begun, *(told_at(1, entry) for entry in [once[1], begun]), *(told_at(2, entry) for entry in once[1:])]
    twice[-2] = {**twice[-2], "asked": [ONE, asked("/two")]}
    first, second = runs.add(once), runs.add(twice)
    assert runs.lines(first, second) == [
        'step 1 "Step 1": performed once → 2 times',
        SAME_PACE,
        'requests: step 1 "Step 1": new GET SITE/two (in the page) (once, 2xx)',
    ]


def test_what_a_step_waits_for_is_polled(runs: Runs) -> None:
    """One look may be enough in one run, and not in another; what was never asked before is told all the same."""

    def waits(*looks: Entry) -> list[Entry]:
        return [
            at(0, "step started", 1, says='"Go"'),
            at(1, "requests", 1, asked=[ONE], others={}, more=0, hosts={}),
            at(1, "waits", 1),
            *(at(2, "requests", 1, asked=[look], others={}, more=0, hosts={}) for look in looks),
            at(3, "step done", 1),
        ]

    first = runs.add(waits(asked("/status")))
    second = runs.add(waits(asked("/status"), asked("/status"), asked("/status", 3)))
    third = runs.add(waits(asked("/status"), asked("/other")))
    assert runs.lines(first, second) == [SAME_PACE, SAME_REQUESTS]
    assert runs.lines(first, third)[1:] == [
        'requests: step 1 "Go": new GET SITE/other (in the page) (polled, 2xx)',
    ]


def test_of_a_step_that_failed_nothing_is_missing(runs: Runs) -> None:
    """It did not come that far; what it asked for the first time, and how it was answered, is told."""
    failing = [
        at(0, "step started", 1, says='"Go"'),
        at(1, "requests", 1, asked=[asked("/one", status="5xx"), asked("/two")], others={}, more=0, hosts={}),
        at(1, "step failed", 1),
    ]
    first, second = runs.add(step(1, 1.0, ONE, asked("/three"), words='"Go"')), runs.add(failing)
    assert runs.lines(first, second) == [
        f'step 1 "Go": failed in {second}',
        SAME_PACE,
        'requests: step 1 "Go": GET SITE/one (in the page) answered 2xx → 5xx',
        'requests: step 1 "Go": new GET SITE/two (in the page) (once, 2xx)',
    ]
    assert [line for line in runs.lines(second, first) if "gone" in line or "three" in line] == [
        'requests: step 1 "Go": gone GET SITE/two (in the page) (once, 2xx)'
    ]


# -- whole runs ----------------------------------------------------------------------------------------------------


def test_editions_are_compared_by_the_guide_s_words(runs: Runs) -> None:
    """A step that has another number there is the same step; one that only one edition has is named."""
    old = [step(number, 1.0, words=f'"{words}"') for number, words in ((2, "Old"), (4, 'Go", "On'))]
    first = runs.add(step(1, 1.0, ONE, words='"Open"'), old[0], step(3, 1.0, ONE, words='"Go"'), old[1])
    second = runs.add(step(1, 1.0, ONE, words='"Open"'), step(2, 9.0, ONE, words='"go"'), edition="2")
    assert runs.lines(first, second) == [
        "edition: 1 → 2",
        f'only in {first}: step 2 "Old"; step 4 "Go", "On"',
        'slower: step 2 "go": 1.0 s → 9.0 s (9.0 times)',
        SAME_REQUESTS,
    ]


def test_what_cannot_be_compared_is_refused(runs: Runs) -> None:
    """Two flows, or one run with itself."""
    first, other = runs.add(step(1, 1.0)), runs.add(step(1, 1.0), flow="game")
    with pytest.raises(WrongUsage, match="run-01 performs toy, run-02 performs game: only runs of the same flow"):
        compare_runs(runs.ledger, first, other)
    with pytest.raises(WrongUsage, match="01 and run-01 are the same run, run-01: name another one"):
        compare_runs(runs.ledger, "01", first)
    with pytest.raises(WrongUsage, match='2 runs are named "run"'):
        compare_runs(runs.ledger, first, "run")


def test_runs_that_recorded_no_requests_are_not_said_to_ask_the_same(runs: Runs) -> None:
    """An older version has written nothing of them."""
    first, second = runs.add(step(1, 1.0)), runs.add(step(1, 1.0, ONE))
    assert runs.lines(first, second) == [SAME_PACE, f"requests cannot be compared: {first} recorded none"]
    assert compare_runs(runs.ledger, first, second).as_json()["requests"] is None


def test_the_times_of_runs_that_are_alike_stand_together(runs: Runs) -> None:
    """The latest so many of each kind; those that are not done do not count."""
    for seconds in (9.0, 1.0, 3.0, 2.0):
        runs.add(step(1, seconds), step(2, 1.0))
    runs.add(step(1, 5.0), edition="2")
    runs.ledger.ask(lambda connection: connection.exec_driver_sql("UPDATE runs SET state='failed' WHERE id='run-04'"))
    found = {kind.edition: steps for kind, steps in times(runs.ledger, flow="toy", edition=None, last=2).items()}
    one = found["1"][0].as_json()
    assert one == {
        "step": 1,
        "called": 'step 1 "Step 1"',
        "runs": 2,
        "min": 1.0,
        "median": 2.0,
        "spread": 1.0,
        "last": 3.0,
        "waited": None,
    }
    assert [step.worked.seconds for step in found["2"]] == [(5.0,)]
    assert times(runs.ledger, flow="game", edition=None, last=2) == {}


def test_what_is_usual_needs_three_runs_before(runs: Runs) -> None:
    """Two could be chance; a later one is not known yet."""
    for seconds in (1.0, 2.0, 4.0, 8.0):
        runs.add(step(1, seconds))
    for named, known in (("run-03", {}), ("run-04", {1: (4.0, 2.0, 1.0)})):
        record = runs.ledger.find(named)
        before = earlier(runs.ledger, record, runs.ledger.entries(named))
        assert {number: one.seconds for number, one in usual([past.steps for past in before]).items()} == known


def test_only_the_latest_runs_of_the_same_machine_are_read(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger with thousands of runs that are not alike must not hold up the end of each further one."""
    for _ in range(2):
        runs.add(step(1, 1.0))
    old = [runs.add(step(1, 1.0), browser="firefox 141") for _ in range(LOOKED_AT - 1)]
    for more in ({"machine": "b"}, {"flow": "game"}, {"edition": "2"}):
        runs.add(step(1, 1.0), **more)
    failed = runs.add(step(1, 1.0))
    runs.ledger.ask(
        lambda connection: connection.exec_driver_sql("UPDATE runs SET state='failed' WHERE id=?", (failed,))
    )
    last = runs.ledger.find(runs.add(step(1, 1.0)))
    runs.add(step(1, 1.0))
    ours = runs.ledger.entries(last.id)
    entries, read = runs.ledger.entries, []

    def noted(run: str) -> list[Entry]:
        read.append(run)
        return entries(run)

    monkeypatch.setattr(runs.ledger, "entries", noted)
    assert [past.record.id for past in earlier(runs.ledger, last, ours)] == ["run-02"]
    assert read == [*reversed(old), "run-02"]


def test_runs_that_were_performed_otherwise_are_not_alike(runs: Runs) -> None:
    """A trace, a slow motion, the sandbox's version: each makes other times usual; it is said in what two runs differ."""
    for how in (["trace", "slow-mo 500"], ["no trace"], []):
        for _ in range(2):
            first = runs.add(step(1, 1.0, ONE), how=how)
    second = runs.add(step(1, 1.0, ONE), how=["trace"])
    for named, count in (("run-02", 1), ("run-04", 1), ("run-06", 1), (second, 0)):
        record = runs.ledger.find(named)
        assert len(earlier(runs.ledger, record, runs.ledger.entries(named))) == count
    assert runs.lines(first, second)[0] == "performed: unknown → trace"
    taken_up = [at(0, "run started", how=["trace"]), *(at(1, "run goes on", how=[how]) for how in ("headed", "trace"))]
    assert how_of(taken_up) == "trace / headed"
    assert str(alike(runs.ledger.find("run-01"), runs.ledger.entries("run-01"))).endswith("; trace, slow-mo 500")


def test_a_recorded_run_can_be_read_again(tmp_path: Path) -> None:
    """The helper of these tests writes what the ledger gives back."""
    runs = Runs(tmp_path)
    named = runs.add(step(1, 1.0, ONE))
    entries = RunLedger(runs.ledger, named, Secrets(), tmp_path / "copy.jsonl").entries
    assert [entry["event"] for entry in entries] == ["run started", "versions", "step started", "requests", "step done"]
