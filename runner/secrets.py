"""Secrets: values that must not be written anywhere, and the redaction of all that leaves the process.

A `Secret` does not print, format or pickle. `Secrets` knows every secret of a run, from the settings and from the
pages, and finds each in a text in the forms that programs write: plain, URL-encoded, base64, JSON- and HTML-escaped.
"""

from __future__ import annotations

import base64
import gzip
import hmac
import html
import io
import json
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORTEST = 4
"""Characters; a shorter value is in every text by chance, so that redacting it would say where it was."""

SHORT_NUMBER = 8
"""Digits; so many, such as those of a one-time code, are in many longer numbers by chance, such as in times."""


class Secret:
    """A value that is used and never shown.

    Args:
        value: The secret itself.
        name: What it is, in words; shown in its place.
    """

    __slots__ = ("_value", "name")

    def __init__(self, value: str, name: str) -> None:
        self._value = value
        self.name = name

    def reveal(self) -> str:
        """The value, for the one place that types it into a page."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret: {self.name}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"the {self.name} is a secret and is never serialised")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self.name))


class Secrets:
    """All secrets of one run."""

    def __init__(self) -> None:
        self._secrets: list[Secret] = []
        self._pattern: re.Pattern[str] | None = None
        self._names: dict[str, str] = {}

    def add(self, secret: Secret) -> Secret:
        """Register `secret` and return it; from now on nothing that leaves the process shows it.

        Raises:
            ValueError: The value is shorter than `SHORTEST`, so that it cannot be told from ordinary text.
        """
        if len(secret.reveal()) < SHORTEST:
            raise ValueError(f"the {secret.name} has fewer than {SHORTEST} characters and cannot be kept secret")
        if secret not in self._secrets:
            self._secrets.append(secret)
            for form in forms(secret.reveal()):
                self._names.setdefault(form, secret.name)
            longest_first = sorted(self._names, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_alone, longest_first)))
        return secret

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._secrets)

    def redact(self, text: str) -> str:
        """The text with every secret, in every known form, replaced by its name."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: f"[{self._names[found[0]]}]", text)

    def redact_bytes(self, data: bytes) -> bytes:
        """The same for bytes that are text in UTF-8 or that hold text (all other bytes stay as they are)."""
        return self.redact(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def find(self, text: str) -> set[str]:
        """Names of the secrets that stand in `text`."""
        return {self._names[found[0]] for found in self._pattern.finditer(text)} if self._pattern else set()

    def scan(self, folder: Path) -> list[tuple[Path, str]]:
        """Every file below `folder` that holds a secret, inside zip and gzip files too, with the secret's name."""
        return [
            (path, name)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            for name in sorted(self._find_in_bytes(path.name.encode() + b"\n" + path.read_bytes()))
        ]

    def _find_in_bytes(self, data: bytes) -> set[str]:
        names = self.find(data.decode("utf-8", "surrogateescape"))
        for inner in unpacked(data):
            names |= self._find_in_bytes(inner)
        return names


def forms(value: str) -> set[str]:
    """The ways in which programs write `value`: plain, URL-encoded, base64, JSON- and HTML-escaped."""
    raw = value.encode()
    found = {value, quote(value), quote(value, safe=""), quote_plus(value)}
    found |= {html.escape(value), html.escape(value, quote=False)}
    found |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    # Inside a longer text base64 has one of three alignments; the characters that depend on the neighbours are cut.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        begin = 0 if shift == 0 else shift + 1
        end = len(encoded) if (shift + len(raw)) % 3 == 0 else len(encoded) - 1
        core = encoded[begin:end]
        if len(core) >= 2 * SHORTEST:
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


def _alone(form: str) -> str:
    """The expression that finds a form; a short number only where it is no part of a longer one, or of a fraction."""
    found = re.escape(form)
    if not (form.isdecimal() and len(form) <= SHORT_NUMBER):
        return found
    # The digit before it may be the end of an encoded character, as in %22 or \u0022.
    return rf"(?:(?<!\d)(?<!\d\.)|(?<=%[0-9A-Fa-f]\d)|(?<=\\u[0-9A-Fa-f]{{3}}\d)){found}(?!\.?\d)"


def unpacked(data: bytes) -> Iterator[bytes]:
    """The contents of `data` when it is a zip or a gzip file."""
    start = data.find(b"\n") + 1  # scan() puts the file's name before its content
    body = data[start:] if data[start : start + 2] in (b"PK", b"\x1f\x8b") else data
    if body.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(body)):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            for entry in archive.infolist():
                yield entry.filename.encode() + b"\n" + archive.read(entry)
    elif body.startswith(b"\x1f\x8b"):
        try:
            yield gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            return  # not a gzip file after all: its plain bytes have been searched


_SENSITIVE = re.compile(r"token|secret|key|nonce|code|state|pass|auth|sig|session|ticket", re.IGNORECASE)


def plain_url(url: str) -> str:
    """The address without user information and without the values of query parameters that may be secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    pairs = [pair.partition("=") for pair in parts.query.split("&") if pair]
    query = "&".join(f"{name}{eq}{'…' if _SENSITIVE.search(name) and value else value}" for name, eq, value in pairs)
    return urlunsplit((parts.scheme, host, parts.path, query, ""))
