"""Renders HTML pages that are one file each: they ask for nothing else, run no script but ours, and show no secret."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from runner.ledger import now
from runner.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STATES = {
    "done": "Done",
    "found done": "Done already",
    "failed": "Failed",
    "asks": "Asks",
    "waiting": "Waiting",
    "interrupted": "Interrupted",
    "running": "Running",
    "not reached": "Not reached",
    "stopped": "Stopped as asked",
    "dry run": "Dry run",
    "given up": "Given up",
    "queued": "Queued",
    "changed": "Changed",
    "new": "New",
    "unchanged": "Unchanged",
}
"""What people read for each state."""

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SHORT = 9.95
"""Seconds below which a duration is told in tenths."""

SHORTEST = 0.05
"""Seconds below which not even these say anything."""

KILO = 1000


class Embedded:
    """Pictures that a page holds in itself; until all of its text is redacted, numbers stand in their place."""

    def __init__(self) -> None:
        self._pictures: list[tuple[str, str]] = []

    def add(self, picture: bytes) -> str:
        """The address, in the page, of a picture: a WebP or a PNG."""
        self._pictures.append((_kind(picture), base64.b64encode(picture).decode()))
        return f"cid:{len(self._pictures) - 1}"

    def put_in(self, page: str, secrets: Secrets) -> str:
        """The page with its pictures."""
        return re.sub(r'src="cid:(\d+)"', lambda found: f'src="{self._data(int(found[1]), secrets)}"', page)

    def _data(self, number: int, secrets: Secrets) -> str:
        kind, data = self._pictures[number]
        if secrets.find(data):
            # A short secret stands in so much text by chance. Browsers skip the line breaks; no search finds it then.
            data = "\n".join(re.findall(".{1,3}", data))
        return f"data:image/{kind};base64,{data}"


def _kind(picture: bytes) -> str:
    return "webp" if picture.startswith(b"RIFF") else "png"


def write_page(
    path: Path,
    template: str,
    *,
    secrets: Secrets | None = None,
    embedded: Embedded | None = None,
    styles: Sequence[str] = ("report.css",),
    script: str = "",
    **view: object,
) -> None:
    """Write a page.

    Args:
        path: Where to.
        template: Its name in `runner/templates/`.
        secrets: What must not be in it.
        embedded: The pictures whose addresses the view holds.
        styles: Names of its style sheets, there too.
        script: The same of its script; it must be readable without. Nothing for none.
        view: What the template shows.
    """
    secrets = secrets or Secrets()
    style, program = "".join(map(_template, styles)), _template(script) if script else ""
    allowed = f"style-src {_digest(style)}; " + (f"script-src {_digest(program)}; " if script else "")
    policy = f"default-src 'none'; img-src data:; {allowed}base-uri 'none'; form-action 'none'"
    # Every value is redacted before its quotes are escaped, and the whole once more with the template's own words.
    page = _environment(secrets).get_template(template).render(view, policy=Markup(policy), written=now())  # noqa: S704 - ours
    page = secrets.redact(page)
    page = page.replace("<style></style>", f"<style>{style}</style>", 1)
    if script:
        page = page.replace("</body>", f"<script>{program}</script>\n</body>", 1)
    path.write_text((embedded or Embedded()).put_in(page, secrets), encoding="utf-8")


def _template(name: str) -> str:
    return resources.files("runner").joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """What a policy calls the text that it allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _environment(secrets: Secrets) -> Environment:
    environment = Environment(
        loader=PackageLoader("runner"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: secrets.redact(value) if type(value) is str else value,
    )
    environment.filters |= {"duration": duration, "moment": moment, "size": size, "state": state}
    environment.tests["address"] = is_address
    return environment


def duration(seconds: float) -> str:
    """A duration in the two units that tell most."""
    whole = round(seconds)
    if whole >= DAY:
        return f"{whole // DAY} d {whole % DAY // HOUR} h"
    if whole >= HOUR:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    if whole >= MINUTE:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if seconds < SHORT:
        return f"{seconds:.1f} s" if seconds >= SHORTEST else "under 0.1 s"
    return f"{whole} s"


def moment(at: str) -> str:
    """A time of the ledger as people read it."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S}" if at else ""


def size(number: int) -> str:
    """How large a file is."""
    return f"{number / KILO**2:.1f} MB" if number >= KILO**2 else f"{max(1, round(number / KILO))} kB"


def state(name: str) -> str:
    """What people read for a state."""
    return STATES.get(name, name)


def is_address(text: Any) -> bool:  # noqa: ANN401 - whatever a template asks about
    """Whether a text can be followed as a link; a page could have put a script into it."""
    return isinstance(text, str) and re.fullmatch(r"https?://\S+", text) is not None
