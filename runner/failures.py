"""What an exception and the page say of a failure, as a person is told it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from traceback import walk_tb
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator

from runner.errors import GuiderunnerError, Stuck
from runner.screenshots import box_around

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from runner.errors import Question
    from runner.secrets import Secrets

_AGAIN = re.compile(r"\d+ \S (waiting for|retrying|locator resolved)")
_WHY_NOT = re.compile(r"intercepts pointer events|element is (not|outside)")

_EXPECTED = re.compile(r'- Expect "\w+" (?!get_by_|locator\()(.+) with timeout')
"""How Playwright names the locator of an expectation: by its description, or else by the code that makes it."""

_ROLE = re.compile(r"""^[ -]*['"]?/?[a-z]*:? ?["']?|["']?( \[[^\]]{1,40}\]){0,6}['"]?:?$""")
"""What a line of `aria_snapshot` has around what is said on the page."""


@dataclass(frozen=True)
class Evidence:
    """What a failing page showed."""

    controls: list[str]
    screenshot: Path | None
    marked: bool = False


def sentence_of(error: Exception) -> str:
    """What an exception says, in the few lines that tell a person something."""
    if isinstance(error, GuiderunnerError):
        return str(error)
    if isinstance(error, (PlaywrightError, AssertionError)):
        # Playwright's message goes on with its call log, which repeats itself for every look at the page.
        lines = [" ".join(line.split()) for line in str(error).splitlines()]
        log = ("call log", "aria snapshot", "actual value: none", "- ", "╔", "║", "╚")
        first = [line for line in lines if line and not line.lower().startswith(log) and not _AGAIN.match(line)]
        # Why it could not be done: what lies over it, or that it is disabled or hidden.
        why = [line.removeprefix("- ") for line in lines if _WHY_NOT.search(line)][-1:]
        if first and (expected := _EXPECTED.search(str(error))):
            first[0] = re.sub(r"^Locator\b", lambda _: expected[1], first[0])
        return "; ".join([*first[:4], *why]) or type(error).__name__
    where = error.__traceback__
    while where and where.tb_next:
        where = where.tb_next
    place = f" ({where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno})" if where else ""
    return f"a mistake of ours, please report it: {type(error).__name__}: {error}{place}"


def acted_on(error: BaseException) -> Locator | None:
    """What Playwright was to press or fill: its error does not tell, but was raised in one of that locator's verbs."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    locators = [found for frame in frames if isinstance(found := frame.f_locals.get("self"), Locator)]
    return locators[-1] if locators else None


def looked_for(error: Exception) -> str:
    """What was searched, in the guide's words, if that is known."""
    if isinstance(error, Stuck):
        return error.looked_for
    expected = _EXPECTED.search(str(error)) if isinstance(error, AssertionError) else None
    place = acted_on(error)
    return expected[1] if expected else (place and place.description) or ""


def is_on(page: Page, place: Locator | None) -> bool:
    """Whether a place can be seen in this tab; one that cannot be asked for is not worth the failure's screenshot."""
    try:
        return place is not None and place.page == page and box_around(place) is not None
    except PlaywrightError:
        return False


def answers_to(question: Question) -> str:
    """What can be answered, as it is typed."""
    return f"no, or --answer <{question.fact.replace('_', ' ')}>" if question.fact else "no, or --answer yes"


def without_spread(tree: str, secrets: Secrets) -> str:
    """What `aria_snapshot` says, without the secrets that are split among its lines, or have spaces in them."""
    lines = tree.split("\n")
    for number, name in secrets.spread([_ROLE.sub("", line) for line in lines]).items():
        lines[number] = f"{lines[number].partition(lines[number].lstrip(' -'))[0]}'[{name}]'"
    return "\n".join(lines)
