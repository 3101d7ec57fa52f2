"""Words of a guide in all the ways in which pages write them, and words by which pages say no."""

from __future__ import annotations

import re

REFUSAL = re.compile(
    r"\b(taken|already (exists|in use|used|has)"
    r"|invalid|not (available|allowed|valid|found|recogni[sz]ed|permitted|reachable|accepted|supported)"
    r"|unavailable|unable|incorrect|wrong|fail(s|ed|ure)?|error|denied|refused|rejected|expired|revoked|locked"
    r"|could ?n.t|cannot|can.t|can not|could not|must|too (many|long|short)|try again|went wrong|do(es)? not match"
    r"|(enter|provide|choose) a valid)\b",
    re.IGNORECASE,
)
"""Words by which a page says no; looked for only in what appeared after something was pressed."""

_WEAK = re.compile(r"\b(must|cannot|can.t|can not)\b", re.IGNORECASE)
_PATIENCE = re.compile(
    r"^\W*\w+ing\b|please wait|keep this (page|tab|window) open|(do not|don.t) (close|leave|refresh)",
    re.IGNORECASE,
)


def refuses(line: str, *, plainly: bool = False) -> bool:
    """Whether a page says no with this line: "Creating your site. You must keep this page open." only asks to wait.

    Args:
        line: A line of the page.
        plainly: Words such as "must" and "cannot" alone do not count.
    """
    return bool(REFUSAL.search(_WEAK.sub("", line) if plainly or _PATIENCE.search(line) else line))


def named(*words: str) -> re.Pattern[str]:
    """An accessible name that is these words, in any case, also with a sign or "opens in a new tab" around them.

    Args:
        words: The name; several for any of them.
    """
    return _among_signs("", words)


def on_control(*words: str) -> re.Pattern[str]:
    """The same on a control, where an icon font's sign is a word such as "arrow_forward" to programs.

    A drawn sign may have a title, such as "plus icon".

    Args:
        words: The name; several for any of them.
    """
    return _among_signs(_LIGATURE, words)


def beside_sign(*words: str) -> re.Pattern[str]:
    """The same where it is known that a sign of an icon font is there, which may be one word such as "add".

    Args:
        words: The name; several for any of them.
    """
    return _among_signs(_SIGN, words)


_ELSEWHERE = r"opens( in)? (a )?new (browser )?(tab|window)( or window)?"


def _among_signs(sign: str, words: tuple[str, ...]) -> re.Pattern[str]:
    any_of = "|".join(map(spaced, words))
    behind = rf"[\W_]*{sign}((external( link)?[\W_]*)?({_ELSEWHERE}[\W_]*)?)?{sign}"
    return re.compile(rf"^[\W_]*{sign}({any_of}){behind}$", re.IGNORECASE)


def begins_with(words: str) -> re.Pattern[str]:
    """A name that begins with these words and goes on, such as a tile's with a description."""
    return re.compile(rf"^[\W_]*{spaced(words)}(?![\w-])", re.IGNORECASE)


def says_more_than(words: str) -> re.Pattern[str]:
    """A name that says more behind these words, in brackets or after a dash, as in "Widgets (Administrator)"."""
    return re.compile(rf"^[\W_]*{spaced(words)}(\s*[(\[]|\s+[-\u2013\u2014\u00b7|])", re.IGNORECASE)


_LIGATURES = r"[a-z0-9]+(?:_[a-z0-9]+)+"
_SIGNS_OF_ONE_WORD = (
    "add", "backup", "bolt", "build", "check", "cloud", "code", "dns", "done", "download", "east", "extension", "input",
    "key", "language", "launch", "link", "lock", "login", "publish", "send", "start", "sync", "token", "transform",
    "upload", "verified", "web", "widgets",
)  # fmt: skip
"""Signs of an icon font, as they may be on a guide's controls; none for leaving or for taking something away."""

_SIGN = rf"(?:(?:{_LIGATURES}|{'|'.join(_SIGNS_OF_ONE_WORD)})[\W_]*)?"
_NO_WASTE = "(?!delet|remov|trash|bin|clear|cancel|clos|revok|discard)"
"""A sign before it that takes something away is more than decoration."""

_LIGATURE = rf"(?:(?:{_LIGATURES}|(?:{_NO_WASTE}[a-z]+[ -])?icon)[\W_]*)?"
"""With the signs behind it: two repetitions side by side would be tried in all ways on the text of a whole page."""

_SIGNS = {sign: signs for signs in ("['\u2018\u2019\u02bc]", "[-\u2010\u2011\u2013]") for sign in signs[1:-1]}
"""Signs that a page has and a reader types another for: each with all that are alike."""


def spaced(words: str) -> str:
    """Words as the inside of an expression: any space between them, and any of the signs that look alike."""
    alike = ("".join(_SIGNS.get(sign, re.escape(sign)) for sign in word) for word in words.split())
    # Playwright hands the expression to JavaScript between slashes, so that a slash in it must be escaped.
    return r"\s+".join(alike).replace("/", r"\/")
