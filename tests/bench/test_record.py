"""What the benchmark records, prints, and ends with."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench import __main__ as command
from tests.bench import record
from tests.bench.measure import Figure, Measured
from tests.bench.processes import TheBrowser
from tests.bench.rows import ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Callable

WITH = {
    "date": "2026-01-02",
    "guiderunner": "0.1.0",
    "python": "3.11.2",
    "playwright": "1.65",
    "browser": "Chromium 1",
    "cores": 2,
}
SLOW = Figure(name="a toy", unit="x", values=(3.0,) * 5, reference=(2.0,) * 5, target=1.1, limit=2.0, note="its note")


def test_rows_that_were_not_measured_stay_as_they_were(tmp_path: Path) -> None:
    """And what was recorded is read again as it was."""
    file = tmp_path / "bench.json"
    record.write({"one": Measured([SLOW], ["this: why"]), "two": Measured([SLOW])}, WITH, file)
    faster = replace(SLOW, values=(2.0,) * 5)
    record.write({"two": Measured([faster])}, WITH | {"cores": 8}, file)
    rows = record.read(file)
    assert record.recorded(rows["one"]).figures[0].median == 1.5
    assert record.recorded(rows["two"]).figures[0].median == 1.0
    assert (rows["one"]["with"]["cores"], rows["two"]["with"]["cores"]) == (2, 8)
    assert record.recorded(rows["one"]).left_out == ["this: why"]


def test_the_page_says_what_is_missed_and_what_is_not_there(tmp_path: Path) -> None:
    """With the method, what was not measured and why, and a row that never was."""
    file = tmp_path / "bench.json"
    record.write({"one": Measured([SLOW], ["that tool: why"])}, WITH, file)
    page = record.markdown({"one": ("One", "Like this.", "No more."), "two": ("Two", "Like that.", "No less.")}, file)
    lines = page.splitlines()
    assert lines[0] == "### 1. One"
    assert "| a toy | 1.50 x | 1.50 x | 0 % | at most 1.10 x | missed |" in lines
    assert "- a toy: its note." in lines
    assert "- Not measured: that tool: why." in lines
    assert "*Method.* Like this." in lines
    assert lines[lines.index("### 2. Two") + 2] == "Not measured yet."
    assert lines[-1] == "*Limits.* No less."


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.0123, "s", "12.3 ms"), (2.5, "s", "2.5 s"), (1.234, "x", "1.23 x"), (851.2, "MB", "851 MB"), (None, "s", "-")],
)
def test_values_are_shown_for_people(value: float | None, unit: str, shown: str) -> None:
    """In three digits, and milliseconds below a second."""
    assert record.shown(value, unit) == shown


def test_a_target_says_on_which_side_of_it_a_figure_has_to_be() -> None:
    """Nothing is said of a figure that has none."""
    *_, target, verdict = record.cells(replace(SLOW, more=True))
    assert (target, verdict) == ("at least 1.10 x", "met")
    *_, target, verdict = record.cells(replace(SLOW, target=None))
    assert (target, verdict) == ("-", "-")


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Runs the command with a single row that measures this figure; its exit code."""
    monkeypatch.setattr(TheBrowser, "find", lambda: TheBrowser(Path("browser"), "1"))
    monkeypatch.setattr(record, "FILE", tmp_path / "bench.json")

    def run(figure: Figure, *args: str) -> int:
        monkeypatch.setitem(ROWS, "start", Row("Toy", "", "", lambda _: Measured([figure])))
        monkeypatch.setattr(sys, "argv", ["bench", "start", *args])
        return command.main()

    return run


def test_a_figure_that_does_not_hold_its_limit_fails_the_command(
    bench: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """One that only misses its target does not, nor one of which the noise says nothing."""
    assert bench(SLOW) == 0
    assert bench(replace(SLOW, limit=1.2)) == 1
    assert "a toy: 1.50 x does not hold its limit" in capsys.readouterr().out
    assert bench(replace(SLOW, limit=1.4, values=(2.0, 2.5, 3.0, 4.0, 5.0))) == 0


def test_what_was_only_tried_is_not_recorded(bench: Callable[..., int], tmp_path: Path) -> None:
    """Nor can it fail."""
    assert bench(replace(SLOW, limit=1.2, values=(9.0,), reference=(1.0,)), "--rounds", "1") == 0
    assert not (tmp_path / "bench.json").exists()
    assert bench(SLOW) == 0
    assert (tmp_path / "bench.json").exists()


def test_an_unknown_row_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    monkeypatch.setattr(sys, "argv", ["bench", "sart"])
    with pytest.raises(SystemExit):
        command.main()
    assert f"there is no row sart; there are: {', '.join(ROWS)}" in capsys.readouterr().err.replace("\n", " ")
