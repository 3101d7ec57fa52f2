"""How long the steps of runs took, and what they usually take.

What counts is how long a step worked: from its beginning until its act was done, without the screenshots and checks of
its pages, which differ with what a run is for. What it waited for outside, such as work that goes on for hours, is told
apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from statistics import median
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from runner.settings import is_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.ledger import Ledger, Record

ENOUGH = 3
"""Runs from which on it is said what is usual."""

LATEST = 20
"""So many runs say what is usual: what was so before may have changed for good."""

LOOKED_AT = 60
"""So many runs are read at most to find those that are alike: a ledger can hold thousands."""

SHARE = 0.2
"""Part of the median within which two durations are taken for the same."""

SPREADS = 3
"""How often the spread of the runs is allowed for."""

LABEL = 60
"""Characters that a step's name has at most in a table."""

LEAST = 0.3
"""Seconds by which any two durations can differ by chance."""


@dataclass
class Performed:
    """How a step went in a run; its times are those of its latest try.

    Attributes:
        number: The step's number.
        words: The guide's bold words, or what it does.
        done: Whether it is done.
        failed: Whether it failed, and was not done since.
        fresh: Whether it was the first one that was performed in its browser, so that it had to find its page.
        found: Whether its act was broken off and turned out to be done: how long it took, and what it asked, is not
            known.
        worked: Seconds that its act took; None if it was not done in one go.
        waited: Seconds that it waited afterwards for what goes on outside, also while nobody was at work.
        tries: How often its act was begun.
        acting: What its act asked of servers, in all tries, as `runner.traffic.Traffic.take` tells it.
        waiting: The same of each look at what it waits for.
    """

    number: int
    words: str
    done: bool = False
    failed: bool = False
    fresh: bool = False
    found: bool = False
    worked: float | None = None
    waited: float = 0.0
    tries: int = 1
    acting: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)

    @property
    def label(self) -> str:
        """What it is called, in a few words."""
        return shorten(f"step {self.number} {self.words}", LABEL, placeholder=" …") if self.number else "preflight"


def performed(entries: Iterable[dict[str, Any]]) -> dict[int, Performed]:
    """What a run has recorded of each step that it has begun, by number and in the order of the numbers.

    Args:
        entries: Its entries in the ledger.
    """
    reader = _Reader()
    for entry in entries:
        reader.read(entry)
    return dict(sorted(reader.steps.items()))


class _Reader:
    """Follows a run's entries; at any time one step acts, or is watched while it waits, or none."""

    def __init__(self) -> None:
        self.steps: dict[int, Performed] = {}
        self._acts: int | None = None
        self._fresh = True
        self._waits_since: dict[int, datetime] = {}
        self._began: datetime | None = None
        self._before: datetime | None = None
        self._apart = 0.0  # seconds of the act that went into screenshots and checks

    def read(self, entry: dict[str, Any]) -> None:
        at, event, number = datetime.fromisoformat(entry["at"]), entry["event"], entry.get("step")
        if event == "step started":
            self._begin(entry["step"], entry["says"])
            self._acts, self._began, self._apart = number, at, 0.0
        elif event in ("run started", "run goes on", "run waits", "browser gone"):
            self._acts, self._fresh = None, True
        elif number in self.steps:
            self._go_on(self.steps[number], entry, at)
        self._before = at

    def _begin(self, number: int, words: str) -> None:
        before = self.steps.get(number)
        self.steps[number] = one = Performed(number, words, fresh=self._fresh)
        if before:
            one.tries, one.acting, one.waiting = before.tries + 1, before.acting, before.waiting
        self._waits_since.pop(number, None)

    def _go_on(self, one: Performed, entry: dict[str, Any], at: datetime) -> None:
        event = entry["event"]
        if event == "screenshot":
            self._apart += entry.get("seconds", 0)
        elif event in ("accessibility", "no accessibility check"):
            self._apart += _between(self._before, at)
        elif event == "requests":
            self._take_requests(one, entry)
        elif event == "waits":
            self._waits_since[one.number] = at
            one.found = self._acts != one.number
            self._end_act(one, at)
        elif event in ("step done", "found done"):
            one.done, one.failed = True, False
            one.found = one.found or event == "found done"
            self._end(one, at)
        elif event == "step failed":
            one.failed, self._acts = True, None
        elif event == "not done":
            self._waits_since.pop(one.number, None)

    def _take_requests(self, one: Performed, entry: dict[str, Any]) -> None:
        if one.number in self._waits_since:
            one.waiting.append(entry)
        elif self._acts == one.number:
            one.acting.append(entry)

    def _end(self, one: Performed, at: datetime) -> None:
        if since := self._waits_since.pop(one.number, None):
            one.waited = _between(since, at)
        elif not one.found:
            self._end_act(one, at)
        self._acts = None

    def _end_act(self, one: Performed, at: datetime) -> None:
        if self._acts == one.number:
            one.worked = max(0.0, round(_between(self._began, at) - self._apart, 3))
            self._fresh = False
        self._acts = None


def _between(began: datetime | None, at: datetime) -> float:
    return (at - began).total_seconds() if began else 0.0


class Alike(NamedTuple):
    """What the durations of runs must have in common to be put side by side.

    Not known, and so not among it, is what the ledger does not hold: what else the machine was doing, how far away the
    servers are, and how large and of which version what stands there is, unless it is the sandbox's.

    Attributes:
        flow: Name of their flow.
        edition: The edition that they perform.
        machine: Where they were performed.
        browser: Name of their browser, without a version.
        local: Whether an address that they work with is on the machine itself, as in a sandbox.
        how: What else makes steps faster or slower, such as a trace; nothing where an older version did not record it.
    """

    flow: str
    edition: str
    machine: str
    browser: str
    local: bool
    how: str = ""

    def __str__(self) -> str:
        edition = f", edition {self.edition}" if self.edition else ""
        return (
            f"{self.flow}{edition}, on {self.machine} with {self.browser or 'an unknown browser'}"
            f"{', at addresses of that machine' if self.local else ''}{f'; {self.how}' if self.how else ''}"
        )


def versions_of(entries: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What performed a run last, each with its version."""
    told = [entry for entry in entries if entry["event"] == "versions"][-1:]
    return {name: str(value) for one in told for name, value in one.items() if name not in ("at", "event", "step")}


def how_of(entries: Iterable[dict[str, Any]]) -> str:
    """How a run was performed; all ways, where it was taken up otherwise than it began."""
    return " / ".join(dict.fromkeys(", ".join(entry["how"]) for entry in entries if entry.get("how")))


def alike(record: Record, entries: Sequence[dict[str, Any]]) -> Alike:
    """What the runs have in common that can be put beside this one."""
    addresses = [value for value in record.settings.values() if value.startswith(("https://", "http://"))]
    return Alike(
        record.flow,
        record.edition,
        record.machine,
        versions_of(entries).get("browser", "").partition(" ")[0],
        any(is_local(urlsplit(address).hostname or "") for address in addresses),
        how_of(entries),
    )


class Past(NamedTuple):
    """A run that is done."""

    record: Record
    alike: Alike
    steps: dict[int, Performed]


def _read(ledger: Ledger, records: Iterable[Record]) -> Iterator[Past]:
    """What these runs have recorded; each is read when it is asked for."""
    for record in records:
        entries = ledger.entries(record.id)
        yield Past(record, alike(record, entries), performed(entries))


def earlier(ledger: Ledger, record: Record, entries: Sequence[dict[str, Any]]) -> list[Past]:
    """The runs that were done like this one before it, `LATEST` of the `LOOKED_AT` latest there; the latest first.

    Args:
        ledger: All runs.
        record: The run.
        entries: What it has recorded.
    """
    ours = alike(record, entries)
    there = ledger.runs(
        flow=ours.flow, edition=ours.edition, machine=ours.machine, state="done", before=record, last=LOOKED_AT
    )
    return list(islice((past for past in _read(ledger, there) if past.alike == ours), LATEST))


@dataclass(frozen=True)
class Usual:
    """What some durations, the latest first, have in common; all in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """As many took longer as did not."""
        return median(self.seconds)

    @property
    def spread(self) -> float:
        """How far they are from it: the median of that, so that a single one that hung does not count."""
        return median(abs(one - self.median) for one in self.seconds)

    @property
    def margin(self) -> float:
        """How far from the median another one can be by chance."""
        return max(SHARE * self.median, SPREADS * self.spread, LEAST)

    def side(self, seconds: float) -> int:
        """1 if this is more than usual, -1 if it is less, 0 if neither."""
        return (seconds > self.median + self.margin) - (seconds < self.median - self.margin)

    def as_json(self) -> dict[str, float]:
        """All of it as plain values."""
        return {
            "runs": len(self.seconds),
            "min": round(min(self.seconds), 3),
            "median": round(self.median, 3),
            "spread": round(self.spread, 3),
            "last": round(self.seconds[0], 3),
        }


def usual(runs: Sequence[dict[int, Performed]], *, enough: int = ENOUGH) -> dict[int, Usual]:
    """How long each step's act took in these runs, the latest first, where enough of them tell.

    Args:
        runs: What each has recorded.
        enough: How many have to tell.
    """
    numbers = sorted({number for run in runs for number in run})
    told = {
        number: tuple(run[number].worked or 0.0 for run in runs if number in run and run[number].worked is not None)
        for number in numbers
    }
    return {number: Usual(seconds) for number, seconds in told.items() if len(seconds) >= enough}


@dataclass(frozen=True)
class StepTimes:
    """What a step took in several runs.

    Attributes:
        number: Its number.
        label: What it was called last.
        worked: How long its act took.
        waited: How long it waited for what goes on outside; None if it does not.
    """

    number: int
    label: str
    worked: Usual
    waited: Usual | None

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        waited = self.waited and self.waited.as_json()
        return {"step": self.number, "called": self.label, **self.worked.as_json(), "waited": waited}


def times(ledger: Ledger, *, flow: str | None, edition: str | None, last: int) -> dict[Alike, list[StepTimes]]:
    """What the steps took in the runs that are done, apart for each kind of runs that are alike.

    Args:
        ledger: All runs.
        flow: Only those of this flow.
        edition: Only those of this edition.
        last: So many of each kind, the latest.
    """
    groups: dict[Alike, list[dict[int, Performed]]] = {}
    for past in _read(ledger, ledger.runs(flow=flow, edition=edition, state="done")):
        runs = groups.setdefault(past.alike, [])
        if len(runs) < last:
            runs.append(past.steps)
    return {kind: _times_of(runs) for kind, runs in groups.items()}


def _times_of(runs: Sequence[dict[int, Performed]]) -> list[StepTimes]:
    found = []
    for number, worked in usual(runs, enough=1).items():
        label = next(run[number].label for run in runs if number in run)
        waited = tuple(run[number].waited for run in runs if number in run and run[number].waited)
        found.append(StepTimes(number, label, worked, Usual(waited) if waited else None))
    return found
