"""Compares a guide with the flow that performs it: differences, as lines, JSON or annotations, and a patch."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from runner.guide import Image, pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from runner.errors import Failure
    from runner.flow import Flow, Step
    from runner.guide import Guide, GuideStep, Words
    from runner.markdown import Source, Span

Kind = Literal["step", "says", "shows", "order", "image", "alt", "page", "list"]
"""What differs: a step, bold words, an image's path, an order, an image's file, its alt text, a page's control, or what
was not compared: a list."""

Severity = Literal["difference", "advice"]


@dataclass(frozen=True)
class Edit:
    """What stands instead of a piece of a file in a guide that is true."""

    span: Span
    text: str


@dataclass(frozen=True)
class Difference:
    """One way in which a guide and its flow, its images or a page differ.

    Attributes:
        span: Where in the guide, or in a file that it includes.
        step: The guide's number of the step; 0 for a list that was not compared.
        kind: What differs.
        words: How, in words that follow "step 5"; of a list, all that is said.
        says: What the guide has.
        instead: What there is instead.
        severity: Whether it makes the guide untrue.
        edits: What makes it true again; nothing where only a person can do that.
    """

    span: Span
    step: int
    kind: Kind
    words: str
    says: str = ""
    instead: str = ""
    severity: Severity = "difference"
    edits: tuple[Edit, ...] = ()

    @property
    def file(self) -> str:
        """Where it is: the file as messages name it."""
        return self.span.source.name

    @property
    def said(self) -> str:
        """The difference, without its place."""
        return f"step {self.step}{self.words}" if self.step else self.words

    def __str__(self) -> str:
        return f"{self.file}:{self.span.line} {self.said}"

    def as_json(self) -> dict[str, str | int]:
        """All of it as plain values."""
        return {
            "file": self.file,
            "line": self.span.line,
            "step": self.step,
            "kind": self.kind,
            "severity": self.severity,
            "sentence": str(self),
            "says": self.says,
            "instead": self.instead,
        }

    def as_annotation(self) -> str:
        """A command of GitHub's workflows that shows it at its line."""
        place = {"file": self.file, "line": str(self.span.line), "title": "Guide and flow differ"}
        if self.severity == "advice":
            place["title"] = "Advice for the guide"
        properties = ",".join(f"{name}={_escaped_property(value)}" for name, value in place.items())
        level = "error" if self.severity == "difference" else "notice"
        return f"::{level} {properties}::{_escaped_data(self.said)}"


def _escaped_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped_data(text).replace(":", "%3A").replace(",", "%2C")


# -- comparing ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """A guide, the flow that performs it, and in what they differ.

    Attributes:
        guide: The guide.
        flow: The flow.
        images_root: See `compare`.
        strict: Advice counts as a difference.
        on_page: What a page has shown beside.
    """

    guide: Guide
    flow: Flow[Any]
    images_root: Path | None = None
    strict: bool = False
    on_page: tuple[Difference, ...] = ()

    @cached_property
    def findings(self) -> list[Difference]:
        """All differences and advice; what a page has shown comes before what the flow says of the same words."""
        shown = {(one.step, one.says) for one in self.on_page}
        found = [one for one in self._compared(self.guide) if one.kind != "says" or (one.step, one.says) not in shown]
        return sorted([*self.on_page, *found], key=lambda one: one.step)

    @property
    def differences(self) -> list[Difference]:
        """What counts."""
        return [one for one in self.findings if one.severity == "difference"]

    def left_by_patch(self) -> list[Difference]:
        """The differences that the patch does not take away."""
        texts = {source.path: text for source, text in patched(self.differences).items()}
        # What the page says the flow does not say yet.
        on_page = {(one.step, one.instead if one.edits else one.says) for one in self.on_page}
        again = [one for one in self._compared(self.guide.with_texts(texts)) if one.severity == "difference"]
        left = [one for one in again if (one.step, one.says) not in on_page]
        return [*left, *(one for one in self.on_page if not one.edits)]

    def _compared(self, guide: Guide) -> list[Difference]:
        found = compare(guide, self.flow, images_root=self.images_root)
        return [replace(one, severity="difference") for one in found] if self.strict else found


def compare(guide: Guide, flow: Flow[Any], *, images_root: Path | None = None) -> list[Difference]:
    """Each difference between a guide and its flow, in the guide's order; none if they agree.

    Args:
        guide: The guide.
        flow: The flow.
        images_root: The image folder; the guide's images must exist, there or beside the guide.
    """
    steps = guide.steps_for(flow)
    pairs = _aligned(steps, flow.steps)
    differences = list(_steps_that_differ(pairs, len(flow.steps)))
    for there, step in pairs:
        if there and step:
            differences += _differ(there, "says", there.says, step.says)
            differences += _differ(there, "shows", there.images, step.images)
    images = [(step, image) for step in steps for image in step.images]
    if images_root:
        differences += _missing_images(guide, images, images_root)
    differences += _alt_texts(images)
    for other in guide.others_like(flow):
        words = f"another list of {len(other)} steps looks like this flow and was not compared"
        differences.append(Difference(other[0].span, 0, "list", words, severity="advice"))
    return sorted(differences, key=lambda one: one.step)


def _likeness(there: GuideStep, step: Step[Any]) -> float:
    """How much of two steps is the same, from 0 to 1."""
    in_guide, in_flow = pieces(there), pieces(step)
    return 2 * len(in_guide & in_flow) / (len(in_guide) + len(in_flow)) if in_guide or in_flow else 1.0


def _aligned(steps: Sequence[GuideStep], known: Sequence[Step[Any]]) -> list[tuple[GuideStep | None, Step[Any] | None]]:
    """The steps of guide and flow beside each other, in their order, with gaps where that makes more of them alike."""
    gap = -0.1
    best = [[0.0] * (len(known) + 1) for _ in range(len(steps) + 1)]
    for row in reversed(range(len(steps) + 1)):
        for column in reversed(range(len(known) + 1)):
            ways = []
            if row < len(steps) and column < len(known):
                ways.append(best[row + 1][column + 1] + _likeness(steps[row], known[column]))
            if row < len(steps):
                ways.append(best[row + 1][column] + gap)
            if column < len(known):
                ways.append(best[row][column + 1] + gap)
            best[row][column] = max(ways, default=0.0)
    pairs: list[tuple[GuideStep | None, Step[Any] | None]] = []
    row = column = 0
    while row < len(steps) or column < len(known):
        both = row < len(steps) and column < len(known)
        if both and best[row][column] == best[row + 1][column + 1] + _likeness(steps[row], known[column]):
            pairs.append((steps[row], known[column]))
            row, column = row + 1, column + 1
        elif row < len(steps) and best[row][column] == best[row + 1][column] + gap:
            pairs.append((steps[row], None))
            row += 1
        else:
            pairs.append((None, known[column]))
            column += 1
    return pairs


def _steps_that_differ(pairs: Sequence[tuple[GuideStep | None, Step[Any] | None]], last: int) -> Iterator[Difference]:
    """A difference for each step that only one of the two has, or that stands elsewhere."""
    surplus = [there for there, step in pairs if there and not step]
    lacking = [step for there, step in pairs if step and not there]
    for there in surplus:
        moved = next((step for step in lacking if pieces(step) and _likeness(there, step) >= SAME_STEP), None)
        if moved:
            lacking.remove(moved)
            yield Difference(there.span, there.number, "order", f" is step {moved.number} of the flow")
        elif all(not step for _, step in pairs[pairs.index((there, None)) :]):
            yield Difference(there.span, there.number, "step", f": the flow ends at step {last}")
        else:
            yield Difference(there.span, there.number, "step", ": the flow has no such step")
    for step in lacking:
        after = next((there for there, _ in pairs[pairs.index((None, step)) :] if there), None)
        if after:
            words = f": before it the flow has a step {step.words}, the guide has not"
            yield Difference(after.span, after.number, "step", words, instead=step.words)
        else:
            end = next(there for there, _ in reversed(pairs) if there)
            words = f": the flow goes on with {step.words}, the guide has ended"
            yield Difference(end.span, step.number, "step", words, instead=step.words)


SAME_STEP = 0.5
"""How alike a step of the guide and one of the flow must be to be the same at another place."""


def _differ(there: GuideStep, kind: Kind, in_guide: Sequence[Words], in_flow: Sequence[str]) -> Iterator[Difference]:
    """What two steps say or show otherwise."""
    # Words may be repeated in prose; what counts is each once, in the order of its first mention.
    first = {words.text: words for words in reversed(in_guide)}
    texts = list(dict.fromkeys(words.text for words in in_guide))
    instead = _counterparts(texts, in_flow)
    does = kind.rstrip("s")
    for text in texts:
        if text in in_flow:
            continue
        span = first[text].span
        if text in instead:
            words = f' {kind} "{text}", the flow {kind} "{instead[text]}"'
            edits = [edit for words in in_guide if words.text == text for edit in _rewritten(words, instead[text])]
            yield Difference(span, there.number, kind, words, text, instead[text], edits=tuple(edits))
        else:
            yield Difference(span, there.number, kind, f' {kind} "{text}", the flow does not', says=text)
    for text in dict.fromkeys(in_flow):
        if text not in texts and text not in instead.values():
            yield Difference(there.span, there.number, kind, f' does not {does} "{text}", the flow does', instead=text)
    both = {text: instead.get(text, text) for text in texts if instead.get(text, text) in in_flow}
    if list(both.values()) != [text for text in dict.fromkeys(in_flow) if text in both.values()]:
        order = ", ".join(f'"{text}"' for text in both)
        yield Difference(
            first[next(iter(both))].span, there.number, "order", f" {kind} {order} in another order than the flow"
        )


def _counterparts(in_guide: Sequence[str], in_flow: Sequence[str]) -> dict[str, str]:
    """The words that only the guide has, each with those of the flow that stand for it; of more the most alike."""
    some = [text for text in in_guide if text not in in_flow]
    others = [text for text in dict.fromkeys(in_flow) if text not in in_guide]
    fewer = min(len(some), len(others))
    if len(some) == len(others) or math.comb(max(len(some), len(others)), fewer) > MOST_PAIRINGS:
        return dict(zip(some, others, strict=False))
    pairings = (
        dict(zip(left, right, strict=True))
        for left in combinations(some, fewer)
        for right in combinations(others, fewer)
    )
    return max(pairings, key=lambda pairing: sum(_alike(*pair) for pair in pairing.items()))


MOST_PAIRINGS = 1000
"""Ways to pair words of guide and flow that are tried; with more of them they are paired as they come."""


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one.casefold(), other.casefold()).ratio()


def _missing_images(guide: Guide, images: Iterable[tuple[GuideStep, Image]], images_root: Path) -> Iterator[Difference]:
    for step, image in images:
        url = urlsplit(image.src)
        if url.scheme or url.netloc:
            continue
        path = unquote(url.path)
        places = [image.file.parent / path, guide.path.parent / path, images_root / unquote(urlsplit(image.text).path)]
        if not any(place.is_file() for place in places):
            words = f' shows "{image.src}", which is neither beside the guide nor in {images_root}'
            yield Difference(image.span, step.number, "image", words, says=image.src)


def _alt_texts(images: Iterable[tuple[GuideStep, Image]]) -> Iterator[Difference]:
    seen: dict[str, Image] = {}
    for step, image in images:
        if not image.alt:
            words = f' shows "{image.text}" without an alt text'
            yield Difference(image.span, step.number, "alt", words, severity="advice")
            continue
        before = seen.setdefault(image.alt, image)
        if before.text != image.text:
            place = f"line {before.line}"
            if before.file != image.file:
                place = f"{before.span.source.name}:{before.line}"
            words = f' has another image with the alt text "{image.alt}" of {place}'
            yield Difference(image.span, step.number, "alt", words, says=image.alt, severity="advice")


# -- comparing with a page ----------------------------------------------------------------------------------------

PRESSED = ("button", "link", "menuitem", "tab")
"""Roles of the controls that a reader presses."""

NEAREST = 0.4
"""How alike a control's name must be to a missing one's to be named as what the guide may mean."""


def differences_on_page(guide: Guide, flow: Flow[Any], failure: Failure) -> list[Difference]:
    """What a step that failed says of the guide: its words for a control that the page does not have.

    Args:
        guide: The guide.
        flow: The flow.
        failure: What is known of the failed step.

    Returns:
        Nothing if the step did not fail because of the guide's words.
    """
    looked_for = [failure.looked_for, *re.findall(r'"([^"]+)"', failure.looked_for)]
    # A step ends with waiting for what a later one begins with.
    for there, step in _aligned(guide.steps_for(flow), flow.steps):
        if there and step and step.number >= failure.step:
            texts = list(dict.fromkeys(words.text for words in there.says))
            in_guide = {text: text for text in texts} | {y: x for x, y in _counterparts(texts, step.says).items()}
            missing = next((text for text in looked_for if text in in_guide), None)
            if missing:
                return [_on_page(there, in_guide[missing], missing, failure.controls)]
    return []


def _on_page(there: GuideStep, text: str, missing: str, said: Sequence[str]) -> Difference:
    """What the page has instead of what the guide says, and the flow did not find."""
    controls = [found.groups() for one in said if (found := re.fullmatch(r'(\w+) "(.*)"', one, re.DOTALL))]
    mentions = [words for words in there.says if words.text == text]
    near = [pair for pair in controls if _alike(text, pair[1]) >= NEAREST]
    if not near:
        words = f' says "{text}", the page has no such control; it has: {", ".join(said) or "none"}'
        return Difference(mentions[0].span, there.number, "page", words, says=text)
    role, name = max(near, key=lambda pair: (pair[0] in PRESSED, _alike(text, pair[1])))
    if name == text:
        words = f' says "{text}" as the page does, the flow looks for "{missing}"'
        return Difference(mentions[0].span, there.number, "page", words, text, name)
    edits = [edit for mention in mentions for edit in _rewritten(mention, name)]
    words = f' says "{text}", the page has the {role} "{name}"'
    return Difference(mentions[0].span, there.number, "page", words, text, name, edits=tuple(edits))


# -- the patch ----------------------------------------------------------------------------------------------------


def _rewritten(words: Words, text: str) -> list[Edit]:
    """What makes bold words, or an image's path, another text; nothing where that would break what is around it."""
    if isinstance(words, Image):
        before = re.split(r"[?#]", words.src)[0].removesuffix(words.text)
        after = re.search(r"(?<!&)[?#].*", words.path.text)  # as it is written: with &amp; in HTML
        return [Edit(words.path, before + text + (after[0] if after else ""))]
    written = words.span.text
    escaped = re.sub(r"([\\`*\[\]<{&]|(?<!\w)_|_(?!\w))", r"\\\1", text)
    found = re.search(rf"{re.escape(words.text)}(?![^<>]*>)", written)
    if not found:
        # Escaped, or over several lines; a link or code around a part of it must not be lost.
        return [] if re.search(r"[\[`<]", written) else [Edit(words.span, escaped)]
    span = replace(words.span, start=words.span.start + found.start(), end=words.span.start + found.end())
    if "`" not in written:
        return [Edit(span, escaped)]
    return [] if "`" in text else [Edit(span, text)]


def patched(differences: Iterable[Difference]) -> dict[Source, str]:
    """The files in which something is rewritten, each with its text when that is done."""
    files: dict[Source, list[Edit]] = {}
    for edit in (edit for one in differences for edit in one.edits):
        edits = files.setdefault(edit.span.source, [])
        # What several guides include is rewritten once.
        if all(edit.span.end <= other.span.start or edit.span.start >= other.span.end for other in edits):
            edits.append(edit)
    texts = {}
    for source, edits in files.items():
        text = source.text
        for edit in sorted(edits, key=lambda one: one.span.start, reverse=True):
            text = text[: edit.span.start] + edit.text + text[edit.span.end :]
        texts[source] = text
    return texts


def unified_diff(texts: Mapping[Source, str]) -> str:
    """A patch, as `git apply` and `patch -p1` read it.

    Args:
        texts: Files, each with its text afterwards.
    """
    lines: list[str] = []
    for source, after in texts.items():
        # A tab ends a name with blanks in it, as git writes it.
        header = source.name.lstrip("/") + ("\t" if " " in source.name else "")
        old, new = (re.findall(r"[^\n]*\n|[^\n]+", text) for text in (source.text, after))
        lines += (
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in difflib.unified_diff(old, new, f"a/{header}", f"b/{header}")
        )
    return "".join(lines)
