"""Shows the sites of a fleet: live on a terminal, in plain lines elsewhere, and at the end as CSV and HTML."""

from __future__ import annotations

import csv
import html
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from runner.phase import latest
from runner.roster import SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from runner.ledger import Ledger
    from runner.roster import Entry, Roster

HEADINGS = ("site", "state", "step", "since (UTC)", "run", "machine", "what there is to say")

COLOURS = {"done": "green", "failed": "red", "asks": "yellow", "running": "cyan"}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; background: #fff; }}
table {{ border-collapse: collapse; }}
caption {{ text-align: left; padding-bottom: .5rem; }}
th, td {{ border-bottom: 1px solid #bbb; padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top; }}
.done {{ color: #0a5c2b; }} .failed, .asks {{ color: #a1160a; font-weight: bold; }}
</style>
<h1>{title}</h1>
<table>
<caption>{caption}</caption>
<thead><tr>{headings}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</html>
"""


def with_steps(ledger: Ledger, entries: Sequence[Entry]) -> list[Entry]:
    """The sites, with the step in which a run is that goes on just now."""
    found = {entry.subject: latest(ledger, entry.subject) for entry in entries if entry.state == "running"}
    return [
        replace(entry, run=record.id, step=record.step) if (record := found.get(entry.subject)) else entry
        for entry in entries
    ]


def counted(entries: Sequence[Entry]) -> str:
    """How many sites are in which state."""
    numbers = Counter(entry.state for entry in entries)
    return ", ".join(f"{number} {state}" for state, number in sorted(numbers.items())) or "no sites"


def lost(roster: Roster, entries: Sequence[Entry]) -> list[str]:
    """A sentence for each machine that has become silent in the middle of one of these sites."""
    silent = roster.machines()
    at_work = sorted({entry.machine for entry in entries if entry.state == "running"})
    return [
        f"machine {name} gives no sign of life; if it is lost: guiderunner fleet recover --machine {name}"
        for name in at_work
        if silent.get(name, 0.0) > SILENT
    ]


def table(entries: Sequence[Entry]) -> Table:
    """The sites as a table."""
    shown = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        shown.add_column(heading, overflow="fold")
    for entry in entries:
        cells = [escape(cell) for cell in _cells(entry)]
        colour = COLOURS.get(entry.state)
        cells[1] = f"[{colour}]{cells[1]}[/]" if colour else cells[1]
        shown.add_row(*cells)
    return shown


def lines(entries: Sequence[Entry]) -> list[str]:
    """The sites in plain columns, one line each."""
    rows = [list(HEADINGS), *(_cells(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


class Board:
    """Shows the sites while they are worked on.

    Args:
        console: Where to.
        ledger: Knows the step of each run.
        roster: Knows the machines.
    """

    def __init__(self, console: Console, ledger: Ledger, roster: Roster) -> None:
        self._console = console
        self._ledger = ledger
        self._roster = roster
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._said: dict[str, str] = {}

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, entries: Sequence[Entry]) -> None:
        """Show how far the sites are; elsewhere than on a terminal, only what has changed."""
        entries = with_steps(self._ledger, entries)
        warnings = lost(self._roster, entries)
        if self._live:
            self._live.update(self._fitting(entries, warnings), refresh=True)
            return
        lines = {entry.subject: self._line(entry) for entry in entries} | {warning: warning for warning in warnings}
        for key, line in lines.items():
            if self._said.get(key) != line:
                self._console.print(escape(line))
        self._said = lines

    def _fitting(self, entries: Sequence[Entry], warnings: Sequence[str]) -> RenderableType:
        """What fits on the terminal: those that are at work, or in trouble, before those that wait, and are done."""
        order = ["running", "failed", "asks", "waiting", "queued", "done"]
        room = max(self._console.height - len(warnings) - 4, 1)
        first = sorted(entries, key=lambda entry: order.index(entry.state))[:room]
        shown = table(first)
        more = f"; {len(entries) - room} of them not shown" if len(entries) > room else ""
        shown.caption = escape("\n".join([f"{counted(entries)}{more}", *warnings]))
        shown.caption_justify = "left"
        return shown

    @staticmethod
    def _line(entry: Entry) -> str:
        step = f", step {entry.step}" if entry.step is not None else ""
        said = f": {entry.sentence}" if entry.sentence else ""
        return f"{entry.site}: {entry.state}{step}{f' ({entry.run})' if entry.run else ''}{said}"


def write_summary(folder: Path, name: str, entries: Sequence[Entry], ledger: Ledger) -> None:
    """Write `summary.csv` and `summary.html`.

    Args:
        folder: Where to.
        name: The fleet's name.
        entries: How its sites have ended.
        ledger: Knows the folders of their runs.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "summary.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(_cells(entry) for entry in entries)
    rows = "\n".join(_row(entry, _link(folder, entry, ledger)) for entry in entries)
    headings = "".join(f'<th scope="col">{html.escape(heading)}</th>' for heading in HEADINGS)
    page = PAGE.format(
        title=html.escape(f"Fleet {name}"), caption=html.escape(counted(entries)), headings=headings, rows=rows
    )
    (folder / "summary.html").write_text(page, encoding="utf-8")


def _cells(entry: Entry) -> list[str]:
    step = "" if entry.step is None else str(entry.step)
    since = entry.since[:19].replace("T", " ")
    return [entry.site, entry.state, step, since, entry.run, entry.machine, entry.sentence]


def _row(entry: Entry, link: str) -> str:
    site, state, step, since, run, *others = (html.escape(cell) for cell in _cells(entry))
    if link:
        run = f'<a href="{html.escape(link)}">{run}</a>'
    cells = "".join(f"<td>{cell}</td>" for cell in (step, since, run, *others))
    return f'<tr><th scope="row">{site}</th><td class="{state}">{state}</td>{cells}</tr>'


def _link(folder: Path, entry: Entry, ledger: Ledger) -> str:
    """Where the run's evidence is, seen from the summary; nothing when it is on another machine."""
    record = latest(ledger, entry.subject)
    if record is None or record.id != entry.run or not record.folder.is_dir():
        return ""
    return Path(os.path.relpath(record.folder, folder.absolute())).as_posix()
