"""What a run's entries in the ledger say: how each step went, what it met, and where the time went."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from runner.timing import versions_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.flow import Flow, Step

Kind = Literal["act", "screenshot", "wait", "closed", "between", "away"]
"""What a part of the time went into. `closed`: waiting without a browser; `away`: no process performed the run."""

KINDS: dict[Kind, str] = {
    "act": "acting",
    "screenshot": "taking screenshots",
    "wait": "waiting, and watching",
    "closed": "waiting without a browser",
    "between": "between the steps",
    "away": "nobody at work",
}
"""What each kind is called."""

StepState = Literal["not reached", "running", "interrupted", "waiting", "done", "found done", "failed", "asks"]
"""How far a step is. `found done`: it was interrupted, and turned out to be done."""

_AFTER: dict[str, StepState] = {
    "step started": "running",
    "waits": "waiting",
    "run waits": "waiting",
    "step done": "done",
    "found done": "found done",
    "not done": "interrupted",
}
"""The state in which an event leaves its step."""

_NOTES = (
    *("said", "about to", "step again", "browser gone", "question", "no failure screenshot", "no accessibility check"),
    "step failed",
)
"""Events that people may want to read one after the other."""


@dataclass(frozen=True)
class Part:
    """A part of the time between a run's beginning and its end.

    Attributes:
        kind: What it went into.
        step: Number of the step that it belongs to; None if to none.
        began: When it began.
        ended: When it ended.
    """

    kind: Kind
    step: int | None
    began: datetime
    ended: datetime

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True)
class Note:
    """One thing that was said in a step.

    Attributes:
        at: When (UTC).
        event: What happened.
        words: What there is to say about it.
    """

    at: str
    event: str
    words: str


@dataclass
class StepEvidence:
    """What the ledger has about one step.

    Attributes:
        step: The step.
        beside: The guide does not have it: the preflight, and what is done afterwards.
        state: How far it is.
        times: How often it was begun.
        parts: Where its time went, in all its tries.
        screenshots: The name of each of its screenshots, and the address of the page on it.
        facts: What it has learned.
        notes: What was said, in order.
        interruptions: What lay over a page and was closed.
        console: Errors on the pages' consoles.
        requests: Requests that failed.
        more: How many more of both there were.
        violations: Violations of accessibility on the page of each of its screenshots, where that was looked for.
        failure: Its latest failure, with the fields of `runner.errors.Failure`.
    """

    step: Step[Any]
    beside: bool = False
    state: StepState = "not reached"
    times: int = 0
    parts: list[Part] = field(default_factory=list)
    screenshots: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    interruptions: list[str] = field(default_factory=list)
    console: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0
    violations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failure: dict[str, Any] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it is not performed again."""
        return self.state in ("done", "found done")

    @property
    def label(self) -> str:
        """The guide's bold words, or what it does."""
        return ", ".join(self.step.says) or self.step.title

    @property
    def title(self) -> str:
        """The same with its number."""
        return self.step.name if self.beside else f"{self.step.number}. {self.label}"

    @property
    def mark(self) -> str:
        """Its number, or a letter where it has none."""
        return self.step.name[0] if self.beside else str(self.step.number)

    @property
    def new_violations(self) -> list[tuple[str, dict[str, Any]]]:
        """Those that nobody has known yet, each with its screenshot."""
        return [(name, one) for name, found in self.violations.items() for one in found if one["new"]]

    @property
    def addresses(self) -> list[str]:
        """Of the pages on its screenshots, each once."""
        return list(dict.fromkeys(self.screenshots.values()))

    def seconds(self, *kinds: Kind) -> float:
        """How long it took, or how much of that went into these kinds."""
        return sum(part.seconds for part in self.parts if not kinds or part.kind in kinds)

    @property
    def waited(self) -> float:
        """How long it waited for something outside; that goes on while nobody is at work."""
        return self.seconds("wait", "closed", "away")


@dataclass
class RunEvidence:
    """What the ledger has about one run.

    Attributes:
        state: What it is doing, or how it ended.
        steps: All steps of its flow; what is beside the guide only if it was begun.
        parts: Where the time went.
        versions: What performed it last.
        not_kept: Why a part of a video or of a trace is missing.
        checks: What a test has found wrong, beside the steps.
        test: The test that the run is a part of, if it is.
    """

    state: str
    steps: list[StepEvidence]
    parts: list[Part]
    versions: dict[str, str]
    not_kept: list[str]
    checks: list[str] = field(default_factory=list)
    test: str = ""

    @property
    def failed(self) -> StepEvidence | None:
        """The step that failed, or asks, unless the run has gone on since."""
        return next((one for one in self.steps if one.state in ("failed", "asks")), None)

    @property
    def at_step(self) -> StepEvidence | None:
        """The step that was begun and is not done."""
        return next((one for one in self.steps if not one.is_done and one.state != "not reached"), None)

    @property
    def seconds(self) -> float:
        """How long a process was at work."""
        return sum(part.seconds for part in self.parts if part.kind != "away")

    @property
    def elapsed(self) -> float:
        """How long it took from the beginning to the end."""
        if not self.parts:
            return 0.0
        # Where a clock was set back it is known only how long the parts took.
        whole = (self.parts[-1].ended - self.parts[0].began).total_seconds()
        return max(whole, sum(part.seconds for part in self.parts))


def read_entries(flow: Flow[Any], entries: Sequence[dict[str, Any]], state: str = "") -> RunEvidence:
    """Read what a run has recorded.

    Args:
        flow: The flow that it performs.
        entries: Its entries in the ledger.
        state: What it is doing, or how it ended; nothing for what its entries say.
    """
    known = {step.number: StepEvidence(step, beside=step not in flow.steps) for step in flow.order()}
    parts = time_of(entries)
    facts: dict[str, str] = {}
    for entry in entries:
        number = entry.get("step")
        if isinstance(number, int) and number in known:
            _take(known[number], entry, facts)
        if "facts" in entry:
            facts = entry["facts"]
    for part in parts:
        if part.step in known:
            known[part.step].parts.append(part)
    state = state or _state(entries)
    steps = [one for one in known.values() if one.times or not one.beside]
    for one in steps:
        if one.state == "running" and state != "running":
            one.state = "interrupted"
    return RunEvidence(
        state=state,
        steps=steps,
        parts=parts,
        versions=versions_of(entries),
        not_kept=[entry["sentence"] for entry in entries if entry["event"] == "not kept"],
        checks=[entry["sentence"] for entry in entries if entry["event"] == "check failed"],
        test=next((entry["name"] for entry in entries if entry["event"] == "test"), ""),
    )


def _state(entries: Sequence[dict[str, Any]]) -> str:
    last = [entry for entry in entries if entry["event"] in ("run started", "run goes on", "run ended")][-1:]
    return str(last[0].get("state", "running")) if last else "running"


def _take(one: StepEvidence, entry: dict[str, Any], facts: dict[str, str]) -> None:
    """Add what an entry says of its step."""
    event = entry["event"]
    one.state = _AFTER.get(event, one.state)
    if event == "run waits":
        one.failure = None  # it had failed before, and goes on waiting
    one.times += event == "step started"
    if "facts" in entry:
        one.facts |= {name: value for name, value in entry["facts"].items() if facts.get(name) != value}
    if event in _NOTES:
        one.notes.append(Note(entry["at"], event, entry.get("sentence") or entry.get("words", "")))
    if event == "screenshot":
        one.screenshots[entry["name"]] = entry["url"]
    elif event == "recognised":
        renamed = entry["renamed"]
        one.screenshots = {renamed.get(name, name): url for name, url in one.screenshots.items()}
    elif event == "interrupted by":
        one.interruptions.append(entry["words"])
    elif event == "trouble":
        one.console += entry["console"]
        one.requests += entry["requests"]
        one.more += entry["more"]
    elif event == "accessibility":
        one.violations[entry["name"]] = entry["violations"]
    elif event == "step failed":
        one.failure = entry
        one.state = "asks" if entry["asks"] else "failed"


def time_of(entries: Iterable[dict[str, Any]]) -> list[Part]:
    """Where a run's time went: parts that follow one another, from its first entry to its last."""
    clock = _Clock()
    for entry in entries:
        clock.tell(entry)
    return clock.parts


class _Clock:
    """Cuts the time at each entry: what goes on from there until the next one follows from what it says."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._since: datetime | None = None
        self._kind: Kind = "between"
        self._step: int | None = None
        self._waiting: int | None = None  # the step whose act is done, and what it waits for is not

    def tell(self, entry: dict[str, Any]) -> None:
        at, event = datetime.fromisoformat(entry["at"]), entry["event"]
        if event == "run goes on":
            self._leave()  # the process before may have ended without a word
        if event == "screenshot" and self._since:
            self._cut(max(self._since, at - timedelta(seconds=entry.get("seconds", 0))))
            self._cut(at, "screenshot")
        else:
            self._cut(at)
        self._go_on(event, entry.get("step"))

    def _cut(self, at: datetime, kind: Kind | None = None) -> None:
        if self._since and at > self._since:
            part = Part(kind or self._kind, self._step, self._since, at)
            before = self.parts[-1] if self.parts else None
            if before and (before.kind, before.step, before.ended) == (part.kind, part.step, part.began):
                self.parts[-1] = replace(before, ended=at)
            else:
                self.parts.append(part)
        self._since = at

    def _go_on(self, event: str, step: int | None) -> None:
        if event == "step started":
            self._kind, self._step, self._waiting = "act", step, None
        elif event in ("step done", "found done", "not done"):
            self._kind, self._step, self._waiting = "between", None, None
        elif event == "waits":
            self._kind, self._step, self._waiting = "wait", step, step
        elif event == "run waits":
            self._kind, self._step = "closed", self._waiting
        elif event in ("run started", "run goes on"):
            self._kind, self._step = ("between" if self._waiting is None else "wait"), self._waiting
        elif event == "run ended":
            self._leave()
        elif event == "step failed" or (event in ("browser gone", "step again") and self._kind == "act"):
            self._kind, self._step = "between", None
        elif self._kind == "closed" and step == self._step:
            self._kind = "wait"  # whoever says something, or takes a screenshot, has opened a browser again

    def _leave(self) -> None:
        """Nobody is at work from here; what a step waits for goes on all the same."""
        if self._kind not in ("wait", "closed", "away"):
            self._step = None
        self._kind = "away"
