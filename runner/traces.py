"""Playwright's traces without the secrets in them.

A trace holds every filled value, every response, every state of the page and, for a film strip, pictures of it. It is
written anew, entry by entry, before the file gets its name: texts are redacted where they stand in its structure, what
is renamed with its content is renamed wherever it is named, and of the pictures only those stay that the camera has
kept.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import shutil
import zipfile
import zlib
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from runner.camera import mark
from runner.secrets import PACKED, PIECE, Secret, Secrets, inflated
from runner.sign_ins import secrets_in
from runner.unredacted import unredacted_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import BrowserContext


Entry = dict[str, Any]

_TYPED = "__playwright_value_"
"""Attribute in which Playwright notes what a field holds."""

_RECORDS = (".trace", ".network")
"""Endings of the files that hold one JSON object in each line."""


def start_trace(context: BrowserContext, *, film: bool) -> None:
    """Record what the pages of the context do from now on.

    Args:
        context: The browser context.
        film: Also pictures of its tabs, which make the viewer's film strip.
    """
    context.tracing.start(snapshots=True, screenshots=film, sources=False)


def save_trace(context: BrowserContext, path: Path, secrets: Secrets, kept: set[int]) -> None:
    """Stop recording and write the trace to `path`, redacted; what Playwright wrote is deleted.

    Args:
        context: Where `start_trace` was called.
        path: The zip file, for `playwright show-trace`.
        secrets: What must not be in it.
        kept: The camera's shots whose pictures may stay.
    """
    with unredacted_folder() as folder:
        raw, clean = folder / "raw.zip", folder / "clean.zip"
        context.tracing.stop(path=raw)
        rewrite(raw, clean, secrets, kept)
        shutil.copyfile(clean, path)


def rewrite(source: Path, target: Path, secrets: Secrets, kept: set[int]) -> None:
    """Copy a trace without its secrets; arguments as of `save_trace`."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        # What only tells where in our own code a call was made holds the paths of this machine.
        names = [name for name in old.namelist() if not name.endswith(".stacks")]
        records = {name: _lines(old.read(name)) for name in names if name.endswith(_RECORDS)}
        pictures = {name for name in names if name.startswith("screencast/") or name.endswith((".jpeg", ".jpg"))}
        sessions_in([entry for entries in records.values() for entry in entries], secrets)
        dropped = pictures - _responses(records)
        stay = _pictures_that_stay([entry for entries in records.values() for entry in entries], kept)
        renamed: dict[str, str] = {}
        sizes: dict[str, int] = {}
        for name in names:
            if name in records or name in dropped - stay:
                continue
            content = old.read(name)
            clean = redact_bytes(content, secrets)
            called = secrets.redact_deep(_named_after(name, content, clean))
            new.writestr(called, clean)
            if clean != content:
                renamed[name] = called
                sizes[called] = len(clean)
        for name, entries in records.items():
            written = (
                json.dumps(_with_sizes(_renamed(_redacted(entry, secrets), renamed), sizes))
                for entry in entries
                if entry.get("type") != "screencast-frame" or _picture_of(entry) in stay
            )
            new.writestr(secrets.redact(name), "".join(f"{line}\n" for line in written))


def _lines(content: bytes) -> list[Entry]:
    # Not splitlines: JavaScript leaves other signs for the end of a line as they are within a text.
    return [json.loads(line) for line in content.decode("utf-8", "surrogateescape").split("\n") if line.strip()]


# -- pictures -----------------------------------------------------------------------------------------------------


def _pictures_that_stay(entries: list[Entry], kept: set[int]) -> set[str]:
    """Names of the pictures that were taken within a shot that is kept, of its tab.

    Pictures are recorded in the order in which they are drawn, on the clock on which calls are: one that comes after
    the call that marks a shot's beginning was drawn later, one before the call that marks its end earlier.
    """
    calls = [entry for entry in entries if entry.get("type") == "before"]
    states = [entry["snapshot"] for entry in entries if entry.get("type") == "frame-snapshot"]
    tabs = {state["callId"]: state["pageId"] for state in states if state.keys() >= {"callId", "pageId"}}
    shots: list[tuple[str, float, float]] = []
    for number in kept:
        begins, ends = (_marked(calls, mark(number, what)) for what in ("begins", "ends"))
        if ends and ends["callId"] in tabs:
            # The first shot of a tab begins with the tab.
            shots.append((tabs[ends["callId"]], begins["startTime"] if begins else 0.0, ends["startTime"]))
    return {
        _picture_of(entry)
        for entry in entries
        if entry.get("type") == "screencast-frame"
        and any(page == entry["pageId"] and begin < entry["timestamp"] < end for page, begin, end in shots)
    }


def _marked(calls: list[Entry], words: str) -> Entry | None:
    ends_so = re.compile(rf"{re.escape(words)}$")
    return next((call for call in calls if ends_so.search(str(call.get("params", {}).get("expression", "")))), None)


def _picture_of(entry: Entry) -> str:
    """Name of a picture's file, in the traces of older versions too."""
    return str(entry.get("file") or f"resources/{entry.get('sha1')}")


def _responses(records: Mapping[str, list[Entry]]) -> set[str]:
    """Pictures that are the site's own, which it has answered with."""
    found: set[str] = set()
    for entries in records.values():
        for entry in entries:
            content = entry.get("snapshot", {}).get("response", {}).get("content", {}) if "snapshot" in entry else {}
            found.update(filter(None, (content.get("file"), content.get("_file"), _below(content.get("_sha1")))))
    return found


def _below(sha1: str | None) -> str | None:
    return f"resources/{sha1}" if sha1 else None


# -- texts --------------------------------------------------------------------------------------------------------


_LETS_IN = {"cookie", "set-cookie", "authorization", "proxy-authorization"}
"""Headers whose values let somebody in."""


def _without_sign_ins(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The same without the values of cookies, and of headers that let somebody in, whatever they are."""
    if isinstance(value, dict):
        if str(value.get("name")).lower() in _LETS_IN and "value" in value:
            return value | {"value": f"[{value['name']}]"}
        if isinstance(value.get("cookies"), list):
            value = value | {"cookies": [one | {"value": "[cookie]"} for one in value["cookies"]]}
        return {name: _without_sign_ins(one) for name, one in value.items()}
    return [_without_sign_ins(one) for one in value] if isinstance(value, list) else value


def sessions_in(entries: list[Entry], secrets: Secrets) -> None:
    """Register what the requests of a trace were let in by: a session may have been replaced before anybody looked."""
    for entry in entries:
        if entry.get("type") != "resource-snapshot":
            continue
        sides = [entry["snapshot"].get(side, {}) for side in ("request", "response")]
        cookies = [{"httpOnly": True, **one} for side in sides for one in side.get("cookies", []) if one.get("value")]
        for secret in secrets_in({"cookies": cookies}, "the session"):
            secrets.add(secret, pieces=False)
        for header in (one for side in sides for one in side.get("headers", [])):
            kind, _, value = header["value"].partition(" ")
            if header["name"].lower() == "authorization" and kind.lower() == "bearer" and len(value) >= PIECE:
                secrets.add(Secret(value, "authorization of a request"))


def _redacted(entry: Entry, secrets: Secrets) -> Entry:
    if entry.get("type") == "resource-snapshot":
        entry = _without_sign_ins(entry)
    redacted: Entry = secrets.redact_all(entry) if secrets.find_deep(json.dumps(entry)) else entry
    if entry.get("type") == "frame-snapshot":
        _redact_spread(redacted["snapshot"].get("html"), secrets)
    elif "result" in redacted:
        redacted = redacted | {"result": _without_spread_texts(redacted["result"], secrets)}
    return redacted


def _without_spread_texts(value: Any, secrets: Secrets) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What a call has read of a page, without the texts in which a secret is split, or has spaces in it."""
    if isinstance(value, str):
        held = set(secrets.spread(_READ.split(value)).values())
        return f"[{', '.join(sorted(held))}]" if held else value
    if isinstance(value, dict):
        return {name: _without_spread_texts(one, secrets) for name, one in value.items()}
    return [_without_spread_texts(one, secrets) for one in value] if isinstance(value, list) else value


_READ = re.compile(r"""\0\d\d|["']?:?\n *- ["']?[a-z]+:? ?["']?""")
"""What stands between two texts of a page as `runner.visible` reads them, or as `aria_snapshot` does."""


def _redact_spread(document: Any, secrets: Secrets) -> None:  # noqa: ANN401 - as Playwright writes a page
    """Take out of a state of a page the secrets that are split among its elements, or have spaces in them."""
    # Each text of the page: what holds it, and where in that.
    places: list[tuple[Any, int | str]] = []

    def visit(element: list[Any]) -> None:
        for number, part in enumerate(element):
            if isinstance(part, dict):
                places.extend((part, name) for name in part if name == _TYPED)
            elif isinstance(part, list):
                visit(part)
            elif number and isinstance(part, str) and element[0] not in ("STYLE", "SCRIPT"):
                places.append((element, number))

    visit(document if isinstance(document, list) else [])
    for number, name in secrets.spread([holder[at] for holder, at in places]).items():
        holder, at = places[number]
        holder[at] = f"[{name}]"


def redact_bytes(content: bytes, secrets: Secrets) -> bytes:
    """A body without its secrets; one that is packed is packed again, and what is no text stays as it is."""
    if content.startswith(b"PK\x03\x04"):
        return b""  # a download, which is no part of what the viewer shows
    if content.startswith(PACKED):
        # Of a text that only begins like that nothing can be unpacked.
        with suppress(zlib.error):
            inner = inflated(content)
            clean = redact_bytes(inner, secrets)
            pack = zlib.compress if content.startswith(b"x") else partial(gzip.compress, mtime=0)
            return content if clean == inner else pack(clean)
    try:
        return _without_spread(secrets.redact_deep(content.decode()), secrets).encode()
    except UnicodeDecodeError:
        return secrets.redact(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _without_spread(page: str, secrets: Secrets) -> str:
    """A page's source without the secrets that are split among its elements, or have spaces in them."""
    if not page.lstrip().startswith("<"):
        return page
    parts = _TAG.split(page)
    for number, name in secrets.spread([html.unescape(text) if "&" in text else text for text in parts[::2]]).items():
        parts[2 * number] = f"[{name}]"
    return "".join(parts)


_TAG = re.compile(r"(<[^<>]*>)")


def _named_after(name: str, content: bytes, clean: bytes) -> str:
    """The name of a file that is named after its content's hash, for the content that it has now."""
    before = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    after = hashlib.sha1(clean, usedforsecurity=False).hexdigest()
    return name.replace(before, after)


def _renamed(value: Any, renamed: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever JSON holds
    """The same with every mention of a renamed file, by path or by name alone."""
    if isinstance(value, str):
        if value in renamed:
            return renamed[value]
        below = f"resources/{value}"
        return PurePosixPath(renamed[below]).name if below in renamed else value
    if isinstance(value, dict):
        return {name: _renamed(one, renamed) for name, one in value.items()}
    return [_renamed(one, renamed) for one in value] if isinstance(value, list) else value


def _with_sizes(entry: Entry, sizes: Mapping[str, int]) -> Entry:
    """The entry of a request with the sizes that its bodies have now."""
    snapshot = entry.get("snapshot", {})
    if entry.get("type") != "resource-snapshot":
        return entry
    answer = snapshot.get("response", {})
    for content in (answer.get("content", {}), snapshot.get("request", {}).get("postData", {})):
        size = next((sizes[value] for value in _names(content) if value in sizes), None)
        if size is not None and "size" in content:
            content["size"] = size
            if content is answer.get("content"):
                answer["bodySize"] = size
    return entry


def _names(content: Mapping[str, Any]) -> Iterator[str]:
    for name in ("file", "_file", "_sha1"):
        if content.get(name):
            yield content[name]
            yield f"resources/{content[name]}"
