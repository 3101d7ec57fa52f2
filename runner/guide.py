"""Reads a guide (steps, bold words, images, and where each stands) and finds the flow that performs it."""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.errors import NotAGuide, WrongUsage
from runner.markdown import Source, Span, attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from markdown_it.token import Token
    from markdown_it.utils import EnvType

    from runner.flow import Flow, Step

_NO_PARTS = frozenset(
    ("a", "br", "code", "col", "em", "hr", "i", "input", "kbd", "li", "p", "small", "source", "span", "sub", "sup", "u")
)
"""Elements of HTML that are no part of a page by themselves: within a sentence, or without an end."""

_PARTIALS = "partials"
"""Name of the folder that guides include from."""


class Placed:
    """What stands somewhere in a guide."""

    span: Span

    @property
    def file(self) -> Path:
        """The file where it stands: the guide's, or that of a partial that it includes."""
        return self.span.source.path

    @property
    def line(self) -> int:
        """The line of that file where it begins."""
        return self.span.line


@dataclass(frozen=True)
class Words(Placed):
    """Bold words.

    Attributes:
        text: The words as a reader sees them.
        span: Where they stand.
    """

    text: str
    span: Span


@dataclass(frozen=True)
class Image(Words):
    """An image; its text is its path below the image folder.

    Attributes:
        src: Its path as it is written.
        alt: What stands for it where it is not seen.
        path: Where its path is written; elsewhere than the image if it is named by a reference.
    """

    src: str
    alt: str
    path: Span


@dataclass(frozen=True)
class GuideStep(Placed):
    """One numbered item of the guide."""

    number: int
    span: Span
    says: tuple[Words, ...] = ()
    images: tuple[Image, ...] = ()


@dataclass
class _List:
    """A numbered list that is not in another.

    Attributes:
        level: The components that it stands in.
        goes_on: It is certain that it goes on with the list before it.
        items: Where each item begins, and how many words and images stand before it.
        end: How many words and images there are up to its end.
    """

    level: tuple[int, ...]
    goes_on: bool
    items: list[tuple[Span, int]] = field(default_factory=list)
    end: int = 0


@dataclass(frozen=True)
class Guide:
    """A guide as it is written.

    Attributes:
        source: Its file.
        flow: Name of the flow that performs it, if its front matter says so (`guiderunner: NAME`).
        found: All bold words and images, in their order.
        lists: Its numbered lists; each one that other text has broken is a sequence of parts.
        partials: Folder of what it includes, if it was given.
    """

    source: Source
    flow: str | None
    found: tuple[Words, ...]
    lists: tuple[tuple[_List, ...], ...]
    partials: Path | None

    @property
    def path(self) -> Path:
        """Its file."""
        return self.source.path

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.source.name

    def with_texts(self, texts: Mapping[Path, str]) -> Guide:
        """The guide if some of its files held something else."""
        return read_guide(self.path, partials=self.partials, texts=texts)

    @property
    def steps(self) -> list[GuideStep]:
        """The items of its longest numbered list."""
        return max(map(self._steps, self.lists), key=len)

    def steps_for(self, flow: Flow[Any]) -> list[GuideStep]:
        """The items of the numbered list that fits a flow best."""
        return self._steps([part for one in self._lists_for(flow) for part in one])

    def others_like(self, flow: Flow[Any]) -> list[list[GuideStep]]:
        """The items of each other list that has some of a flow's bold words and images, and fits no edition wholly."""
        best = self._lists_for(flow)
        others = [self._steps(one) for one in self.lists if one not in best]
        return [
            steps
            for steps in others
            if _shared(steps, flow) >= LIKE_A_FLOW and all(fit(steps, one) < 1 for one in flow.editions)
        ]

    def _lists_for(self, flow: Flow[Any]) -> list[tuple[_List, ...]]:
        """The numbered list that fits a flow best.

        Prose between two lists may have ended the first, or be a step's that was not indented: the flow decides.
        """
        levels: dict[tuple[int, ...], list[tuple[_List, ...]]] = {}
        for one in self.lists:
            levels.setdefault(one[0].level, []).append(one)
        candidates = [
            lists[first:last]
            for lists in levels.values()
            for first in range(len(lists))
            for last in range(first + 1, len(lists) + 1)
        ]
        return max(candidates, key=lambda some: _fits(self._steps([part for one in some for part in one]), flow))

    def _steps(self, parts: Sequence[_List]) -> list[GuideStep]:
        items = [*(item for part in parts for item in part.items), (None, parts[-1].end)]
        steps = []
        for number, ((span, first), (_, last)) in enumerate(pairwise(items), 1):
            found = self.found[first:last]
            says = tuple(words for words in found if not isinstance(words, Image))
            images = tuple(words for words in found if isinstance(words, Image))
            if span:
                steps.append(GuideStep(number, span, says, images))
        return steps


def read_guide(path: Path, *, partials: Path | None = None, texts: Mapping[Path, str] | None = None) -> Guide:
    """Read a guide, with what it includes.

    Args:
        path: The Markdown file.
        partials: Folder with the files that it includes by `<Partial file="…" />`; by default the nearest folder named
            partials that has the file, from the guide's own folder upward.
        texts: What some of the files hold, instead of what is read from them.

    Raises:
        NotAGuide: The file is not text, or has no numbered list.
        WrongUsage: The file, or one that it includes, is not there.
    """
    reader = _Reader(path, partials, texts or {})
    source = reader.open(path, "the guide's Markdown file")
    reader.read(source)
    if not reader.lists:
        raise NotAGuide(f"{path} has no numbered steps. Name a guide: a Markdown page with a numbered list.")
    lists: list[tuple[_List, ...]] = []
    for one in reader.lists:
        before = next((n for n in reversed(range(len(lists))) if lists[n][0].level == one.level), None)
        if one.goes_on and before is not None:
            lists[before] = (*lists[before], one)
        else:
            lists.append((one,))
    return Guide(source, _flow_named_in(source), tuple(reader.found), tuple(lists), partials)


def _flow_named_in(source: Source) -> str | None:
    found = re.search(r"[\r\n]guiderunner:[ \t]*[\"']?([\w-]+)[\"']?[ \t]*[\r\n]", source.front_matter)
    return found[1] if found else None


class _Reader:
    """Walks through a guide and what it includes, and notes its lists, bold words and images."""

    def __init__(self, guide: Path, partials: Path | None, texts: Mapping[Path, str]) -> None:
        self.guide = guide
        self.partials = partials
        self.texts = texts
        self.found: list[Words] = []
        self.lists: list[_List] = []
        self._depth = 0
        self._opened = 0
        self._within: list[tuple[int, str]] = []
        """The components and quotations that are open, each with a number of its own."""
        self._numbered = False
        self._prose: dict[tuple[int, ...], bool] = {}
        """For the level of each list that has ended: whether a sentence that is not indented has followed it there."""
        self._including: list[Path] = []

    @property
    def _level(self) -> tuple[int, ...]:
        return tuple(number for number, _ in self._within)

    def open(self, path: Path, what: str) -> Source:
        """The file, or what stands instead of it."""
        return Source(path, self.texts[path]) if path in self.texts else Source.read(path, what)

    def read(self, source: Source) -> None:
        """Note what is in a file."""
        tokens, env = source.tokens()
        self._including.append(source.path.resolve())
        for token in tokens:
            if token.type.endswith("_list_open"):
                self._list_opens(token)
            elif token.type.endswith("_list_close"):
                self._list_closes(token)
            elif token.type == "list_item_open" and self._depth == 1 and self._numbered and token.map:
                start = source.starts[token.map[0]]
                self.lists[-1].items.append((Span(source, start, start), len(self.found)))
            elif token.type == "blockquote_open":
                self._opens(">")
            elif token.type == "blockquote_close":
                self._closes(">")
            elif token.type == "inline":
                self._inline(token, source, env)
        self._including.pop()

    def _list_opens(self, token: Token) -> None:
        self._depth += 1
        if self._depth > 1:
            return
        self._numbered = token.type == "ordered_list_open"
        if self._numbered:
            level = self._level
            # A number after the first goes on with what was there; and so does a 1 that nothing but a component, an
            # image or code separates from it.
            goes_on = level in self._prose and (int(token.attrs.get("start", 1)) > 1 or not self._prose[level])
            self.lists.append(_List(level, goes_on))

    def _list_closes(self, token: Token) -> None:
        self._depth -= 1
        if self._depth == 0 and token.type == "ordered_list_close":
            self.lists[-1].end = len(self.found)
            self._prose[self._level] = False

    def _opens(self, name: str) -> None:
        self._opened += 1
        self._within.append((self._opened, name))

    def _closes(self, name: str) -> None:
        names = [opened for _, opened in self._within]
        if name in names:
            del self._within[len(names) - 1 - names[::-1].index(name) :]

    def _inline(self, token: Token, source: Source, env: EnvType) -> None:
        inline = _Inline(token, source, env)
        bold = _Bold()
        for child in token.children or []:
            tag: re.Match[str] | None = child.meta.get("found")
            if child.type == "strong_open":
                bold.opens(child.meta["at"] + 1)
            elif child.type == "strong_close":
                self.found += bold.closes(child.meta["at"], inline)
            elif child.type == "image":
                self.found.append(inline.image(child))
            elif tag:
                self._tag(tag, inline, bold)
            elif child.content or child.type.endswith("break"):
                bold.said += child.content or " "
                if not self._depth and child.content.strip() and not inline.is_indented:
                    self._prose[self._level] = True

    def _tag(self, tag: re.Match[str], inline: _Inline, bold: _Bold) -> None:
        """Note what a tag means; a comment is passed over."""
        name = tag["name"]
        if name in ("strong", "b"):
            if tag["closes"]:
                self.found += bold.closes(tag.start(), inline)
            else:
                bold.opens(tag.end())
        elif name == "img":
            self.found += inline.element(tag)
        elif name == "br":
            bold.said += " "
        elif name == "Partial" and not tag["closes"]:
            self._include(tag, inline.span(tag.start(), tag.end()))
        elif tag["closes"]:
            self._closes(name)
        elif tag["attributes"] is not None and not tag["alone"] and name not in _NO_PARTS:
            self._opens(name)

    def _include(self, tag: re.Match[str], at: Span) -> None:
        """Read what a `<Partial file="…" />` stands for."""
        place = f"{at.source.name}:{at.line}"
        named = attribute(tag, "file")
        if not named:
            raise WrongUsage(f'{place} has a <Partial> without a file. Write <Partial file="…" />.')
        written = Path(os.path.normpath(named[0]))
        if written.is_absolute() or written.parts[:1] == ("..",):
            raise WrongUsage(
                f'{place} includes "{named[0]}", which leads out of the folder of the partials. Name a file in it.'
            )
        upward = [folder / _PARTIALS for folder in self.guide.absolute().parents]
        within = [self.partials] if self.partials else upward
        path = next((folder / named[0] for folder in within if (folder / named[0]).is_file()), None)
        if path is None:
            where = f"the folder {self.partials}" if self.partials else f"a folder {_PARTIALS} from the guide upward"
            raise WrongUsage(
                f'{place} includes "{named[0]}", which is not in {where}. Name the folder with --partials.'
            )
        if path.resolve() in self._including:
            raise WrongUsage(f'{place} includes "{named[0]}", which is being included already. Break the circle there.')
        opened = list(self._within)
        self.read(self.open(path, "a folder with the guide's partials"))
        self._within = opened


class _Bold:
    """The bold words that are being read; bold in bold is the same."""

    def __init__(self) -> None:
        self.said = ""
        self._depth = 0
        self._begins = 0

    def opens(self, position: int) -> None:
        """Bold words begin."""
        if not self._depth:
            self.said, self._begins = "", position
        self._depth += 1

    def closes(self, position: int, inline: _Inline) -> Iterator[Words]:
        """Bold words end."""
        if self._depth == 1 and self.said.split():
            yield Words(" ".join(self.said.split()), inline.span(self._begins, position))
        self._depth = max(0, self._depth - 1)


@dataclass(frozen=True)
class _Inline:
    """Sentences of a file."""

    token: Token
    source: Source
    env: EnvType

    @property
    def is_indented(self) -> bool:
        """Whether they are meant to be part of an item, though they may not be indented far enough for that."""
        start = self.source.starts[(self.token.map or [0])[0]]
        return self.source.text[start : start + 1] in (" ", "\t")

    def span(self, start: int, end: int) -> Span:
        """Where a piece of them stands in the file."""
        return Span(self.source, self.source.place_of(self.token, start), self.source.place_of(self.token, end))

    def image(self, child: Token) -> Image:
        """An image of Markdown."""
        at = self.span(*child.meta["at"])
        alt = "".join(part.content or " " for part in child.children or [])
        if "path" in child.meta:
            src, start, end = child.meta["path"]
            path = self.span(start, end)
        else:
            path = self._defined(str(child.attrs["src"])) or at
            src = path.text
        return Image(image_path(src), at, src, " ".join(alt.split()), path)

    def _defined(self, src: str) -> Span | None:
        """Where a reference's path is written."""
        line = next(one["map"][0] for one in self.env["references"].values() if one["href"] == src)
        found = re.compile(r"\]:\s*<?([^\s>]+)").search(self.source.text, self.source.starts[line])
        return Span(self.source, found.start(1), found.end(1)) if found else None

    def element(self, tag: re.Match[str]) -> Iterator[Image]:
        """An `<img>`; none if its path is not written there."""
        if src := attribute(tag, "src"):
            alt = attribute(tag, "alt")
            said = " ".join(html.unescape(alt[0]).split()) if alt else ""
            path = html.unescape(src[0])
            yield Image(image_path(path), self.span(tag.start(), tag.end()), path, said, self.span(src[1], src[2]))


def image_path(src: str) -> str:
    """An image's path below the image folder: guides name it relative to themselves (`../../../images/…`).

    What follows the path is no part of it: a version (`?v=2`), or for whom it is shown (`#gh-dark-mode-only`).
    """
    return re.sub(r"^(?:\.{0,2}/)*(?:source/)?(?:images/)?|[?#].*", "", src)


# -- which flow performs it ---------------------------------------------------------------------------------------

LIKE_A_GUIDE = 0.5
"""How well a file's steps must fit a flow to be taken for its guide where a whole tree is searched."""

LIKE_A_FLOW = 2
"""So many bold words and images of a flow's make another numbered list look like it."""

_MARKDOWN = (".md", ".mdx", ".markdown")


def pieces(step: GuideStep | Step[Any]) -> set[tuple[str, str]]:
    """What a step says and shows."""
    says = {("says", words if isinstance(words, str) else words.text) for words in step.says}
    return says | {("shows", image if isinstance(image, str) else image.text) for image in step.images}


def fit(steps: Sequence[GuideStep], flow: Flow[Any]) -> float:
    """How much of a guide's steps and of a flow's is the same bold words and images: from 0 to 1 (all of both)."""
    total = sum(len(pieces(step)) for some in (steps, flow.steps) for step in some)
    return 2 * _shared(steps, flow) / max(1, total)


def _shared(steps: Sequence[GuideStep], flow: Flow[Any]) -> int:
    """How many bold words and images a guide's steps and a flow's have in common."""
    there, known = (Counter(piece for step in some for piece in pieces(step)) for some in (steps, flow.steps))
    return (there & known).total()


def _fits(steps: Sequence[GuideStep], flow: Flow[Any]) -> tuple[float, int, int]:
    """What the better fit has more of: the same pieces, as many steps, and if nothing fits simply more steps."""
    return fit(steps, flow), -abs(len(steps) - len(flow.steps)), len(steps)


def closest(guide: Guide, flows: Sequence[Flow[Any]]) -> Flow[Any]:
    """The flow that has most of the guide's bold words and images, even if that is none of them."""
    return max(flows, key=lambda flow: _fits(guide.steps_for(flow), flow))


def best_fit(guide: Guide, flows: Sequence[Flow[Any]]) -> Flow[Any]:
    """The flow that has most of the guide's bold words and images.

    Args:
        guide: The guide.
        flows: Those that may perform it.

    Raises:
        WrongUsage: None of them has any.
    """
    best = closest(guide, flows)
    if not fit(guide.steps_for(best), best):
        names = ", ".join(dict.fromkeys(flow.name for flow in flows))
        raise WrongUsage(
            f"{guide.name} fits no flow: none of its bold words and images is one of {names}. "
            "Name the flow that performs it with --flow."
        )
    return best


def flow_of(guide: Guide, flows: Sequence[Flow[Any]]) -> Flow[Any]:
    """The flow that performs a guide: the one that its front matter names, else the one that fits best.

    Raises:
        WrongUsage: There is none.
    """
    if guide.flow:
        named = [flow for flow in flows if flow.name == guide.flow]
        if not named:
            names = ", ".join(dict.fromkeys(flow.name for flow in flows))
            raise WrongUsage(f'{guide.name}: its front matter names the flow "{guide.flow}"; there is: {names}')
        flows = named
    return best_fit(guide, flows) if len(flows) > 1 or not guide.flow else flows[0]


def guides_in(
    folder: Path,
    flows: Sequence[Flow[Any]],
    *,
    named: str | None = None,
    partials: Path | None = None,
    passed_over: Callable[[str], None],
) -> list[tuple[Guide, Flow[Any]]]:
    """The guides in a tree, each with its flow: files whose front matter names one, or whose steps fit one well.

    Args:
        folder: The tree; what begins with a dot, and `node_modules`, is left out.
        flows: Those that may perform them.
        named: Name of the flow whose guides are wanted; None for those of all.
        partials: See `read_guide`.
        passed_over: Told of each other file that cannot be read because of what it includes.

    Raises:
        WrongUsage: There is none, or what says that it is one cannot be read.
    """
    guides = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") or part == "node_modules" for part in path.relative_to(folder).parts)
        if hidden or path.suffix.lower() not in _MARKDOWN or not path.is_file():
            continue
        try:
            guide = read_guide(path, partials=partials)
        except NotAGuide:
            continue
        except WrongUsage as error:
            if _flow_named_in(Source.read(path, "another folder")):
                raise
            passed_over(str(error))
            continue
        flow = flow_of(guide, flows) if guide.flow else closest(guide, flows)
        if named in (None, flow.name) and (guide.flow or fit(guide.steps_for(flow), flow) >= LIKE_A_GUIDE):
            guides.append((guide, flow))
    if not guides:
        names = named or ", ".join(dict.fromkeys(flow.name for flow in flows))
        raise WrongUsage(
            f"{folder} has no guide of {names}: no Markdown file in it has the steps of one. "
            'Name the guide\'s file, or write "guiderunner: NAME" into its front matter.'
        )
    return guides
