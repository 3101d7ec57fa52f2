"""The benchmark's own arithmetic: what it makes of times."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.bench.measure import Figure, Spent, Verdict, in_turn, spread, stopwatch


def figure(*values: float, reference: tuple[float, ...] = (), target: float = 1.0, more: bool = False) -> Figure:
    """A figure of these rounds."""
    return Figure(name="toy", unit="s", values=values, reference=reference, target=target, limit=target, more=more)


def test_subjects_take_turns_and_the_first_round_is_not_counted() -> None:
    """a, b, a, b: whatever slows the machine slows both."""
    order: list[str] = []

    def subject(name: str) -> Spent:
        order.append(name)
        return Spent(wall=len(order))

    counted = in_turn({name: lambda name=name: subject(name) for name in "ab"}, 2)  # type: ignore[misc]
    assert "".join(order) == "ababab"
    assert {name: [each.wall for each in spent] for name, spent in counted.items()} == {"a": [3, 5], "b": [4, 6]}


def test_a_single_round_only_tries() -> None:
    """Without a warm-up, and nobody is told that a target was met."""
    assert len(in_turn({"a": Spent}, 1)["a"]) == 1
    assert figure(0.1).verdict == "only tried"


def test_the_spread_does_not_heed_one_round_that_went_wrong() -> None:
    """Nine tenths of what the others are apart would be hidden by it otherwise."""
    assert spread([10, 10, 11, 12, 12]) == pytest.approx(1 / 11)
    assert spread([10, 10, 11, 12, 99]) == pytest.approx(1 / 11)
    assert spread([3, 3, 3]) == spread([0, 0, 0]) == 0


def test_a_ratio_is_that_of_the_medians_and_of_the_minima() -> None:
    """And its spread is the larger of both sides."""
    found = figure(3, 2, 4, 3, 3, reference=(2, 2, 2, 1, 3))
    assert (found.median, found.best, found.spread) == (1.5, 2.0, 0.0)
    noisy = figure(3, 3, 3, 3, 3, reference=(2, 1, 3, 1, 3))
    assert noisy.spread == 0.5


def test_of_what_shall_be_more_the_best_is_the_most() -> None:
    """Of a figure that stands alone."""
    assert (figure(1, 2, 3, more=True).best, figure(1, 2, 3).best) == (3, 1)


@pytest.mark.parametrize(
    ("values", "more", "verdict"),
    [
        ((0.98, 0.99, 0.99, 1.0, 1.02), False, "met"),
        ((1.0, 1.0, 1.01, 1.02, 1.02), False, "missed"),
        ((1.0, 1.0, 1.01, 1.02, 1.02), True, "met"),
        ((0.8, 0.85, 0.95, 1.1, 1.2), False, "too noisy to tell"),
        ((0.8, 0.9, 1.05, 1.2, 1.3), True, "too noisy to tell"),
        # However noisy: what is twice as fast as it has to be is fast enough.
        ((0.3, 0.4, 0.5, 0.6, 0.7), False, "met"),
        ((1.3, 1.5, 2.0, 2.5, 2.7), False, "missed"),
        # What is next to nothing may well be less than nothing in some rounds.
        ((-0.3, -0.2, -0.1, 0.2, 0.3), False, "met"),
    ],
)
def test_a_verdict_is_told_where_the_noise_cannot_turn_it(
    values: tuple[float, ...], more: bool, verdict: Verdict
) -> None:
    """A bound within the spread around the median is neither met nor missed."""
    assert figure(*values, more=more).verdict == verdict


def test_where_nobody_has_said_what_it_shall_be_there_is_no_verdict() -> None:
    """Such a figure is there to be known."""
    bare = Figure(name="toy", unit="s", values=(1.0,) * 5, target=None, limit=None)
    assert (bare.verdict, bare.holds) == ("no bound", "no bound")


def test_noise_of_the_reference_counts_too() -> None:
    """A ratio is as uncertain as what it is a ratio to."""
    ours = (1.0, 1.0, 1.0, 1.0, 1.0)
    assert figure(*ours, reference=(1.1, 1.1, 1.1, 1.1, 1.1)).verdict == "met"
    assert figure(*ours, reference=(0.8, 0.9, 1.1, 1.3, 1.4)).verdict == "too noisy to tell"


def test_a_figure_goes_through_json_with_four_digits() -> None:
    """The file that is committed is short, and the page is made of it."""
    plain = json.loads(json.dumps(figure(1.234567, reference=(0.000123456,)).as_json()))
    assert (plain["values"], plain["reference"]) == ([1.235], [0.0001235])
    assert Figure(**plain).median == pytest.approx(10000, rel=1e-3)


def test_the_stopwatch_counts_the_cpu_of_children() -> None:
    """A browser works in processes of its own."""
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    with stopwatch() as spent:
        subprocess.run([sys.executable, "-c", busy], check=True)
    assert spent.cpu >= 0.2
    assert spent.wall >= 0.2
    with stopwatch() as idle:
        time.sleep(0.05)
    assert idle.wall >= 0.05 > idle.cpu
