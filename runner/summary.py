"""Shows the sites of a fleet: live on a terminal, in plain lines elsewhere, at the end as CSV and as a report."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from rich.live import Live
from rich.markup import escape
from rich.table import Table

from runner.evidence import time_of
from runner.pages import write_page
from runner.phase import latest
from runner.roster import SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from runner.ledger import Ledger, Record
    from runner.roster import Entry, Roster, State

HEADINGS = ("site", "state", "step", "since (UTC)", "run", "machine", "what there is to say")

AS_FAR: tuple[State, ...] = ("done", "failed", "asks", "running", "waiting", "queued")
"""All states, the farthest first."""

COLOURS = {"done": "green", "failed": "red", "asks": "yellow", "running": "cyan"}


@dataclass(frozen=True)
class SiteEvidence:
    """A site, and what its run has left.

    Attributes:
        entry: The site, as the roster knows it.
        link: Where its run's evidence is, seen from the summary; nothing when it is on another machine.
        began: When its run began (UTC); nothing if it has none yet.
        seconds: How long a process was at work on it.
    """

    entry: Entry
    link: str = ""
    began: str = ""
    seconds: float = 0


@dataclass(frozen=True)
class Group:
    """Sites that ended with the same sentence, but for addresses, names in quotes and numbers."""

    sentence: str
    sites: list[SiteEvidence]


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


def rows(entries: Sequence[Entry]) -> list[Sequence[str]]:
    """The sites as rows of texts, the first of them the columns' names."""
    return [HEADINGS, *map(_cells, entries)]


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


def write_summary(folder: Path, name: str, entries: Sequence[Entry], ledger: Ledger) -> list[SiteEvidence]:
    """Write `summary.csv` and `summary.html`, the report of a fleet.

    Args:
        folder: Where to.
        name: The fleet's name.
        entries: How its sites are.
        ledger: Knows the folders of their runs, and how long they took.

    Returns:
        What the report says of each site.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "summary.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows(entries))
    sites = [_site(folder, entry, ledger) for entry in entries]
    began = min((site.began for site in sites if site.began), default="")
    since = max((entry.since for entry in entries), default="")
    write_page(
        folder / "summary.html",
        "fleet.html",
        name=name,
        sites=sites,
        groups=grouped(sites),
        counted=counted(entries),
        counts=_counts(entries),
        bars=_bars(entries),
        elapsed=_between(began, since),
    )
    return sites


def grouped(sites: Sequence[SiteEvidence]) -> list[Group]:
    """What went wrong, the most frequent first."""
    groups: dict[str, Group] = {}
    for site in sites:
        if site.entry.state in ("failed", "asks"):
            sentence = site.entry.sentence.partition("; go on with: ")[0] or "It says nothing about it."
            alike = f"{site.entry.state} {_OWN.sub('…', sentence.replace(site.entry.site, '…'))}"
            groups.setdefault(alike, Group(sentence, [])).sites.append(site)
    return sorted(groups.values(), key=lambda group: -len(group.sites))


_OWN = re.compile(r'https?://\S+|"[^"]*"|\d+')
"""What differs between two sites with the same trouble."""


def _counts(entries: Sequence[Entry]) -> list[tuple[str, int]]:
    """How many sites are in each state that there is, as far as they are."""
    numbers = Counter(entry.state for entry in entries)
    return [(state, numbers[state]) for state in AS_FAR if numbers[state]]


def _bars(entries: Sequence[Entry]) -> list[dict[str, object]]:
    """Where a bar shows how many sites are in each state, in percent of its width."""
    bars: list[dict[str, object]] = []
    x = 0.0
    for state, number in _counts(entries):
        width = 100 * number / len(entries)
        bars.append({"state": state if state in ("done", "failed", "asks") else "other", "x": x, "width": width})
        x += width
    return bars


def _between(began: str, ended: str) -> float:
    """Seconds from one time to another, if both are known."""
    if not (began and ended):
        return 0.0
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds()


def _site(folder: Path, entry: Entry, ledger: Ledger) -> SiteEvidence:
    record = latest(ledger, entry.subject)
    if record is None or record.id != entry.run:
        return SiteEvidence(entry)
    seconds = sum(part.seconds for part in time_of(ledger.entries(record.id)) if part.kind != "away")
    return SiteEvidence(entry, _link(folder, record), record.started, seconds)


def _cells(entry: Entry) -> list[str]:
    step = "" if entry.step is None else str(entry.step)
    since = entry.since[:19].replace("T", " ")
    return [entry.site, entry.state, step, since, entry.run, entry.machine, entry.sentence]


def _link(folder: Path, record: Record) -> str:
    """Where the run's report is, or else its other evidence; nothing when it is on another machine."""
    if not record.folder.is_dir():
        return ""
    report = record.folder / "report.html"
    shown = report if report.is_file() else record.folder
    return quote(Path(os.path.relpath(shown, folder.absolute())).as_posix())
