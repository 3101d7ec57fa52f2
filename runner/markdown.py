"""Parses the Markdown of guides, with what documentation uses of MDX, and knows where in a file each word stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.rules_inline import emphasis, image

from runner.errors import NotAGuide, WrongUsage

if TYPE_CHECKING:
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token
    from markdown_it.utils import EnvType

_BRACES = r"\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\}"

COMPONENT = re.compile(
    # What stands in a comment is not there.
    r"\{/\*.*?\*/\}|<!--.*?-->|"
    # A component of MDX or an element of HTML; its attributes may go over several lines.
    r"<(?P<closes>/)?(?:(?P<name>[A-Za-z][\w.-]*)(?=[\s/>])|(?=>))"
    rf"(?P<attributes>(?:(?!\n[ \t]*\n)[^<>\"'{{}}/]|/(?!>)|\"[^\"]*\"|'[^']*'|{_BRACES})*+)(?P<alone>/)?>",
    re.DOTALL,
)
"""A comment or a tag."""

_MODULE = re.compile(r"import\s+([\"'{*]|[\w$]+\s*(,|\sfrom\b))|export\s+(const|let|var|function|default|async|\{)")

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*[\r\n](.*?[\r\n])?---[ \t]*([\r\n]|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A Markdown file as it was read."""

    path: Path
    text: str = field(repr=False)

    @classmethod
    def read(cls, path: Path, what: str) -> Source:
        """Read a file.

        Args:
            path: The file.
            what: What to name instead of a file that cannot be read, for the message.

        Raises:
            WrongUsage: It is not there.
            NotAGuide: It is not text.
        """
        try:
            return cls(path, path.read_bytes().decode())
        except OSError as error:
            raise WrongUsage(f"{path} cannot be read: {error.strerror}. Name {what}.") from None
        except UnicodeDecodeError:
            raise NotAGuide(f"{path} is not text in UTF-8. Name {what}.") from None

    @property
    def name(self) -> str:
        """What messages call it: its path from the folder where the command was given, if it is below that."""
        here = Path.cwd()
        path = self.path.absolute()
        return (path.relative_to(here) if path.is_relative_to(here) else self.path).as_posix()

    @property
    def front_matter(self) -> str:
        """What stands before the text, between two lines of dashes."""
        found = _FRONT_MATTER.match(self.text)
        return found[0] if found else ""

    def tokens(self) -> tuple[list[Token], EnvType]:
        """The tokens of its Markdown, and the references that it defines."""
        before = len(self.front_matter)
        env: EnvType = {}
        text = re.sub(r"[^\r\n]", " ", self.text[:before]) + self.text[before:]
        return _parser().parse(text.removeprefix("\ufeff"), env), env

    @cached_property
    def starts(self) -> list[int]:
        """Where each line begins; at last, where the text ends."""
        return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", self.text)), len(self.text)]

    def line_at(self, at: int) -> int:
        """Number of the line that a character is in."""
        return bisect_right(self.starts, at)

    def place_of(self, token: Token, position: int) -> int:
        """Where in the file a character of a token's content stands."""
        row = token.content.count("\n", 0, position)
        column = position - (token.content.rfind("\n", 0, position) + 1)
        said = token.content.split("\n")[row]
        start, end = self.starts[(token.map or [0])[0] + row :][:2]
        line = self.text[start:end]
        # Of a line its indentation and the marks of lists and quotations before it are gone, and blanks at its end.
        return start + line.rfind(said.strip()) + column - (len(said) - len(said.lstrip()))


@dataclass(frozen=True)
class Span:
    """A piece of a file."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Number of the line where it begins."""
        return self.source.line_at(self.start)

    @property
    def text(self) -> str:
        """The piece as it is written."""
        return self.source.text[self.start : self.end]


def attribute(tag: re.Match[str], name: str) -> tuple[str, int, int] | None:
    """A tag's attribute: its value, and where in the tag's text that begins and ends; None if there is none."""
    value = r"(?:\"([^\"]*)\"|'([^']*)'|\{\s*[\"'`]([^\"'`]*)[\"'`]\s*\}|([^\s\"'{}<>=`]+))"
    found = re.search(rf"(?<!\S){name}\s*=\s*{value}", tag["attributes"])
    if not found:
        return None
    group = found.lastindex or 0
    return found[group], tag.start("attributes") + found.start(group), tag.start("attributes") + found.end(group)


@cache
def _parser() -> MarkdownIt:
    """CommonMark without what MDX does not have: indented code, and HTML whose content is not Markdown."""
    parser = MarkdownIt("commonmark").disable(["code", "html_block", "html_inline"])
    ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote"]}
    parser.block.ruler.before("reference", "components", _components, ends)
    parser.block.ruler.before("components", "module", _module)
    parser.inline.ruler.before("html_inline", "component", _component)
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.inline.ruler.at("image", _image)
    return parser


def _components(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines with nothing but tags and comments; what stands between two of them is Markdown."""
    begins = state.bMarks[start] + state.tShift[start]
    at = begins
    while found := COMPONENT.match(state.src, at, state.eMarks[end - 1]):
        at = state.skipSpaces(found.end())
    line = next((line for line in range(start, end) if state.eMarks[line] == at), None)
    if at == begins or line is None:
        return False
    if not silent:
        token = state.push("inline", "", 0)
        token.content, token.map, token.children = state.src[begins:at], [start, line + 1], []
        state.line = line + 1
    return True


def _module(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """What MDX imports and exports: from the start of a line to the next empty one."""
    if silent or state.level or not _MODULE.match(state.src, state.bMarks[start]):
        return False
    state.line = next((line for line in range(start, end) if state.isEmpty(line)), end)
    return True


def _component(state: StateInline, silent: bool) -> bool:
    """A tag or a comment in a sentence."""
    found = COMPONENT.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("component", "", 0).meta["found"] = found
    state.pos = found.end()
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """markdown-it's own rule; each mark, which may turn out to begin or end bold words, is told where it stands."""
    start, before = state.pos, len(state.tokens)
    if not emphasis.tokenize(state, silent):
        return False
    for back, token in enumerate(reversed(state.tokens[before:])):
        token.meta["at"] = max(start, state.pos - 1 - back)
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """markdown-it's own rule; an image is told where it stands, and where its path does if that is written in it."""
    start = state.pos
    if not image(state, silent):
        return False
    if silent:
        return True
    token = state.tokens[-1]
    token.meta["at"] = (start, state.pos)
    label = state.md.helpers.parseLinkLabel(state, start + 1, False)
    if state.src[label + 1 : label + 2] == "(":
        opens = len(state.src) - len(state.src[label + 2 :].lstrip())
        path = state.md.helpers.parseLinkDestination(state.src, opens, state.posMax)
        if path.ok and state.md.normalizeLink(path.str) == token.attrs["src"]:
            bracketed = state.src[opens : opens + 1] == "<"
            token.meta["path"] = (path.str, opens + bracketed, path.pos - bracketed)
    return True
