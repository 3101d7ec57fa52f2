"""What a visitor reads on a page, and where two such texts differ; and the addresses that a sitemap lists.

Python's own HTML parser reads both: it takes broken pages, and sitemaps that are no XML (there are many), as they are.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from html.parser import HTMLParser
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIKE = 0.98
"""Two texts are the same when at least this share of their letters is, and no passage differs."""

PASSAGE = 50
"""Letters in a row from which on a passage makes a difference however long the page is: about ten words."""

THOROUGH = 10_000_000
"""Product of two texts' words above which words that stand everywhere no longer guide the comparison (difflib's
autojunk): it would take seconds for each page."""

EXCERPT = 90
"""Characters of a differing passage that are shown."""

VARIES = "\0"
"""Stands in a text for a passage that changes with each visit."""

_UNSEEN = {"script", "style", "noscript", "template", "svg", "iframe", "object", "title"}

_E_MAIL = re.compile(r"\[email\s*protected\]|[^\s@<>()]+@[\w-]+(?:\.[\w-]+)+")

_AGO = re.compile(r"\b(?:\d+|an?|a few) (?:sec|second|min|minute|hour|day|week|month|year)s? ago\b", re.IGNORECASE)


@dataclass(frozen=True)
class PageText:
    """What a visitor reads on a page.

    Attributes:
        title: The page's title.
        words: The words of its body, without menus.
    """

    title: str = ""
    words: tuple[str, ...] = ()


def read_page(markup: str, addresses: Iterable[str]) -> PageText:
    """Read a page as its visitor does.

    Args:
        markup: The page's HTML.
        addresses: Addresses of the sites that are compared, old and new: one word stands for all of them, and another
            for each e-mail address (some proxies conceal those).
    """
    reader = _Reader({"nav"})
    reader.read(markup)
    if reader.unseen == "nav":  # a menu without an end would hide the rest of the page
        reader = _Reader(set())
        reader.read(markup)
    sites = [_written(address) for address in addresses]
    title, text = (_levelled("".join(parts), sites) for parts in (reader.title, reader.text))
    return PageText(" ".join(title), tuple(text))


def difference(old: Sequence[str], new: Sequence[str]) -> tuple[str, str] | None:
    """Where two texts differ: the first differing words of each; None if they are the same.

    Numbers alone make no difference: clocks, counters and sums to solve differ from visit to visit. Nor does what
    stands where either text has `VARIES`.
    """
    changes = [(size, change) for change in _changes(old, new) if (size := _size(*change))]
    if not changes:
        return None
    size, (before, after) = max(changes, key=lambda one: one[0])
    everything = max(_letters(old), _letters(new))
    if size < PASSAGE and sum(size for size, _ in changes) <= (1 - ALIKE) * everything:
        return None
    return _excerpt(before), _excerpt(after)


def settled(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    """A text that was read twice, with `VARIES` for each passage that was not the same both times."""
    words: list[str] = []
    at = 0
    for one in SequenceMatcher(None, first, second, autojunk=_long(first, second)).get_matching_blocks():
        if one.a > at or (one.size == 0 and at < len(first)):
            words.append(VARIES)
        words += first[one.a : one.a + one.size]
        at = one.a + one.size
    return tuple(words)


def listed(sitemap: str) -> tuple[list[str], list[str]]:
    """The addresses that a sitemap lists (sitemaps.org): of pages, and of further sitemaps.

    Args:
        sitemap: Its XML; anything else lists nothing.
    """
    reader = _Sitemap()
    reader.read(re.sub(r"<!\[CDATA\[(.*?)\]\]>", lambda found: html.escape(found[1]), sitemap, flags=re.DOTALL))
    return reader.pages, reader.sitemaps


class _Tolerant(HTMLParser):
    """Reads what any browser reads."""

    def read(self, markup: str) -> None:
        """Read a whole document."""
        # Of marked sections, as word processors leave them, the parser refuses some; to browsers all are comments.
        self.feed(markup.replace("<![", "<! ["))
        self.close()


class _Reader(_Tolerant):
    """Collects a page's title and the text that is seen; `unseen` names the element whose end never came."""

    def __init__(self, also_unseen: set[str]) -> None:
        super().__init__()
        self.title: list[str] = []
        self.text: list[str] = []
        self.unseen = ""
        self._depth = 0
        self._hide = _UNSEEN | also_unseen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own
        if self.unseen:
            self._depth += tag == self.unseen
        elif tag in self._hide:
            self.unseen, self._depth = tag, 1
        elif tag == "body":
            self.text.clear()
        self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.unseen:
            self._depth -= 1
            if self._depth == 0:
                self.unseen = ""
        self.text.append(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own
        """An element without content, as `<br/>`, hides nothing."""
        self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.text.append(data)
        elif self.unseen == "title":
            self.title.append(data)


class _Sitemap(_Tolerant):
    """Collects the addresses directly inside `url` and `sitemap`; those of a page's images have another parent."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []
        self.sitemaps: list[str] = []
        self._open: list[str] = []
        self._said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's own
        self._open.append(tag)
        self._said = ""

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open.pop() != tag:
            pass
        name, parent = (one.rpartition(":")[2] for one in (tag, self._open[-1] if self._open else ""))
        if name == "loc" and self._said.strip():
            {"url": self.pages, "sitemap": self.sitemaps}.get(parent, []).append(self._said.strip())

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content, as an alternative's `<xhtml:link/>`, opens nothing."""

    def handle_data(self, data: str) -> None:
        self._said += data


def _written(address: str) -> re.Pattern[str]:
    """How a text names a site: with or without scheme and www."""
    bare = address.partition("://")[2].rstrip("/").removeprefix("www.")
    return re.compile(rf"(?<![\w.-])(?:https?://|//)?(?:www\.)?{re.escape(bare)}(?![\w-])(?!\.\w)", re.IGNORECASE)


def _levelled(text: str, sites: Iterable[re.Pattern[str]]) -> list[str]:
    """The words of a text, with one word for what is expected to differ."""
    text = _AGO.sub("AGO", _E_MAIL.sub("E-MAIL", " ".join(text.replace(VARIES, " ").split())))
    for site in sites:
        text = site.sub("SITE", text)
    return text.split()


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    """The passages in which two texts differ."""
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(None, old, new, autojunk=_long(old, new))
    return [(old[a:b], new[c:d]) for kind, a, b, c, d in matcher.get_opcodes() if kind != "equal"]


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """With how many words both begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _long(old: Sequence[str], new: Sequence[str]) -> bool:
    return len(old) * len(new) > THOROUGH


def _size(old: Sequence[str], new: Sequence[str]) -> int:
    """Letters that a change is worth; none if it is a few numbers, or takes the place of what varies anyway."""
    if not any(sign.isalpha() for word in (*old, *new) for sign in word) and max(map(_letters, (old, new))) < PASSAGE:
        return 0
    varying = [words for words in (old, new) if VARIES in words]
    return max(map(_letters, varying or (old, new)))


def _letters(words: Sequence[str]) -> int:
    return sum(len(word) for word in words if word != VARIES)


def _excerpt(words: Sequence[str]) -> str:
    text = " ".join("…" if word == VARIES else word for word in words)
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rstrip()}…"
