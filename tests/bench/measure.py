"""Times subjects in turn, and says what their times show, or that the machine was too noisy to tell.

All that is compared is timed in the same minutes on the same machine: a, b, c, a, b, c, and so on. So a machine that
becomes slower meanwhile slows all of them, and the ratio of their medians stays.
"""

from __future__ import annotations

import resource
import statistics
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ROUNDS = 5
"""Rounds from which on a verdict is told."""

QUIET = 0.05
"""Spread up to which the median is taken at its word."""

Verdict = Literal["met", "missed", "too noisy to tell", "only tried", "no bound"]


@dataclass
class Spent:
    """What one round of a subject took.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of CPU, of this process and of its children that have ended meanwhile.
    """

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def stopwatch() -> Iterator[Spent]:
    """Time what is done meanwhile; what it took is known at the end."""
    spent = Spent()
    cpu, began = _cpu(), time.perf_counter()
    yield spent
    spent.wall, spent.cpu = time.perf_counter() - began, _cpu() - cpu


def _cpu() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def in_turn(
    subjects: Mapping[str, Callable[[], Spent]], rounds: int, *, warm_up: bool = True
) -> dict[str, list[Spent]]:
    """Time subjects in turn.

    Args:
        subjects: By their names; each does its preparations itself and returns what counts.
        rounds: How often each is timed.
        warm_up: Begin with a round that is not counted, for caches to fill; not after `rounds` of 1, which only tries.
    """
    counted: dict[str, list[Spent]] = {name: [] for name in subjects}
    for number in range(-1 if warm_up and rounds > 1 else 0, rounds):
        for name, subject in subjects.items():
            spent = subject()
            if number >= 0:
                counted[name].append(spent)
    return counted


def spread(values: Sequence[float]) -> float:
    """How far values lie apart: the median of how far they are from their median, as a part of it.

    Half of the rounds lie within it. One round in which the machine did something else does not change it, as it would
    the distance from the smallest to the largest.
    """
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values) / abs(middle) if middle else 0.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a row: what was measured, and what it is measured by.

    Attributes:
        name: What it is.
        unit: Of the values; `x` for a ratio of them to the reference's.
        values: Of each round.
        reference: The same of what it is compared with, in the same rounds; nothing for a figure that stands alone.
        target: What it shall be; None where nobody has said that.
        limit: What it must hold now: a figure may be on its way to its target, but not become worse.
        more: More is better: at least the target, at least the limit.
        note: What else was seen meanwhile.
    """

    name: str
    unit: str
    values: Sequence[float]
    reference: Sequence[float] = ()
    target: float | None
    limit: float | None
    more: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """Of the rounds; of a ratio, the ratio of both medians."""
        return self._told(statistics.median)

    @property
    def best(self) -> float:
        """The same of the rounds in which least came in between: their minima."""
        return self._told(max if self.more and not self.reference else min)

    def _told(self, of: Callable[[Sequence[float]], float]) -> float:
        if not self.reference:
            return of(self.values)
        return of(self.values) / of(self.reference)

    @property
    def spread(self) -> float:
        """Of the rounds, as a part of their median; of a ratio, the larger of both."""
        return max(spread(each) for each in (self.values, self.reference) if each)

    @property
    def verdict(self) -> Verdict:
        """Whether it meets its target."""
        return self.against(self.target)

    @property
    def holds(self) -> Verdict:
        """Whether it holds its limit."""
        return self.against(self.limit)

    def against(self, bound: float | None) -> Verdict:
        """Whether the figure is on the right side of a bound.

        That is not told where the bound lies within the spread around the median, unless the spread is small.
        """
        if bound is None:
            return "no bound"
        if len(self.values) < ROUNDS:
            return "only tried"
        if self.spread > QUIET and abs(self.median - bound) < self.spread * abs(self.median):
            return "too noisy to tell"
        good = self.median >= bound if self.more else self.median <= bound
        return "met" if good else "missed"

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values, with four significant digits."""

        def short(values: Sequence[float]) -> list[float]:
            return [float(f"{value:.4g}") for value in values]

        return asdict(replace(self, values=short(self.values), reference=short(self.reference)))


@dataclass(frozen=True)
class Measured:
    """What one row has measured.

    Attributes:
        figures: Those that could be.
        left_out: Why others could not be.
    """

    figures: list[Figure]
    left_out: list[str] = field(default_factory=list)


def walls(spent: Sequence[Spent]) -> list[float]:
    """Seconds on the clock, of each round."""
    return [each.wall for each in spent]


def cpus(spent: Sequence[Spent]) -> list[float]:
    """Seconds of CPU, of each round."""
    return [each.cpu for each in spent]
