"""The review of a regeneration: `review.html` for the eyes, and `review.md`, a summary for a pull request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runner.darkroom import printed, printed_anew
from runner.difference import boxes_said
from runner.errors import LedgerFailed, SecretFound
from runner.gate import scan
from runner.interruptions import uninterrupted
from runner.ledger import from_here
from runner.pages import Embedded, write_page
from runner.unredacted import private_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from runner.darkroom import Prints
    from runner.difference import Region
    from runner.flow import Flow
    from runner.regenerate import Decision
    from runner.secrets import Secrets

AROUND = 6
"""Pixels of the image that an outline keeps away from what it marks."""

NAMED = 6
"""Regions that are told one by one; the others are outlined too."""

STATES = ("changed", "new", "unchanged")


@dataclass(frozen=True)
class Outline:
    """Where a region is outlined, in percent of its image.

    Attributes:
        x: From the left.
        y: From above.
        width: Across.
        height: Down.
        number: Which of the regions it is that are told one by one; 0 if it is none of them.
    """

    x: float
    y: float
    width: float
    height: float
    number: int


@dataclass(frozen=True)
class Picture:
    """One picture in the page: its address there, and its size in pixels."""

    src: str
    width: int
    height: int


@dataclass(frozen=True)
class Reviewed:
    """One image in the page.

    Attributes:
        number: Its place among all.
        decision: What becomes of it.
        title: What its step does.
        frame: Its address in the page, for the film strip.
        before: The picture that is there.
        after: The one that was taken; None where readers keep the one they have.
        outlines: What is marked.
    """

    number: int
    decision: Decision
    title: str
    frame: str
    before: Picture | None
    after: Picture | None
    outlines: Sequence[Outline]

    @property
    def regions(self) -> Sequence[Region]:
        """The regions that are told one by one."""
        return self.decision.regions[:NAMED]

    @property
    def more(self) -> int:
        """How many there are besides."""
        return len(self.decision.regions) - len(self.regions)

    @property
    def size(self) -> str:
        """How many bytes it has and had."""
        return bytes_said(self.decision)

    @property
    def pixels(self) -> str:
        """How many pixels it has and had."""
        sizes = [f"{each.width} × {each.height}" for each in (self.before, self.after) if each]  # noqa: RUF001 - as sizes are written
        return " → ".join(dict.fromkeys(sizes))

    @property
    def said(self) -> list[tuple[str, str]]:
        """What the page says otherwise: the sign and the line."""
        return [(line[:1], line[1:]) for line in self.decision.said]


def write_review(
    folder: Path, flow: Flow[Any], target: Path, decisions: Sequence[Decision], secrets: Secrets, *, check: bool
) -> list[Path]:
    """Write the review of a regeneration to a run's folder.

    Args:
        folder: The run's.
        flow: The flow that has taken the images.
        target: The folder that they lie below.
        decisions: What becomes of each.
        secrets: What must not be in the review.
        check: Nothing is replaced.

    Returns:
        `review.html` and `review.md`.

    Raises:
        SecretFound: One of them held a secret; it is deleted.
        LedgerFailed: They cannot be written.
    """
    page, summary = folder / "review.html", folder / "review.md"
    with private_files(), uninterrupted():
        try:
            _write_page(page, flow, target, decisions, secrets, check=check)
            text = summary_of(flow, target, decisions, check=check)
            summary.write_text(secrets.redact(text), encoding="utf-8")
        except OSError as error:
            raise LedgerFailed(str(folder), error.strerror or str(error)) from None
        finally:
            findings = scan(folder, secrets, "review.*")
            for path, _ in findings:
                path.unlink(missing_ok=True)
        if findings:
            raise SecretFound(findings)
    return [page, summary]


def counted(decisions: Sequence[Decision]) -> list[tuple[str, int]]:
    """The states that occur, and how many images have each."""
    numbers = [(state, sum(each.state == state for each in decisions)) for state in STATES]
    return [(state, number) for state, number in numbers if number]


def counted_said(decisions: Sequence[Decision]) -> str:
    """The same in words."""
    return ", ".join(f"{number} {state}" for state, number in counted(decisions)) or "no images"


def bytes_said(decision: Decision) -> str:
    """How many bytes an image has and had; one that readers keep is told as it is there."""
    before, after = decision.before, decision.after
    if before is None:
        return f"{len(after):,}"
    return f"{len(before):,}" if decision.state == "unchanged" else _change(len(before), len(after))


def total_said(decisions: Sequence[Decision]) -> str:
    """How many bytes all images have and had."""
    before = sum(len(each.before or b"") for each in decisions)
    after = sum(len(each.before if each.state == "unchanged" and each.before else each.after) for each in decisions)
    return f"{before:,}" if before == after else _change(before, after)


def _change(before: int, after: int) -> str:
    if not before:
        return f"0 → {after:,}"
    percent = 100 * (after - before) / before
    sign = "−" if percent < 0 else "+"  # noqa: RUF001 - as long as a plus
    return f"{before:,} → {after:,} ({sign}{abs(percent):.1f}%)"


# -- the page -----------------------------------------------------------------------------------------------------


def _write_page(
    path: Path, flow: Flow[Any], target: Path, decisions: Sequence[Decision], secrets: Secrets, *, check: bool
) -> None:
    embedded = Embedded()
    titles = {step.number: step.title for step in flow.order() if step.screenshots}
    images = [
        _reviewed(number, each, titles.get(each.step, ""), embedded)
        for number, each in enumerate(sorted(decisions, key=lambda each: STATES.index(each.state)), 1)
    ]
    write_page(
        path,
        "review.html",
        secrets=secrets,
        embedded=embedded,
        styles=("report.css", "review.css"),
        script="review.js",
        flow=flow,
        run=path.parent.name,
        target=str(from_here(target)),
        check=check,
        counts=counted(decisions),
        counted=counted_said(decisions),
        total=total_said(decisions),
        images=images,
        to_see=[each for each in images if each.decision.state != "unchanged"],
        unchanged=[each for each in images if each.decision.state == "unchanged"],
    )


def _reviewed(number: int, decision: Decision, title: str, embedded: Embedded) -> Reviewed:
    taken = decision.prints or printed(decision.after)
    there = decision.prints_before
    if there is None and decision.before is not None:
        there = printed_anew(decision.before)
    before, after, kept = None, None, taken
    if decision.state != "unchanged":
        before, after = _whole(there, embedded), _whole(taken, embedded)
    elif there:
        before, kept = Picture(embedded.add(there.page), there.width, there.height), there
    size = (kept.width, kept.height)
    outlines = [_outline(region, size, at) for at, region in enumerate(decision.regions, 1)]
    return Reviewed(number, decision, title, embedded.add(kept.frame), before, after, outlines)


def _whole(prints: Prints | None, embedded: Embedded) -> Picture | None:
    return Picture(embedded.add(prints.full), prints.width, prints.height) if prints else None


def _outline(region: Region, size: tuple[int, int], number: int) -> Outline:
    width, height = size
    left, top = max(region.left - AROUND, 0), max(region.top - AROUND, 0)
    right, bottom = min(region.right + AROUND, width), min(region.bottom + AROUND, height)
    x, y = 100 * left / width, 100 * top / height
    across, down = 100 * (right - left) / width, 100 * (bottom - top) / height
    return Outline(round(x, 3), round(y, 3), round(across, 3), round(down, 3), number if number <= NAMED else 0)


# -- the summary --------------------------------------------------------------------------------------------------


def summary_of(flow: Flow[Any], target: Path, decisions: Sequence[Decision], *, check: bool) -> str:
    """The review in Markdown, as GitHub reads it; it names no place on this machine.

    Args:
        flow: The flow that has taken the images.
        target: The folder that they lie below.
        decisions: What becomes of each.
        check: Nothing is replaced.
    """
    return "\n".join(_lines(flow, target, decisions, check=check)) + "\n"


def _lines(flow: Flow[Any], target: Path, decisions: Sequence[Decision], *, check: bool) -> Iterator[str]:
    yield f"### {_plain(flow.name)}, edition {_plain(flow.edition)}: {counted_said(decisions)}"
    yield ""
    place = from_here(target)
    where = code(place.name if place.is_absolute() else place.as_posix())
    happens = "only compared (`--check`), nothing is replaced" if check else "replaced, all or none"
    yield f"Below {where}; {happens}. Bytes of all images: {total_said(decisions)}."
    if to_see := [each for each in decisions if each.state != "unchanged"]:
        yield from ("", "| Image | Step | What has changed | Bytes |", "| --- | --: | --- | --: |")
    for each in to_see:
        yield f"| {cell(each.name)} | {each.step} | {_plain(_what(each))} | {bytes_said(each)} |"
    if any(each.said for each in decisions):
        yield from ("", "#### What the pages say otherwise")
    for each in decisions:
        if each.said:
            said = [f"{line[:1]} {line[1:]}" for line in each.said]
            fence = "`" * max(3, _longest_ticks("\n".join(said)) + 1)
            yield from ("", code(each.name), "", f"{fence}diff", *said, fence)
    if unchanged := [each for each in decisions if each.state == "unchanged"]:
        yield from ("", f"<details><summary>{len(unchanged)} unchanged</summary>", "")
        yield from (f"- {code(each.name)}: {_plain(each.rule)}" for each in unchanged)
        yield from ("", "</details>")


def _what(decision: Decision) -> str:
    where = f": {boxes_said(decision.regions)}" if decision.regions else ""
    return f"{decision.state}; {decision.rule}{where}"


def code(text: str) -> str:
    """A text as code: no character of it means anything else."""
    line = " ".join(text.split())
    ticks = "`" * (_longest_ticks(line) + 1)
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{room}{line}{room}{ticks}"


def cell(text: str) -> str:
    """The same in a table, where a bar would end the cell."""
    return code(text).replace("|", "\\|")


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _plain(text: str) -> str:
    """A text in which no character means anything to Markdown."""
    return re.sub(r"([\\`*_\[\]<>|&~#])", r"\\\1", " ".join(text.split()))
