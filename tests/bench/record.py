"""What was measured, in `bench.json`; and its table, for a terminal and for the documentation."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tests.bench.measure import Figure, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.processes import TheBrowser

FILE = Path(__file__).with_name("bench.json")

COLUMNS = ("figure", "median", "best", "spread", "target", "verdict")


def machine(browser: TheBrowser) -> dict[str, Any]:
    """What it was measured with; nothing that names this machine."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "guiderunner": metadata.version("guiderunner"),
        "python": platform.python_version(),
        "playwright": metadata.version("playwright"),
        "browser": f"Chromium {browser.version}",
        "cores": os.cpu_count(),
    }


def read(file: Path) -> dict[str, Any]:
    """All rows that were ever recorded, by their names."""
    rows: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return rows


def write(measured: Mapping[str, Measured], about: Mapping[str, Any], file: Path) -> None:
    """Record rows; those that were not measured now stay as they were."""
    rows = read(file)
    for name, row in measured.items():
        rows[name] = {
            "with": dict(about),
            "figures": [figure.as_json() for figure in row.figures],
            "left_out": row.left_out,
        }
    file.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def recorded(row: Mapping[str, Any]) -> Measured:
    """A row as it was recorded."""
    return Measured([Figure(**each) for each in row["figures"]], row["left_out"])


def shown(value: float | None, unit: str) -> str:
    """A value for a person."""
    if value is None:
        return "-"
    if unit == "s" and value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{value:.3g} {unit}" if unit != "x" else f"{value:.2f} x"


def cells(figure: Figure) -> tuple[str, ...]:
    """A figure's row of the table."""
    bound = "at least " if figure.more else "at most "
    return (
        figure.name,
        shown(figure.median, figure.unit),
        shown(figure.best, figure.unit),
        f"{100 * figure.spread:.0f} %",
        bound + shown(figure.target, figure.unit) if figure.target is not None else "-",
        figure.verdict if figure.target is not None else "-",
    )


def table(title: str, row: Measured) -> Table:
    """A row for a terminal."""
    drawn = Table(*COLUMNS, title=title, title_justify="left")
    for figure in row.figures:
        drawn.add_row(*cells(figure))
    return drawn


def markdown(titles: Mapping[str, tuple[str, str, str]], file: Path) -> str:
    """All that was recorded, as the documentation has it.

    Args:
        titles: Title, method and limits of each row, by its name.
        file: The record.
    """
    rows, lines = read(file), []
    for number, (name, (title, method, limits)) in enumerate(titles.items(), 1):
        lines += ["", f"### {number}. {title}", ""]
        if name not in rows:
            lines += ["Not measured yet.", ""]
        else:
            row, about = recorded(rows[name]), rows[name]["with"]
            lines += ["| " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * (len(COLUMNS) - 2) + " --- |"]
            lines += ["| " + " | ".join(cells(figure)) + " |" for figure in row.figures]
            notes = [f"{figure.name}: {figure.note}." for figure in row.figures if figure.note]
            notes += [f"Not measured: {why}." for why in row.left_out]
            lines += ["", *(f"- {note}" for note in notes), *([""] if notes else [])]
            versions = (
                f"guiderunner {about['guiderunner']}, Python {about['python']}, Playwright {about['playwright']}, "
                f"{about['browser']}, {about['cores']} cores"
            )
            lines += [f"Measured on {about['date']} with {versions}.", ""]
        lines += [f"*Method.* {method}", "", f"*Limits.* {limits}"]
    return "\n".join(lines).strip() + "\n"
