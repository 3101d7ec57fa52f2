"""Reads a guide (steps, bold words, images, line numbers) and compares it with a flow, without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

from runner.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from markdown_it.token import Token

    from runner.flow import Flow


@dataclass
class Words:
    """Bold words or an image's path, with the line of the guide where it stands."""

    text: str
    line: int


@dataclass
class GuideStep:
    """One numbered item of the guide."""

    number: int
    line: int
    says: list[Words] = field(default_factory=list)
    images: list[Words] = field(default_factory=list)


def read_guide(path: Path) -> list[GuideStep]:
    """The steps of a guide: the items of its longest numbered list.

    Args:
        path: The Markdown file; its front matter and its components (`<Accordion>`, `<Alert>`) are passed over.

    Raises:
        WrongUsage: The file is not there, is not text, or has no numbered list.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}. Name the guide's Markdown file.") from None
    except UnicodeDecodeError:
        raise WrongUsage(f"{path} is not text in UTF-8. Name the guide's Markdown file.") from None
    lists = list(_numbered_lists(MarkdownIt().parse(_without_front_matter(text)), text.splitlines()))
    if not lists:
        raise WrongUsage(f"{path} has no numbered steps. Name a guide: a Markdown page with a numbered list.")
    return max(lists, key=len)


def _without_front_matter(text: str) -> str:
    """The text with the lines of its front matter emptied, so that line numbers stay true."""
    found = re.match(r"---\r?\n.*?\n---\r?\n", text, re.DOTALL)
    return "\n" * found[0].count("\n") + text[found.end() :] if found else text


def _numbered_lists(tokens: list[Token], source: list[str]) -> Iterator[list[GuideStep]]:
    """Each top-level numbered list; a list inside an item belongs to that item's step."""
    depth = 0
    steps: list[GuideStep] = []
    for token in tokens:
        if token.type.endswith("_list_open"):
            depth += 1
        elif token.type.endswith("_list_close"):
            depth -= 1
            if depth == 0 and token.type == "ordered_list_close":
                yield steps
            if depth == 0:
                steps = []
        elif token.type == "list_item_open" and depth == 1 and token.map:
            steps.append(GuideStep(len(steps) + 1, token.map[0] + 1))
        elif token.type == "inline" and depth and steps and token.map:
            _read_inline(token, steps[-1], source)


def _read_inline(token: Token, step: GuideStep, source: list[str]) -> None:
    first, last = token.map or (0, 0)
    bold: list[str] | None = None
    for child in token.children or []:
        if child.type == "strong_open":
            bold = []
        elif child.type == "strong_close" and bold is not None:
            words = "".join(bold)
            step.says.append(Words(words, _line_of(words, source, first, last)))
            bold = None
        elif bold is not None:
            bold.append(child.content or " ")
        elif child.type == "image":
            src = str(child.attrs["src"])
            step.images.append(Words(image_path(src), _line_of(src, source, first, last)))


def _line_of(text: str, source: list[str], first: int, last: int) -> int:
    return next((number for number in range(first, last) if text in source[number]), first) + 1


def image_path(src: str) -> str:
    """An image's path below the image folder: guides name it relative to themselves (`../../../images/…`)."""
    return re.sub(r"^(?:\.{0,2}/)*(?:source/)?(?:images/)?", "", src)


def compare(path: Path, flow: Flow[Any]) -> list[str]:
    """One line for each difference between guide and flow, with the guide's line and step; none if they agree."""
    guide = read_guide(path)
    differences = [
        f"{path.name}:{there.line} step {there.number}: the flow ends at step {len(flow.steps)}"
        for there in guide[len(flow.steps) :]
    ]
    for step in flow.steps[len(guide) :]:
        end = guide[-1].line
        differences.append(
            f"{path.name}:{end} step {step.number}: the flow goes on with {step.words}, the guide has ended"
        )
    for there, step in zip(guide, flow.steps, strict=False):
        for what, in_guide, in_flow in (
            ("says", there.says, step.says),
            ("shows", there.images, step.images),
        ):
            differences += _differences(f"{path.name}:%d step {there.number}", there.line, what, in_guide, in_flow)
    return differences


def _differences(place: str, line: int, what: str, in_guide: Sequence[Words], in_flow: Sequence[str]) -> Iterator[str]:
    known, there = list(in_flow), {words.text for words in in_guide}
    if what == "says":
        # A bold word may be repeated in prose; what counts is each once, in the order of its first mention.
        in_guide = [words for n, words in enumerate(in_guide) if words.text not in {w.text for w in in_guide[:n]}]
    for words in in_guide:
        if words.text not in known:
            yield f'{place % words.line} {what} "{words.text}", the flow does not'
    for text in known:
        if text not in there:
            yield f'{place % line} does not {what.rstrip("s")} "{text}", the flow does'
    both = [words for words in in_guide if words.text in known]
    if [words.text for words in both] != [text for text in known if text in there]:
        order = ", ".join(f'"{words.text}"' for words in both)
        yield f"{place % line} {what} {order} in another order than the flow"
