"""What a page lacks under the words of one edition of a guide, what comes closest, and which edition it looks like."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as PlaywrightTimeout

from runner.controls import named
from runner.errors import NeedsPerson, Question, Stuck, Undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runner.flow import Flow, Step

_CONTROL = re.compile(r'(?P<role>\w+) "(?P<name>.*)"')


def missing_words(error: Exception, step: Step[Any], controls: Sequence[str]) -> str:
    """The words under which a step has looked for something that the page does not have; nothing if that is not why.

    Args:
        error: Why the step failed.
        step: The step.
        controls: The controls that are there, see `runner.controls.controls_on`.
    """
    if isinstance(error, Stuck) and not isinstance(error, (NeedsPerson, Question, Undone)):
        quoted = re.search(r'"(.+)"', error.looked_for)
        # "the dashboard", "the page of …" are places, and no words of a page.
        named_so = error.looked_for if step.number and not error.looked_for.startswith("the ") else ""
        wanted = [quoted[1] if quoted else named_so]
    elif isinstance(error, (PlaywrightTimeout, AssertionError)):
        wanted = list(step.says)
    else:
        return ""
    names = [name for _, name in _parts(controls)]
    return next((words for words in wanted if words and not any(map(named(words).search, names))), "")


def closest_control(words: str, controls: Sequence[str]) -> str:
    """The control, by role and name, whose name comes closest to these words; nothing where there is none."""
    there = [(role, name) for role, name in _parts(controls) if role != "heading" and name]
    wanted = words.casefold()
    alike = max(there, key=lambda one: difflib.SequenceMatcher(None, wanted, one[1].casefold()).ratio(), default=None)
    return f'{alike[0]} "{alike[1]}"' if alike else ""


def worded_as(flow: Flow[Any], controls: Sequence[str]) -> Flow[Any] | None:
    """The edition whose words are on the page and are not this one's, if there is one."""
    ours = {words for step in flow.steps for words in step.says}
    names = [name for role, name in _parts(controls) if role != "heading"]
    for other in flow.editions:
        theirs = {words for step in other.steps for words in step.says} - ours
        if any(named(words).search(name) for words in theirs for name in names):
            return other
    return None


def as_edition(flow: Flow[Any], shown: Flow[Any] | None, words: str, closest: str) -> str:
    """The end of a failure's sentence: which edition has these words, what comes closest, and what the page looks like.

    Args:
        flow: The edition that is performed.
        shown: The other edition that the page looks like, if it looks like one.
        words: What is missing.
        closest: The closest control on the page.
    """
    edition = f"edition {flow.edition} of the guide" if flow.edition else "the guide"
    said = f'. By {edition} there is "{words}" here'
    said += f"; the closest control on the page is {closest}" if closest else "; the page has no control at all"
    if shown:
        said += f". The page looks like edition {shown.edition}: begin another run with --edition {shown.edition}"
    return said


def _parts(controls: Sequence[str]) -> list[tuple[str, str]]:
    """Role and name of each control."""
    return [(found["role"], found["name"]) for one in controls if (found := _CONTROL.fullmatch(one))]
