"""The report of a run, `report.html`: every step with its pictures, what it met, and where the time went."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runner.darkroom import Darkroom
from runner.evidence import KINDS, read_entries
from runner.ledger import from_here
from runner.pages import Embedded, write_page
from runner.timing import performed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.evidence import Part, RunEvidence, StepEvidence
    from runner.flow import Flow
    from runner.ledger import Record
    from runner.secrets import Secrets
    from runner.timing import Usual

LONGEST_AWAY = 0.08
"""How much of the time at work one part is drawn at most in which nobody was at work: it may have been days."""

THINNEST = 0.3
"""Percent of the timeline that a part is drawn wide at least."""

GO_ON = {
    "waiting": "{name} waits for what goes on outside. To look again:",
    "stopped": "The steps that were asked for are done. To go on with the others:",
    "interrupted": "It was interrupted in {name}. To go on:",
}
"""What there is to say about a run that can be taken up, by its state."""


@dataclass(frozen=True)
class Picture:
    """One picture in a report; without addresses if its file cannot be shown.

    Attributes:
        name: Its file, below the run's screenshots.
        alt: What it shows, for those who do not see it.
        frame: Its address in the page, for the film strip.
        page: The same, for the place beside the words.
        full: The same, in its full size.
        width: Pixels of the full size.
        height: The same.
        missing: Why it cannot be shown.
    """

    name: str
    alt: str
    frame: str = ""
    page: str = ""
    full: str = ""
    width: int = 0
    height: int = 0
    missing: str = ""


@dataclass(frozen=True)
class File:
    """A file of the run that a report links to.

    Attributes:
        path: Where it is.
        href: Its address, seen from the report.
        size: Its size in bytes.
    """

    path: Path
    href: str
    size: int

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.name

    @property
    def command(self) -> str:
        """What opens it, if it is a trace."""
        return f"playwright show-trace {shlex.quote(str(self.path))}"


@dataclass(frozen=True)
class Bar:
    """A part of the time, and where the timeline shows it, in percent of its width."""

    part: Part
    x: float
    width: float


def write_report(
    flow: Flow[Any],
    record: Record,
    entries: Sequence[dict[str, Any]],
    *,
    state: str = "",
    secrets: Secrets | None = None,
    usual: Mapping[int, Usual] | None = None,
    darkroom: Darkroom | None = None,
) -> Path:
    """Write a run's `report.html` to its folder.

    Args:
        flow: The flow that it performs.
        record: The run; `folder` is where its files are. If it is `given up`, nothing says how to go on with it.
        entries: What it has recorded.
        state: What it is doing, or how it ended; nothing for what its entries say.
        secrets: What must not be in the report; entries of the ledger are redacted already.
        usual: How long the act of each step usually takes, by its number, where that is known.
        darkroom: Where the prints of its pictures were begun; by default they are made now.

    Returns:
        The file.
    """
    run, folder, embedded = read_entries(flow, entries, state), from_here(record.folder), Embedded()
    failed, darkroom = run.failed, darkroom or Darkroom()
    pictures = {one.step.number: _pictures(one, folder, embedded, darkroom) for one in run.steps}
    searched = _searched(failed, folder, embedded, darkroom) if failed else None
    frames = {number: [picture.frame for picture in taken if picture.frame] for number, taken in pictures.items()}
    if failed and searched and searched.frame:
        frames[failed.step.number].append(searched.frame)
    longest = LONGEST_AWAY * run.seconds
    path = folder / "report.html"
    write_page(
        path,
        "report.html",
        secrets=secrets,
        embedded=embedded,
        flow=flow,
        record=record,
        run=run,
        done=sum(one.is_done for one in run.steps if not one.beside),
        go_on=_go_on(run, record),
        failed=failed,
        searched=searched,
        tabs=_tabs(folder, embedded, darkroom) if run.checks else [],
        pictures=pictures,
        frames={number: shown[-1] if shown else "" for number, shown in frames.items()},
        bars=_bars(run.parts, longest),
        legend=_legend(run.parts),
        usual=usual or {},
        against_usual=_against(usual or {}, entries),
        cut=any(part.kind == "away" and part.seconds > longest for part in run.parts),
        facts=_facts(entries),
        traces=_files(folder, "trace*.zip"),
        videos=_files(folder, "videos/*.webm"),
        files=[file for name in ("result.json", "ledger.jsonl", "*.aria.yaml") for file in _files(folder, name)],
    )
    return path


def _go_on(run: RunEvidence, record: Record) -> str:
    """What there is to say about going on, unless a failure says it."""
    if record.state == "given up" or run.failed or run.state not in GO_ON:
        return ""
    return GO_ON[run.state].format(name=run.at_step.step.name if run.at_step else "its beginning")


def _against(usual: Mapping[int, Usual], entries: Sequence[dict[str, Any]]) -> dict[int, str]:
    """Which steps were slower or faster than usual."""
    worked = {number: one.worked for number, one in performed(entries).items() if one.worked is not None}
    sides = {number: usual[number].side(seconds) for number, seconds in worked.items() if number in usual}
    return {number: {1: "slower", -1: "faster"}[side] for number, side in sides.items() if side}


def _facts(entries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """What the run knew in the end."""
    known: list[dict[str, str]] = [entry["facts"] for entry in entries if "facts" in entry]
    return known[-1] if known else {}


def _files(folder: Path, pattern: str) -> list[File]:
    found = sorted(folder.glob(pattern), key=lambda path: (len(path.name), path.name))  # trace-10 after trace-2
    return [File(path, quote(path.relative_to(folder).as_posix()), path.stat().st_size) for path in found]


# -- pictures -----------------------------------------------------------------------------------------------------


def _pictures(one: StepEvidence, folder: Path, embedded: Embedded, darkroom: Darkroom) -> list[Picture]:
    number = f", {{}} of {len(one.screenshots)}" if len(one.screenshots) > 1 else ""
    return [
        _picture(
            folder,
            name,
            f"Screenshot of {one.step.name.lower()}{number.format(index)}: {one.label}",
            embedded,
            darkroom,
        )
        for index, name in enumerate(one.screenshots, 1)
    ]


def _searched(failed: StepEvidence, folder: Path, embedded: Embedded, darkroom: Darkroom) -> Picture | None:
    """The page on which a step failed."""
    path = (failed.failure or {}).get("screenshot")
    alt = f"What the page showed when {failed.step.name.lower()} did not go on"
    return _picture(folder, Path(path).name, alt, embedded, darkroom) if path else None


def _tabs(folder: Path, embedded: Embedded, darkroom: Darkroom) -> list[Picture]:
    """What the tabs showed when a test had failed."""
    names = sorted(path.name for path in (folder / "screenshots").glob("test-failed-*.png"))
    return [
        _picture(folder, name, f"What tab {number} showed when the test had failed", embedded, darkroom)
        for number, name in enumerate(names, 1)
    ]


def _picture(folder: Path, name: str, alt: str, embedded: Embedded, darkroom: Darkroom) -> Picture:
    try:
        prints = darkroom.prints(folder / "screenshots" / name)
    except FileNotFoundError:
        return Picture(name, alt, missing="is not in the run's folder any more.")
    except OSError as error:
        return Picture(name, alt, missing=f"cannot be shown: {error}.")
    return Picture(
        name,
        alt,
        frame=embedded.add(prints.frame),
        page=embedded.add(prints.page),
        full=embedded.add(prints.full),
        width=prints.width,
        height=prints.height,
    )


# -- timeline -----------------------------------------------------------------------------------------------------


def _bars(parts: Sequence[Part], longest: float) -> list[Bar]:
    """Where each part is drawn: in proportion, but not for longer than this where nobody was at work."""
    drawn = [min(part.seconds, longest) if part.kind == "away" else part.seconds for part in parts]
    scale = 100 / (sum(drawn) or 1)
    bars, x = [], 0.0
    for part, length in zip(parts, drawn, strict=True):
        bars.append(Bar(part, round(min(x, 100 - THINNEST), 3), round(max(length * scale, THINNEST), 3)))
        x += length * scale
    return bars


def _legend(parts: Sequence[Part]) -> list[tuple[str, str, float]]:
    """The kinds that occur, what they are called, and how long they took together."""
    together = {kind: sum(part.seconds for part in parts if part.kind == kind) for kind in KINDS}
    return [(kind, KINDS[kind], seconds) for kind, seconds in together.items() if seconds]
