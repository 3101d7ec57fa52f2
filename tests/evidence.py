"""Looks at what a run leaves behind with means of its own: it shares no code with what keeps secrets out of it."""

from __future__ import annotations

import base64
import gzip
import html
import io
import os
import re
import signal
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

PIECE = 12
"""Characters of a secret that must not be found anywhere."""


def holds_a_secret(folder: Path, *secrets: str) -> list[str]:
    """Files that hold one of the secrets, or a piece of one, in any form, packed or not."""
    pieces = {
        form[at : at + PIECE]
        for secret in secrets
        for form in (secret.encode(), quote_plus(secret).encode(), base64.b64encode(secret.encode()).rstrip(b"="))
        for at in range(max(len(form) - PIECE, 0) + 1)
    }
    return [
        f"{path}: {called}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for called, data in layers(path.name, path.read_bytes())
        if any(piece in data for piece in pieces)
    ]


def layers(called: str, data: bytes, depth: int = 4) -> Iterator[tuple[str, bytes]]:
    """A file's bytes and all that can be made of them: unpacked, decoded, unescaped."""
    yield called, called.encode() + b"\n" + data
    if not depth:
        return
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield from layers(f"{called}/{name}", archive.read(name), depth - 1)
    elif data.startswith(b"\x1f\x8b"):
        yield from layers(f"{called}, unpacked", gzip.decompress(data), depth - 1)
    elif b"\x00" not in data:
        yield f"{called}, percent signs undone", unquote_to_bytes(data)
        yield (
            f"{called}, unescaped",
            html.unescape(data.replace(b"\\", b"").decode("latin-1")).encode("latin-1", "replace"),
        )
        for word in re.findall(rb"[A-Za-z0-9+/_-]{16,}={0,2}", data):
            whole = word.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
            if len(whole) % 4 != 1:
                yield f"{called}, base64", base64.b64decode(whole + b"=" * (-len(whole) % 4))


@contextmanager
def trace_viewer(trace: Path) -> Iterator[str]:
    """Playwright's own viewer with a trace; yields its address."""
    command = [sys.executable, "-m", "playwright", "show-trace", "--host", "127.0.0.1", "--port", "0", str(trace)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as viewer:
        try:
            assert viewer.stdout
            found = next((m for line in viewer.stdout if (m := re.search(r"http://\S+", line))), None)
            assert found, "the viewer gave no address"
            yield found[0]
        finally:
            os.killpg(viewer.pid, signal.SIGTERM)  # the command has started the viewer as another process


def actions_in_viewer(browser: Browser, trace: Path) -> list[str]:
    """The actions that the viewer lists, as it calls them, once it has read the trace."""
    with trace_viewer(trace) as address:
        page = browser.new_page()
        page.goto(address)
        tree = page.get_by_test_id("actions-tree").get_by_role("treeitem")
        tree.first.wait_for()
        listed = tree.all_inner_texts()
        page.close()
    return listed
