"""Compares the new site with the old one, as their visitors see both: pages, counts, and the sessions plugin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from flows.wordpress_migration.page_text import VARIES, difference, settled
from flows.wordpress_migration.visitor import CannotAsk, Look, NoAnswer, Site, Visitor, path_within, place
from runner.errors import GuiderunnerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

__all__ = ["Difference", "Site", "Verification", "render", "verify"]

AT_ONCE = 4
"""Requests that each site gets at once: the old one still serves its visitors."""

MOST_PAGES = 2_000
"""Pages that are compared if nothing else is said."""

KINDS = ("posts", "pages", "media", "comments")
"""What is counted."""

SESSIONS = "wp-native-php-sessions"
"""The plugin that the migration installs on the new site, says the guide."""

SHOWN = 100
"""Differences that a person is shown; `as_json` has all."""

NAMED = 3
"""Pages that are named of those that share a reason."""

SAY_EVERY = 50
"""Pages after which it is said how many have been compared."""


@dataclass(frozen=True)
class Difference:
    """One thing in which the sites differ.

    Attributes:
        what: What differs: status, redirect, title, text, a count, …
        where: The page's path, or what was counted.
        old: What the old site has.
        new: What the new site has.
    """

    what: str
    where: str
    old: str
    new: str


@dataclass
class Verification:
    """What a comparison found.

    Attributes:
        old: Address of the old site.
        new: Address of the new one.
        pages: How many pages were compared.
        counts: What was counted, as pairs: on the old site, on the new one.
        differences: In what they differ.
        unknown: What could not be compared, and why; one line each.
    """

    old: str
    new: str
    pages: int = 0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """All of it, for `json.dumps`."""
        return {**asdict(self), "counts": {kind: list(pair) for kind, pair in self.counts.items()}}

    def __rich__(self) -> RenderableType:
        """All of it for a person."""
        return render(self)


def verify(
    old: Site, new: Site, *, say: Callable[[str], None], timeout: float = 30.0, limit: int = MOST_PAGES
) -> Verification:
    """Compare the new site with the old: pages (status, title, text), counts, and the sessions plugin.

    A page's text is the same if all but two per cent of it is and no passage differs; addresses of the two sites,
    menus, numbers and what changes with each visit do not count.

    Args:
        old: The site that was migrated.
        new: What became of it. With an administrator's sign-in the sessions plugin is asked for; those of the old site
            are good for the new one.
        say: Is told what happens.
        timeout: Seconds that each answer may take; the first may take longer.
        limit: Pages that are compared at most.

    Raises:
        GuiderunnerError: A site does not answer, is behind HTTP basic auth, or both are the same.
    """
    with (
        Visitor(old, "the old site", other=new.address, timeout=timeout) as before,
        Visitor(new, "the new site", other=old.address, timeout=timeout) as after,
    ):
        for site in (before, after):
            say(f"waiting for {site.name}, {site.address}")
            site.arrive()
        if before.address == after.address:
            raise GuiderunnerError(f"Both addresses are the same, {before.address}: give the old site's and the new's.")
        found = Verification(old=before.address, new=after.address)
        paths = _paths(before, after, found, say, limit)
        _compare_pages(before, after, paths, found, say)
        _compare_counts(before, after, found)
        _check_sessions_plugin(after, found)
        found.unknown[:0] = dict.fromkeys((*before.notes, *after.notes))
    if not found.pages:
        raise GuiderunnerError(f"No page could be compared: {'; '.join(found.unknown)}.")
    return found


def render(verification: Verification) -> RenderableType:
    """The comparison for a person: a table of differences, what could not be compared, and a summary."""
    found = verification
    parts: list[RenderableType] = []
    if found.differences:
        table = Table()
        for heading in ("what", "where", "old", "new"):
            table.add_column(heading, overflow="fold")
        for one in found.differences[:SHOWN]:
            table.add_row(*map(escape, (one.what, one.where, one.old or "—", one.new or "—")))
        parts += [f"{escape(found.new)} differs from {escape(found.old)}:", table]
    if len(found.differences) > SHOWN:
        parts.append(f"… and {len(found.differences) - SHOWN} differences more")
    parts += [f"[yellow]not compared:[/] {escape(reason)}" for reason in found.unknown]
    counted = "".join(f", {kind}: {before} and {after}" for kind, (before, after) in found.counts.items())
    style = "red" if found.differences else "green"
    parts.append(f"[{style}]differences: {len(found.differences)}[/], pages compared: {found.pages}{counted}")
    return Group(*parts)


# -- pages ------------------------------------------------------------------------------------------------------------


def _paths(old: Visitor, new: Visitor, found: Verification, say: Callable[[str], None], limit: int) -> list[str]:
    """The paths of all pages that either site lists, the front page first."""
    listed = {}
    for site in (old, new):
        say(f"asking {site.name} for its pages")
        listed[site.name] = site.pages(limit)
    away = [url for url in listed[new.name] if path_within(new.address, url) is None]
    if away:
        found.differences.append(
            Difference("links back to the old site", "list of pages", "", f"{len(away)} pages, such as {away[0]}")
        )
    paths = {path for site in (old, new) for url in listed[site.name] if (path := site.path_of(url)) is not None}
    ordered = sorted(paths | {"/"}, key=lambda path: (path.count("/"), path))
    if len(ordered) > limit:
        found.unknown.append(f"{len(ordered) - limit} of {len(ordered)} pages: more than {limit} are not compared")
    return ordered[:limit]


def _compare_pages(
    old: Visitor, new: Visitor, paths: list[str], found: Verification, say: Callable[[str], None]
) -> None:
    """Compare all pages, a few at once; the differences keep the pages' order."""
    uncompared: dict[str, list[str]] = {}
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for number, (path, result) in enumerate(
            zip(paths, pool.map(partial(_compare_page, old, new), paths), strict=True), 1
        ):
            if isinstance(result, str):
                uncompared.setdefault(result, []).append(path)
            else:
                found.pages += 1
                found.differences += result
            if number % SAY_EVERY == 0 or number == len(paths):
                say(f"compared {number} of {len(paths)} pages")
    finally:
        pool.shutdown(cancel_futures=True)
    for reason, where in uncompared.items():
        more = f" and {len(where) - NAMED} more" if len(where) > NAMED else ""
        found.unknown.append(f"{', '.join(where[:NAMED])}{more}: {reason}")


def _compare_page(old: Visitor, new: Visitor, path: str) -> list[Difference] | str:
    """The differences of one page, or why it could not be compared."""
    try:
        before = old.look(path)
    except NoAnswer:
        return "the old site does not answer"
    try:
        after = new.look(path)
    except NoAnswer:
        return [Difference("status", path, str(before.status), "no answer")]
    if reason := _unlike(old, new, before, after):
        return reason
    if after.leads_to and place(after.leads_to) == place(old.address):
        return [Difference("links back to the old site", path, before.at, after.at)]
    if before.status != after.status or before.at.rstrip("/") != after.at.rstrip("/"):
        return [_found_elsewhere(path, before, after)]
    return _compare_text(old, new, path, before, after)


def _unlike(old: Visitor, new: Visitor, before: Look, after: Look) -> str:
    """Why what was met are not two pages to compare; empty if they are."""
    for site, look in ((old, before), (new, after)):
        if look.refused:
            return f"{site.name} {look.refused}"
    if before.leads_to and place(before.leads_to) == place(new.address):
        return "the old site leads to the new one already"
    return ""


def _found_elsewhere(path: str, before: Look, after: Look) -> Difference:
    """How one page differs that the sites do not both have at the same place."""
    gone = (httpx.codes.NOT_FOUND, httpx.codes.GONE)
    asked = path.partition("?")[0]
    met = [str(look.status) if look.at == asked else f"{look.status} at {look.at}" for look in (before, after)]
    what = "redirect"
    if before.status != after.status:
        what = "status"
        if after.status in gone and before.status == httpx.codes.OK:
            what = "missing on the new site"
        elif before.status in gone and after.status == httpx.codes.OK:
            what = "only on the new site"
    return Difference(what, path, *met)


def _compare_text(old: Visitor, new: Visitor, path: str, before: Look, after: Look) -> list[Difference] | str:
    """Compare what is read on a page; where it differs, look again to tell what changes with each visit."""
    if before.status != httpx.codes.OK:
        return []
    if before.text.title == after.text.title and not difference(before.text.words, after.text.words):
        return []
    words, titles = [], []
    for site, look in ((old, before), (new, after)):
        try:
            again = site.look(path)
        except NoAnswer:
            return f"{site.name} answered once and not again"
        if again.status != look.status or again.at != look.at:
            return f"{site.name} answers differently each time"
        words.append(settled(look.text.words, again.text.words))
        titles.append({look.text.title, again.text.title})
    differences = []
    if not titles[0] & titles[1]:
        differences.append(Difference("title", path, before.text.title, after.text.title))
    if differing := difference(*words):
        differences.append(Difference("text", path, *differing))
    elif not differences and any(set(text) == {VARIES} for text in words):
        return "its text is another at each visit"
    return differences


# -- counts and the plugin --------------------------------------------------------------------------------------------


def _compare_counts(old: Visitor, new: Visitor, found: Verification) -> None:
    """Compare how many there are of each kind."""
    uncounted: dict[str, list[str]] = {}
    for kind in KINDS:
        try:
            before, after = _counts(old, new, kind)
        except CannotAsk as reason:
            uncounted.setdefault(str(reason), []).append(kind)
            continue
        found.counts[kind] = before, after
        if before != after:
            found.differences.append(Difference("count", kind, str(before), str(after)))
    found.unknown += [f"count of {', '.join(kinds)}: {reason}" for reason, kinds in uncounted.items()]


def _counts(old: Visitor, new: Visitor, kind: str) -> tuple[int, int]:
    """How many both sites have of a kind; both are asked in the same way, as a visitor or as the administrator.

    Raises:
        CannotAsk: One of them tells neither.
    """
    try:
        return old.count(kind), new.count(kind)
    except CannotAsk as closed:
        try:
            return old.count(kind, signed_in=True), new.count(kind, signed_in=True)
        except CannotAsk as still:
            raise CannotAsk("; ".join(dict.fromkeys((str(closed), str(still))))) from None


def _check_sessions_plugin(new: Visitor, found: Verification) -> None:
    """Say whether the sessions plugin is on the new site and active, as far as that can be known."""
    try:
        status = new.plugin_status(SESSIONS)
    except CannotAsk as reason:
        installed = new.has_plugin_file(SESSIONS)
        seen = "it is installed; whether it is active" if installed else "whether it is installed"
        found.unknown.append(f"sessions plugin ({SESSIONS}): {seen} could not be asked: {reason}")
        return
    if status not in ("active", "network-active"):
        found.differences.append(
            Difference("sessions plugin", SESSIONS, "", f"installed, but {status}" if status else "not installed")
        )
