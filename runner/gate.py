"""The gate: before a run reports its end, every file that it leaves behind is searched for its secrets."""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from runner.secrets import PACKED, inflated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from runner.secrets import Secrets


UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged, encrypted or unknown archive raises."""


def scan(folder: Path, secrets: Secrets, pattern: str = "*") -> list[tuple[Path, str]]:
    """Every file below `folder` that holds a secret or a piece of one, with the secret's name.

    Names of files count, and what is inside zip and gzip files, in each form and encoding that `Secrets` knows.

    Args:
        folder: Where the files are.
        secrets: What must not be in them.
        pattern: Which names are looked at.
    """
    return [
        (path, name)
        for path in sorted(folder.rglob(pattern))
        if path.is_file()
        for name in sorted(_names_in(str(path.relative_to(folder)), path.read_bytes(), secrets))
    ]


def _names_in(called: str, data: bytes, secrets: Secrets) -> set[str]:
    names = secrets.find_deep(called)
    try:
        names |= secrets.find_deep(data.decode())
    except UnicodeDecodeError:
        names |= secrets.find_among_bytes(data)
    for inner, content in unpacked(data):
        names |= _names_in(inner, content, secrets)
    return names


def unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what is in a zip file, or packed by gzip or zlib."""
    # What cannot be unpacked by any means at hand has been searched as it is.
    if data.startswith(b"PK") and zipfile.is_zipfile(io.BytesIO(data)):
        with suppress(*UNREADABLE), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                with suppress(*UNREADABLE):
                    yield entry.filename, archive.read(entry)
    elif data.startswith(PACKED):
        with suppress(*UNREADABLE):
            yield "", inflated(data)
