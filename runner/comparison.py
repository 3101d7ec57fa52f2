"""Two runs of one flow side by side: which step became slower or faster, and which asks servers otherwise than before.

What is by chance is not told. Where at least three runs are **known** (the first one, and those like it that were done
before it) they say what is. A step that had to find its page in a new browser in one of the two runs only, because they
waited for another time, is not compared; nor is one that was broken off in one of them and then found done, since
nobody has recorded how that went.

**Durations**: a step is slower when it took longer than the known runs' median and a margin
(`runner.timing.Usual.margin`), and than in the first run. Where too few are known, or the second run was performed
elsewhere, only a large difference counts.

**Requests** are the same when kind, method, host and path are (see `runner.traffic.Places`). No difference is

- how often a poll is asked, which depends on the time; that it is asked counts. A poll is what a step asks while it
  waits, and what it asks again and again with pauses between: what a page asks for several times in one go has none.
- what a page asked by itself when its step ended and it was left: a moment earlier it had not come to it.
- what comes at the end of one step in one run, and at the beginning of the next in the other.
- what was so in one of the known runs, where three of them have recorded what the step asked.
- how often something is asked in a step that was performed more often in one of the two runs.
- a status, where there is none yet when the step ends; in what a poll is told, unless it is a failure; and what is
  missing in a step that is not done.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from runner.errors import WrongUsage
from runner.pages import duration
from runner.timing import (
    ENOUGH,
    LEAST,
    SHARE,
    SPREADS,
    Performed,
    Usual,
    alike,
    earlier,
    how_of,
    performed,
    usual,
    versions_of,
)
from runner.traffic import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from runner.ledger import Ledger, Record

RATIO = 1.5
"""How many times longer a step must take to count as slower where too little is known of what is usual."""

FAR = 1.0
"""Seconds that it must take longer besides."""

PAUSE = 0.25
"""Seconds between two polls, at least, on an average."""

POLLED = {"fetch": 2, "document": 3}
"""How often something is asked, at least, to be a poll; a page is opened twice with a pause for other reasons."""

BAD = ("5xx", "failed")
"""Answers that matter of a poll too; others come and go with what it waits for."""

Pair = tuple[Performed, Performed]


@dataclass
class _Count:
    """What a step asked, how often, and how it was answered."""

    times: int = 0
    polls: bool = False
    left: bool = False
    again: bool = False
    statuses: set[str] = field(default_factory=set)
    seconds: float = 0.0


@dataclass(frozen=True)
class Pace:
    """How long a step's act took in both runs.

    Attributes:
        step: What it is called.
        before: Seconds in the first run; None if that is not known.
        after: Seconds in the second run.
        change: slower, faster, or nothing.
        usual: What is usual, if that is known.
        waited: Seconds that it waited for what goes on outside, in each.
        because: Which answers took longer, where some did and the step is slower.
    """

    step: str
    before: float | None
    after: float | None
    change: str
    usual: Usual | None
    waited: tuple[float, float]
    because: str = ""

    def row(self) -> tuple[str, ...]:
        """Its row in a table."""
        told = f"{duration(self.usual.median)} ± {duration(self.usual.margin)}" if self.usual else ""
        return (self.step, _seconds(self.before), _seconds(self.after), self.change, told, self._waited())

    def _waited(self) -> str:
        return " → ".join(map(duration, self.waited)) if any(self.waited) else ""

    def __str__(self) -> str:
        ratio = f" ({self.after / self.before:.1f} times)" if self.before and self.after else ""
        told = f"; usual: {duration(self.usual.median)}" if self.usual else ""
        because = f"; {self.because}" if self.because else ""
        return f"{self.step}: {_seconds(self.before)} → {_seconds(self.after)}{ratio}{told}{because}"

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self) | {"usual": self.usual and self.usual.as_json() | {"margin": round(self.usual.margin, 3)}}


@dataclass(frozen=True)
class RequestChange:
    """A request that a step asks otherwise than before.

    Attributes:
        step: What the step is called.
        what: new, gone, times or status.
        request: Method, host and path.
        before: What it was.
        after: What it is.
    """

    step: str
    what: str
    request: str
    before: str
    after: str

    def __str__(self) -> str:
        if self.what in ("new", "gone"):
            return f"{self.step}: {self.what} {self.request} ({self.after or self.before})"
        words = "asked" if self.what == "times" else "answered"
        return f"{self.step}: {self.request} {words} {self.before} → {self.after}"


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes:
        record: The run.
        entries: What it has recorded.
        steps: The same of each step.
    """

    record: Record
    entries: Sequence[dict[str, Any]]
    steps: dict[int, Performed]

    @staticmethod
    def of(ledger: Ledger, named: str) -> Side:
        """The run with this id, or with the only one that begins or ends like this.

        Raises:
            WrongUsage: There is none, or there are several.
        """
        record = ledger.find(named)
        entries = ledger.entries(record.id)
        return Side(record, entries, performed(entries))

    @property
    def has_recorded_requests(self) -> bool:
        """Whether it has recorded what it asked; older runs have not."""
        return any(entry["event"] == "requests" for entry in self.entries)

    def about(self) -> dict[str, str]:
        """With what it was performed."""
        return {"edition": self.record.edition, "machine": self.record.machine, "performed": how_of(self.entries)} | (
            versions_of(self.entries)
        )


@dataclass(frozen=True)
class RunComparison:
    """In what two runs differ.

    Attributes:
        a: The first run.
        b: The second run.
        about: What they were performed with, where it differs: name, before, after.
        paces: How long the steps took that are in both.
        requests: What they ask otherwise; None if one of them has not recorded that.
        only: The steps that are in one of them only, and what is to be said of others; sentences.
        rule: When a step counts as slower or faster.
    """

    a: Side
    b: Side
    about: list[tuple[str, str, str]]
    paces: list[Pace]
    requests: list[RequestChange] | None
    only: list[str]
    rule: str

    def changed(self, change: str) -> list[Pace]:
        """The steps that became slower, or faster."""
        return [pace for pace in self.paces if pace.change == change]

    def found(self, *kinds: str) -> list[str]:
        """What there is of these kinds of differences, counted, in words.

        Args:
            kinds: slower, requests.
        """
        numbers = {"slower": len(self.changed("slower")), "requests": len(self.requests or [])}
        words = {"slower": ("step is slower", "steps are slower"), "requests": ("request changed", "requests changed")}
        return [f"{numbers[kind]} {words[kind][numbers[kind] != 1]}" for kind in kinds if numbers[kind]]

    def lines(self) -> Iterator[str]:
        """What is different, a line each."""
        for name, before, after in self.about:
            yield f"{name}: {before or 'unknown'} → {after or 'unknown'}"
        yield from self.only
        for change in ("slower", "faster"):
            yield from (f"{change}: {pace}" for pace in self.changed(change))
        if not self.changed("slower") and not self.changed("faster"):
            yield "no step became slower or faster"
        yield from (f"requests: {change}" for change in self.requests or [])
        if self.requests is None:
            silent = [side.record.id for side in (self.a, self.b) if not side.has_recorded_requests]
            yield f"requests cannot be compared: {' and '.join(silent)} recorded none"
        elif not self.requests:
            yield "no step changed its requests"
        yield self.rule

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            **{name: {"id": side.record.id, **side.about()} for name, side in (("a", self.a), ("b", self.b))},
            "about": [{"name": name, "before": before, "after": after} for name, before, after in self.about],
            "steps": [pace.as_json() for pace in self.paces],
            "requests": None if self.requests is None else [asdict(change) for change in self.requests],
            "only": self.only,
            "rule": self.rule,
        }


def compare_runs(ledger: Ledger, first: str, second: str) -> RunComparison:
    """Compare two runs.

    Args:
        ledger: Where both are recorded.
        first: The run to compare with: its id, or how that begins or ends.
        second: The run that is compared with it.

    Raises:
        WrongUsage: There is no such run, or they cannot be compared.
    """
    a, b = Side.of(ledger, first), Side.of(ledger, second)
    if a.record.id == b.record.id:
        raise WrongUsage(f"{first} and {second} are the same run, {a.record.id}: name another one to compare it with")
    if a.record.flow != b.record.flow:
        raise WrongUsage(
            f"{a.record.id} performs {a.record.flow}, {b.record.id} performs {b.record.flow}: "
            "only runs of the same flow can be compared"
        )
    pairs = matched(a, b)
    compared = [pair for pair in pairs if _are_comparable(*pair)]
    before = [past.steps for past in earlier(ledger, a.record, a.entries) if past.record.id != b.record.id]
    known = [a.steps, *before]
    here = alike(a.record, a.entries) == alike(b.record, b.entries)
    known_times = usual(known) if here else {}
    ours, theirs = a.about(), b.about()
    recorded = a.has_recorded_requests and b.has_recorded_requests
    return RunComparison(
        a,
        b,
        about=[
            (name, ours.get(name, ""), theirs.get(name, ""))
            for name in dict.fromkeys((*ours, *theirs))
            if ours.get(name) != theirs.get(name)
        ],
        paces=[pace_of(*pair, known_times.get(pair[0].number)) for pair in pairs],
        requests=request_changes(compared, known) if recorded else None,
        only=list(_only(a, b, pairs)),
        rule=_rule(known_times),
    )


def matched(a: Side, b: Side) -> list[Pair]:
    """The steps that are in both runs, in the order of the second one.

    In one edition a number is the same step in both. In two of them the guide's words are, all of them: a step that has
    one more asks for more to be done.
    """
    if a.record.edition == b.record.edition:
        return [(a.steps[number], step) for number, step in b.steps.items() if number in a.steps]
    by_words = {step.words.casefold(): step for step in a.steps.values()}
    return [(by_words[key], step) for step in b.steps.values() if (key := step.words.casefold()) in by_words]


def _are_comparable(before: Performed, after: Performed) -> bool:
    return before.fresh == after.fresh and not before.found and not after.found


def _only(a: Side, b: Side, pairs: Sequence[Pair]) -> Iterator[str]:
    for index, side in enumerate((a, b)):
        paired = [pair[index].number for pair in pairs]
        if left := [one.label for one in side.steps.values() if one.number not in paired]:
            yield f"only in {side.record.id}: {'; '.join(left)}"
    for pair in pairs:
        for side, one in zip((a, b), pair, strict=True):
            if not one.done:
                yield f"{one.label}: {'failed' if one.failed else 'not done'} in {side.record.id}"
        if pair[0].tries != pair[1].tries:
            yield f"{pair[1].label}: performed {_often(pair[0].tries)} → {_often(pair[1].tries)}"
        if found := [side.record.id for side, one in zip((a, b), pair, strict=True) if one.found]:
            yield f"{pair[1].label}: not compared, in {' and '.join(found)} it was broken off and found done"
        elif pair[0].fresh != pair[1].fresh:
            new = (a if pair[0].fresh else b).record.id
            yield f"{pair[1].label}: not compared, only in {new} it had to find its page in a new browser"


def _rule(known: dict[int, Usual]) -> str:
    large = f"more than {RATIO:g} times and {FAR:g} s apart"
    if not known:
        return f"slower or faster is what is {large}: fewer than {ENOUGH} runs like both are known"
    runs = max(len(one.seconds) for one in known.values())
    return (
        f"slower or faster is what is off the median of {runs} runs by more than {SHARE:.0%}, {SPREADS} times their "
        f"spread and {LEAST} s, and off the first run by {SHARE:.0%} and {LEAST} s; a step without a median: {large}"
    )


# -- durations ----------------------------------------------------------------------------------------------------


def pace_of(before: Performed, after: Performed, known: Usual | None) -> Pace:
    """Whether a step became slower or faster.

    Args:
        before: The step in the first run.
        after: The step in the second run.
        known: How long it took in runs like the first one, itself among them; None if too few are known.
    """
    change = ""
    if before.worked is not None and after.worked is not None and _are_comparable(before, after):
        side = _side(before.worked, after.worked, known)
        change = {1: "slower", -1: "faster", 0: ""}[side]
    return Pace(
        after.label,
        before.worked,
        after.worked,
        change,
        known,
        (before.waited, after.waited),
        _because(before, after) if change == "slower" else "",
    )


def _side(before: float, after: float, known: Usual | None) -> int:
    longer = after - before
    if known:
        side = known.side(after)
        return side if side * longer > max(SHARE * before, LEAST) else 0
    if abs(longer) <= FAR or max(before, after) <= RATIO * min(before, after):
        return 0
    return 1 if longer > 0 else -1


def _because(before: Performed, after: Performed) -> str:
    """How much longer the servers' answers took, if that is a good part of the difference, and which of them most."""
    ours, theirs = _counted(before), _counted(after)
    was, took = (sum(count.seconds for count in one.values()) for one in (ours, theirs))
    longer = (after.worked or 0.0) - (before.worked or 0.0)
    if before.tries != after.tries or took - was < max(LEAST, longer / 3):
        return ""
    most = max(theirs, key=lambda what: theirs[what].seconds - ours.get(what, _Count()).seconds)
    return f"its answers took {duration(was)} → {duration(took)}, most of all {_called(most)}"


# -- requests -----------------------------------------------------------------------------------------------------


def request_changes(pairs: Sequence[Pair], known: Sequence[dict[int, Performed]] = ()) -> list[RequestChange]:
    """What steps ask otherwise than before; see the module's docstring for what is no difference.

    Args:
        pairs: Each step in the first and in the second run, in their order.
        known: What other runs have recorded that were like the first one, and that one.
    """
    counted = [(_counted(before), _counted(after)) for before, after in pairs]
    for pair, counts in zip(pairs, counted, strict=True):
        for count in (count for one in counts for count in one.values()):
            count.again = pair[0].tries != pair[1].tries
    known = [run for run in known if any(one.acting or one.waiting for one in run.values())]  # older ones tell nothing
    before_that = [_seen(pair[0].number, known) for pair in pairs]
    every = list(dict.fromkeys(what for both in counted for one in both for what in one))
    changes: dict[int, list[RequestChange]] = defaultdict(list)
    for what in every:
        both = [(ours.get(what, _Count()), theirs.get(what, _Count())) for ours, theirs in counted]
        more = _differences(both)
        for index, pair in enumerate(pairs):
            seen = [run.get(what, _Count()) for run in before_that[index]]
            if change := _change(what, pair, both[index], more[index], seen):
                changes[index].append(change)
    return [change for index in range(len(pairs)) for change in changes[index]]


def _seen(number: int, known: Sequence[dict[int, Performed]]) -> list[dict[Asked, _Count]]:
    """What was counted of a step in the known runs; nothing where too few of them have performed it in one go."""
    told = [_counted(run[number]) for run in known if number in run and not run[number].found]
    return told if len(told) >= ENOUGH else []


def _differences(both: Sequence[tuple[_Count, _Count]]) -> list[int]:
    """How often more it was asked in each step; what neighbours account for is none."""
    more = []
    goes_on = False
    for before, after in both:
        polls, left = before.polls or after.polls, before.left or after.left
        if left or (goes_on and not polls):
            more.append(0)  # as chance has it, also once more when the next step has begun
        elif polls or before.again or after.again:
            more.append(min(after.times, 1) - min(before.times, 1))
        else:
            more.append(after.times - before.times)
        goes_on = polls or left
    for index in range(len(more) - 1):
        here, there = more[index], more[index + 1]
        if here * there < 0:
            moved = min(abs(here), abs(there)) * (1 if here > 0 else -1)
            more[index], more[index + 1] = here - moved, there + moved
    return more


def _change(
    what: Asked, pair: Pair, both: tuple[_Count, _Count], more: int, seen: Sequence[_Count]
) -> RequestChange | None:
    """What there is to say of a request in a step.

    Args:
        what: The request.
        pair: The step.
        both: What was counted.
        more: How often more it was asked, without chance.
        seen: What was counted in the known runs, if they are enough.
    """
    step, request, (before, after) = pair[1].label, _called(what), both
    done = pair[0].done if more > 0 else pair[1].done
    if more and done and not _was_so(after, more, seen):
        if before.times and after.times:
            return RequestChange(step, "times", request, _often(before.times), _often(after.times))
        if after.times:
            return RequestChange(step, "new", request, "", _how(after))
        return RequestChange(step, "gone", request, _how(before), "")
    if before.statuses and after.statuses and _answered_otherwise(before, after):
        if any(after.statuses == one.statuses for one in seen):
            return None
        return RequestChange(step, "status", request, _joined(before.statuses), _joined(after.statuses))
    return None


def _was_so(after: _Count, more: int, seen: Sequence[_Count]) -> bool:
    """Whether a known run asked as often, or as rarely, as the second one."""
    times = [one.times for one in seen]
    return bool(times) and (max(times) >= after.times if more > 0 else min(times) <= after.times)


def _answered_otherwise(before: _Count, after: _Count) -> bool:
    if before.polls or after.polls:
        worse = (after.statuses - before.statuses).intersection(BAD)
        return bool(worse) or not before.statuses & after.statuses
    return before.statuses != after.statuses


def _counted(one: Performed) -> dict[Asked, _Count]:
    counted: dict[Asked, _Count] = {}
    parts: Iterable[tuple[bool, dict[str, Any]]] = (
        *((False, entry) for entry in one.acting),
        *((True, entry) for entry in one.waiting),
    )
    for waits, entry in parts:
        for told in entry["asked"]:
            count = counted.setdefault(Asked(*(told[name] for name in Asked._fields)), _Count())
            count.times += told["times"]
            count.polls = count.polls or waits or _polls(told)
            count.statuses |= told["statuses"].keys()
            count.left = count.left or _was_left(told, one)
            count.seconds += 0 if waits else told["seconds"]
    return counted


def _polls(told: dict[str, Any]) -> bool:
    times: int = told["times"]
    return times >= POLLED[told["kind"]] and bool(told["over"] / (times - 1) >= PAUSE)


def _was_left(told: dict[str, Any], one: Performed) -> bool:
    """Whether a page still asked for it when it was left; nobody opens a page, or submits something, by chance."""
    by_itself = told["kind"] == "fetch" and told["method"] == "GET"
    return by_itself and not one.failed and told["times"] > sum(told["statuses"].values())


def _called(what: Asked) -> str:
    return f"{what.method} {what.host}{what.path}{' (in the page)' if what.kind == 'fetch' else ''}"


def _how(count: _Count) -> str:
    answers = _joined(count.statuses) if count.statuses else "not answered"
    return f"{'polled' if count.polls else _often(count.times)}, {answers}"


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _joined(statuses: Iterable[str]) -> str:
    return ", ".join(sorted(statuses))


def _seconds(value: float | None) -> str:
    return "" if value is None else duration(value)
