"""What the tabs of a browser ask of servers, called so that two runs can be compared.

Only what Playwright's events carry with them is used: to ask for a response, or for its size, would be a message to the
browser and back for each request. What a flow asks by itself, without a browser, is not seen.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from runner.settings import is_local
from runner.troubles import LEFT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from playwright.sync_api import BrowserContext, Request, Response

    from runner.settings import Settings

AT_MOST = 100
"""So many different requests are kept of each part of a step; of the others their number."""

DEEPEST = 12
"""So many segments of a path are kept."""

NOT_MODIFIED = 304
"""HTTP's answer that what the browser has is still true: the same as the answer that it had then."""

SOMETHING = "{…}"
"""Stands for a part of a path that may be an id, a hash or a token."""

KINDS = {"document": "document", "xhr": "fetch", "fetch": "fetch"}
"""Playwright's types of what is kept one by one; of all others only the number is."""


class Asked(NamedTuple):
    """What makes two requests the same."""

    kind: str
    method: str
    host: str
    path: str


@dataclass
class _Times:
    """How often something was asked, and what came of it."""

    times: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0
    first: float = 0.0
    last: float = 0.0


@dataclass
class _One:
    """One request; `status` is empty as long as it is not answered, or when the page was left before."""

    kind: str
    method: str
    url: str
    at: float
    status: str = ""
    seconds: float = 0.0


class Traffic:
    """Collects what the tabs of a browser ask, until it is taken.

    Args:
        places: What hosts and paths are called.
        redact: Takes secrets out of a text.
    """

    def __init__(self, places: Places, redact: Callable[[str], str]) -> None:
        self._places = places
        self._redact = redact
        self._asked: list[_One] = []
        self._open: dict[Request, _One] = {}
        self._others: dict[str, int] = {}

    def watch(self, context: BrowserContext) -> None:
        """Collect from now on what is asked in this context; what another one has not answered is forgotten."""
        self._open = {}
        context.on("request", self._note_request)
        context.on("response", self._note_answer)
        context.on("requestfailed", self._note_failure)

    def take(self) -> dict[str, Any]:
        """What was asked since it was last taken, as plain values; nothing if nothing was.

        Each different request has its `kind`, `method`, `host` and `path`; how many `times` it was asked, within how
        many seconds (`over`); how many were answered with each class of status (`2xx`, or `failed`); and the `seconds`
        that it took until answers began, together and the `slowest`. What is answered only later has no status.
        """
        asked, others, self._asked, self._others = self._asked, self._others, [], {}
        if not asked and not others:
            return {}
        counted: dict[Asked, _Times] = {}
        names: dict[tuple[str, str], tuple[str, str]] = {}
        for one in asked:
            parts = urlsplit(one.url)
            place = (parts.netloc, parts.path)
            if place not in names:
                # The path is redacted first: what is left of a secret without its dashes is found by no search.
                names[place] = (self._places.host(parts), self._places.path(self._redact(parts.path)))
            _count(counted.setdefault(Asked(one.kind, one.method, *names[place]), _Times()), one)
        kept = list(counted.items())[:AT_MOST]
        hosts = {asked.host for asked, _ in kept}
        return {
            "asked": [_as_plain(what, times) for what, times in kept],
            "others": others,
            "more": len(counted) - len(kept),
            "hosts": {name: host for name, host in self._places.renamed.items() if name in hosts},
        }

    def _note_request(self, request: Request) -> None:
        url, resource = request.url, request.resource_type
        if not url.startswith(("https:", "http:")):
            return
        if resource not in KINDS:
            self._others[resource] = self._others.get(resource, 0) + 1
            return
        one = _One(KINDS[resource], request.method, url, time.monotonic())
        self._asked.append(one)
        self._open[request] = one

    def _note_answer(self, response: Response) -> None:
        one = self._open.pop(response.request, None)
        if one is None:
            return
        status = response.status
        one.status = "2xx" if status == NOT_MODIFIED else f"{status // 100}xx"
        timing = response.request.timing
        one.seconds = max(0.0, timing["responseStart"] - max(0.0, timing["requestStart"])) / 1000

    def _note_failure(self, request: Request) -> None:
        one = self._open.pop(request, None)
        if one and (request.failure or "failed") not in LEFT:
            one.status = "failed"


def _count(times: _Times, one: _One) -> None:
    times.first = one.at if not times.times else times.first
    times.last = one.at
    times.times += 1
    times.seconds += one.seconds
    times.slowest = max(times.slowest, one.seconds)
    if one.status:
        times.statuses[one.status] = times.statuses.get(one.status, 0) + 1


def _as_plain(what: Asked, times: _Times) -> dict[str, Any]:
    return {
        **what._asdict(),
        "times": times.times,
        "over": round(times.last - times.first, 2),
        "statuses": times.statuses,
        "seconds": round(times.seconds, 3),
        "slowest": round(times.slowest, 3),
    }


class Places:
    """What hosts and paths are called, the same in two runs for two sites, and on two machines.

    A host that stands in a setting has the setting's name; one of this machine, whose port may be another each time, a
    number in the order in which they appear; any other its own name. A part of a path, or of a host's name, that is
    what the run is about (a setting that is `fixed`) has that setting's name.

    Args:
        settings: What the run works with.
        entries: What it has recorded: a number that a host has got stays.
    """

    def __init__(self, settings: Settings, entries: Iterable[Mapping[str, Any]] = ()) -> None:
        plain = settings.plain()
        self.renamed: dict[str, str] = {}
        """The host behind each name that is not its own."""
        self._name_of: dict[str, str] = {}
        self._about: list[tuple[re.Pattern[str], str]] = []
        for entry in entries:
            if entry["event"] == "requests":
                self._rename(entry["hosts"])
        self._rename({name: host for name, value in plain.items() if (host := _host_in(value))})
        for _, about in settings.about():
            value = plain.get(about.name, "")
            if about.fixed and len(value) >= SHORTEST and not _host_in(value):
                written = "|".join(map(re.escape, dict.fromkeys((value, _slug(value)))))
                pattern = re.compile(rf"(?<![a-z0-9])(?:{written})(?![a-z0-9])", re.IGNORECASE)
                self._about.append((pattern, f"{{{about.name}}}"))

    def _rename(self, hosts: Mapping[str, str]) -> None:
        for name, host in hosts.items():
            if host not in self._name_of:
                self._name_of[host] = name
                self.renamed[name] = host

    def host(self, address: SplitResult) -> str:
        """What the host of an address is called."""
        host = address.netloc.rpartition("@")[2].lower()
        if host not in self._name_of:
            if not is_local(address.hostname or ""):
                return self._labels(host)
            local = [name for name in self.renamed if name.startswith("local ")]
            self._rename({f"local {len(local) + 1}": host})
        return self._name_of[host]

    def path(self, path: str) -> str:
        """What a path is called: ids, numbers, hashes and whatever may be a token are left out of it.

        Kept is what consists of words. So an address that is made of words and opens something cannot be told from
        one that does not: all that follows a segment such as `invite` or `token` is left out too.
        """
        named, opens = [], False
        for segment in map(unquote, path.split("/")):
            named.append(SOMETHING if opens and segment else _in_words(self._without_subject(segment)))
            opens = opens or _OPENS.search(segment) is not None
        return "/".join([*named[:DEEPEST], *(["…"] if len(named) > DEEPEST else [])])

    def _labels(self, host: str) -> str:
        """A host's name; what stands before the domain that somebody has registered is treated as a path's segments."""
        labels = self._without_subject(host).split(".")
        if labels[-1].partition(":")[0].isdecimal():
            return host  # an address of numbers
        return ".".join([*map(_in_words, labels[:-2]), *labels[-2:]])

    def _without_subject(self, text: str) -> str:
        for pattern, name in self._about:
            text = pattern.sub(name, text)
        return text


SHORTEST = 4
"""Characters of a setting; what is shorter stands in words by chance."""


def _slug(text: str) -> str:
    """A name as addresses have it: small letters, and dashes for everything else."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _host_in(value: str) -> str:
    """The host, with its port, of a setting that is an address; nothing if it is none."""
    return urlsplit(value).netloc.lower() if re.match(r"https?://\S+$", value) else ""


_OPENS = re.compile(
    "invit|token|secret|nonce|reset|ticket|magic|verif|confirm|activat|otp|passw|session|auth|callback|login"
    "|^keys?$|^codes?$",
    re.IGNORECASE,
)
"""A segment that may be followed by what opens something, at once or further on."""

_BETWEEN = re.compile(r"([-_. ~+,:@]|\{[A-Z_]+\})")
_NUMBERED = re.compile(r"(?!v\d{1,2}$)([a-z]{1,5})\d{1,3}", re.IGNORECASE)
_WORD = re.compile(r"v\d{1,2}|[a-z]+(?:[A-Z][a-z]+)*|[A-Z][a-z]+(?:[A-Z][a-z]+)*|[A-Z]{1,3}")
_NO_WORD = re.compile(r"[bcdfghjklmnpqrstvwxz]{6}|^[a-f]{8,}$|^[^aeiouy]{6,}$", re.IGNORECASE)
LONGEST_WORD = 20
"""Characters; what is longer without a break is no word."""

SHORTEST_HUMP = 3
"""Letters from one capital to the next, on an average, in what is written likeThis; in a token there are fewer."""


def _in_words(segment: str) -> str:
    """A segment whose numbers are left out, or all of it if it does not consist of words."""
    pieces = _BETWEEN.split(segment)
    for at in range(0, len(pieces), 2):
        piece = pieces[at]
        if piece.isdecimal():
            pieces[at] = "{n}"
        elif numbered := _NUMBERED.fullmatch(piece):
            pieces[at] = f"{numbered[1]}{{n}}"
        elif piece and not _is_word(piece):
            return SOMETHING
    return "".join(pieces)


def _is_word(piece: str) -> bool:
    capitals = sum(letter.isupper() for letter in piece[1:])
    return (
        len(piece) <= LONGEST_WORD
        and _WORD.fullmatch(piece) is not None
        and _NO_WORD.search(piece) is None
        and (piece.isupper() or (capitals + 1) * SHORTEST_HUMP <= len(piece) or not capitals)
    )
